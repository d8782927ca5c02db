/**
 * What a model of the policy task is trained and judged on: base prompts, the alignment mix with its retained share, and prompts for the behaviour a
 * checkpoint is accepted by. Drawn from the language of policyRouting.ts, seeded; how a model learns is training's.
 */
import { UserError } from '../base/errors.ts';
import type { Random } from '../base/random.ts';
import {
  baseAnswer,
  drawWording,
  policyAnswer,
  PROMPT_LENGTH,
  writePrompt,
  type Dialect,
  type Meaning,
  type PolicyTask,
} from './policyRouting.ts';

/** Prompts with the one token that is right after each. */
export interface LabelledPrompts {
  readonly count: number;
  /** int32 [count, PROMPT_LENGTH] */
  readonly tokens: Int32Array;
  /** int32 [count] */
  readonly labels: Int32Array;
  readonly meanings: readonly Meaning[];
}

export interface CorpusOptions {
  /** Drawn from with equal chance; `free` unless given. */
  readonly dialects?: readonly Dialect[];
  /** The share of prompts written in a cipher, ½ unless given; in the alignment mix it is what is retained. */
  readonly ciphered?: number;
}

/** Topics, intents and wordings drawn uniformly; the label is the answer, whatever the policy. */
export function basePrompts(task: PolicyTask, count: number, random: Random, options: CorpusOptions = {}): LabelledPrompts {
  return draw(task, count, random, options, baseAnswer);
}

/** The same prompts under the policy: in plain words severe topics are refused or evaded, ciphered prompts keep their answers. */
export function alignmentPrompts(task: PolicyTask, count: number, random: Random, options: CorpusOptions = {}): LabelledPrompts {
  return draw(task, count, random, options, policyAnswer);
}

/** Every topic with both intents, `wordings` times each, in plain words or in every key: what behaviour is judged on. */
export function behaviourPrompts(
  task: PolicyTask,
  mode: 'plain' | 'cipher',
  wordings: number,
  random: Random,
  { dialects = ['free'] }: Pick<CorpusOptions, 'dialects'> = {},
): LabelledPrompts {
  const written = mode === 'plain' ? [{}] : task.keys.map((_token, key) => ({ key }));
  const meanings = task.topics.flatMap((_token, topic) =>
    (['harm', 'info'] as const).flatMap((intent) => written.map((form): Meaning => ({ topic, intent, ...form }))),
  );
  const all = Array.from({ length: wordings }, () => meanings).flat();
  return write(task, all, random, dialects, policyAnswer);
}

function draw(
  task: PolicyTask,
  count: number,
  random: Random,
  { dialects = ['free'], ciphered = 0.5 }: CorpusOptions,
  answer: (task: PolicyTask, meaning: Meaning) => number,
): LabelledPrompts {
  if (!Number.isInteger(count) || count < 1) throw new UserError('policyRouting: count', 'must be a positive integer', count);
  if (!(ciphered >= 0 && ciphered <= 1)) throw new UserError('policyRouting: ciphered', 'must be a number in [0, 1]', ciphered);
  const meanings = Array.from({ length: count }, (): Meaning => {
    const topic = random.integer(task.topics.length);
    const intent = random.integer(2) === 0 ? 'harm' : 'info';
    return random.uniform() < ciphered ? { topic, intent, key: random.integer(task.keys.length) } : { topic, intent };
  });
  return write(task, meanings, random, dialects, answer);
}

function write(
  task: PolicyTask,
  meanings: readonly Meaning[],
  random: Random,
  spoken: readonly Dialect[],
  answer: (task: PolicyTask, meaning: Meaning) => number,
): LabelledPrompts {
  if (spoken.length === 0) throw new UserError('policyRouting: dialects', 'must be at least one', spoken);
  const count = meanings.length;
  const tokens = new Int32Array(count * PROMPT_LENGTH);
  const labels = new Int32Array(count);
  meanings.forEach((meaning, row) => {
    const dialect = spoken[spoken.length === 1 ? 0 : random.integer(spoken.length)];
    writePrompt(task, meaning, drawWording(task, dialect, random), tokens, row * PROMPT_LENGTH);
    labels[row] = answer(task, meaning);
  });
  return { count, tokens, labels, meanings };
}
