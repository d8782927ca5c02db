/**
 * Matched pairs of the policy task: two prompts that differ in one token, with the same two under a cipher beside them (the fourth arm is what takes
 * the format of the cipher out of a contrast, trap T15). The language is policyRouting.ts's, the form pairs.ts's.
 */
import { z } from 'zod';
import { UserError } from '../base/errors.ts';
import { Random } from '../base/random.ts';
import { parseWith, wholeBetween } from '../base/schema.ts';
import { arms, sameTokens, type Arm, type PairSet } from './pairs.ts';
import {
  ASK_POSITION,
  baseAnswer,
  dialects,
  drawWording,
  MODE_POSITION,
  policyAnswer,
  policyRoles,
  PROMPT_LENGTH,
  rolesOfPrompt,
  SEVERITY,
  topicsOf,
  writePrompt,
  type Meaning,
  type PolicyTask,
} from './policyRouting.ts';

const PAIRS_RULE = 'must be an integer in [1, 1000000] or "all"';

export const policyPairOptions = z.strictObject({
  contrast: z.enum(['content', 'intent', 'identity'], 'must be "content", "intent" or "identity"').default('content').meta({
    description:
      'what differs: a severe topic against a benign one, a harmful intent against a harmless one (both of REFUSE against answers), or two benign topics (of one answer against the other)',
  }),
  severity: z
    .enum(['high', 'middle'], 'must be "high" or "middle"')
    .default('high')
    .meta({ description: 'of the sensitive topics; the metric is that of refusing or of evading' }),
  pairs: z
    .union([z.number(PAIRS_RULE).int(PAIRS_RULE).min(1, PAIRS_RULE).max(1_000_000, PAIRS_RULE), z.literal('all', PAIRS_RULE)], PAIRS_RULE)
    .default(240)
    .meta({ description: 'how many are drawn; "all" is every combination of topics once' }),
  dialect: z.enum(dialects, 'must be "free" or "ordered"').default('free').meta({ description: 'how the prompts are worded' }),
  seed: wholeBetween(0, Number.MAX_SAFE_INTEGER).default(0).meta({ description: 'of topics, wordings and keys' }),
});

export type PolicyPairOptions = z.input<typeof policyPairOptions>;

/** @throws UserError for options out of range, or a severity no topic has */
export function policyPairs(task: PolicyTask, given: PolicyPairOptions = {}): PairSet {
  const options = parseWith(policyPairOptions, 'policyPairs', given);
  const random = new Random(options.seed).fork('policyPairs', options.contrast);
  const meanings = options.pairs === 'all' ? combinations(task, options) : drawn(task, options, options.pairs, random);
  const pairs = meanings.length;
  const tokens = Object.fromEntries(arms.map((arm) => [arm, new Int32Array(pairs * PROMPT_LENGTH)])) as Record<Arm, Int32Array>;
  const column = () => new Int32Array(pairs);
  const byArm = () => Object.fromEntries(arms.map((arm) => [arm, column()])) as Record<Arm, Int32Array>;
  const [topic, expected, answer] = [byArm(), byArm(), byArm()];
  const [topicAt, intentAt, detection, severity] = [column(), column(), column(), column()];
  meanings.forEach(([sensitive, control], pair) => {
    const wording = drawWording(task, options.dialect, random);
    const key = random.integer(task.keys.length);
    const says: Record<Arm, Meaning> = { sensitive, control, cipher: { ...sensitive, key }, benignCipher: { ...control, key } };
    for (const arm of arms) {
      writePrompt(task, says[arm], wording, tokens[arm], pair * PROMPT_LENGTH);
      topic[arm][pair] = says[arm].topic;
      expected[arm][pair] = policyAnswer(task, says[arm]);
      answer[arm][pair] = baseAnswer(task, says[arm]);
    }
    topicAt[pair] = wording.topicAt;
    intentAt[pair] = wording.intentAt;
    detection[pair] = Math.max(wording.topicAt, wording.intentAt);
    severity[pair] = task.severity[sensitive.topic];
  });
  const both = meanings.map(([{ topic: one }, { topic: other }]) => [task.answers[one], task.answers[other]] as const);
  const metric =
    options.contrast === 'identity'
      ? {
          positive: { count: 1, tokens: Int32Array.from(both, ([one]) => one) },
          negative: { count: 1, tokens: Int32Array.from(both, ([, other]) => other) },
        }
      : {
          positive: sameTokens(pairs, [options.severity === 'high' ? task.refuse : task.evade]),
          negative: sameTokens(pairs, task.answers),
        };
  return {
    pairs,
    length: PROMPT_LENGTH,
    arms: tokens,
    roles: rolesOfPrompt(),
    roleNames: policyRoles,
    read: column().fill(ASK_POSITION),
    metric,
    content: options.contrast === 'intent' ? intentAt : topicAt,
    marks: { topic: topicAt, intent: intentAt, detection, mode: column().fill(MODE_POSITION), ask: column().fill(ASK_POSITION) },
    labels: {
      expected,
      answer,
      policy: { refuse: [task.refuse], evade: [task.evade] },
      topic,
      topicNames: task.topics.map((token) => task.names[token]),
      severity,
    },
  };
}

type Contrast = readonly [sensitive: Meaning, control: Meaning];

/** The topics of either side; for an intent contrast both sides have the same one. */
function sides(task: PolicyTask, { contrast, severity }: z.output<typeof policyPairOptions>): { severe: number[]; benign: number[] } {
  const benign = topicsOf(task, SEVERITY.benign);
  if (contrast === 'identity') {
    if (benign.length < 2)
      throw new UserError('policyPairs: contrast', 'must be "content" or "intent" where there is one benign topic', contrast);
    return { severe: benign, benign };
  }
  const severe = topicsOf(task, SEVERITY[severity]);
  if (severe.length === 0) throw new UserError('policyPairs: severity', 'must be one that a topic has', severity);
  return { severe, benign };
}

function contrastOf(contrast: 'content' | 'intent' | 'identity', topic: number, other: number): Contrast {
  const sensitive: Meaning = { topic, intent: 'harm' };
  return [sensitive, contrast === 'intent' ? { topic, intent: 'info' } : { topic: other, intent: 'harm' }];
}

function combinations(task: PolicyTask, options: z.output<typeof policyPairOptions>): Contrast[] {
  const { severe, benign } = sides(task, options);
  if (options.contrast === 'intent') return severe.map((topic) => contrastOf('intent', topic, topic));
  return severe.flatMap((topic) => benign.filter((other) => other !== topic).map((other) => contrastOf(options.contrast, topic, other)));
}

function drawn(task: PolicyTask, options: z.output<typeof policyPairOptions>, count: number, random: Random): Contrast[] {
  const { severe, benign } = sides(task, options);
  return Array.from({ length: count }, () => {
    const topic = severe[random.integer(severe.length)];
    const others = options.contrast === 'identity' ? benign.filter((other) => other !== topic) : benign;
    return contrastOf(options.contrast, topic, others[random.integer(others.length)]);
  });
}
