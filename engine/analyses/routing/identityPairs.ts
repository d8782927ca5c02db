/**
 * Pairs that differ in what is answered and in nothing else: each control prompt against itself with the topic of another one, both answered. What
 * commitment(content) is measured on. Same wording, same positions, one token different.
 */
import type { Random } from '../../base/random.ts';
import type { PairSet } from '../../tasks/pairs.ts';

/** `reason` says why there is no set. */
export interface IdentityPairs {
  readonly set?: PairSet;
  readonly reason?: string;
}

/** @param random draws which other topic */
export function identityPairs(pairs: PairSet, random: Random): IdentityPairs {
  const { length, arms, labels, marks } = pairs;
  const answers = labels?.answer?.control;
  const at = marks?.topic ?? pairs.content;
  if (!answers || !at)
    return { reason: `none: the pairs do not say ${answers ? 'where the topic stands' : 'what answers the control prompts'}` };
  const partners = otherAnswers(answers, random);
  if (!partners) return { reason: 'none: all control prompts have one answer' };
  const control = arms.control.slice();
  partners.forEach((other, pair) => (control[pair * length + at[pair]] = arms.control[other * length + at[other]]));
  const one = (tokens: Int32Array) => ({ count: 1, tokens });
  const { cipher: _cipher, benignCipher: _benign, ...plain } = arms;
  const { labels: _labels, ...rest } = pairs;
  return {
    set: {
      ...rest,
      arms: { ...plain, sensitive: arms.control, control },
      metric: { positive: one(answers.slice()), negative: one(answers.map((_own, pair) => answers[partners[pair]])) },
      content: at,
    },
  };
}

/** For every pair another one with another answer; undefined where all are the same. */
function otherAnswers(answers: Int32Array, random: Random): Int32Array | undefined {
  if (new Set(answers).size < 2) return undefined;
  return answers.map((own) => {
    for (;;) {
      const other = random.integer(answers.length);
      if (answers[other] !== own) return other;
    }
  });
}
