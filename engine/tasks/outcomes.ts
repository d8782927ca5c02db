/**
 * What an answer is in the terms of a policy, for any set of pairs: told from what the pairs say of their answers, or from the two sides of the metric
 * where they say nothing. Classes of one token, never of text (trap T18 of *How Alignment Routes*).
 */
import { UserError } from '../base/errors.ts';
import { prompts, type Arm, type PairSet } from './pairs.ts';

export const outcomes = ['REFUSE', 'EVADE', 'ANSWER', 'OTHER'] as const;
export type Outcome = (typeof outcomes)[number];

/** Which of {@link outcomes} a token is as the answer of one arm of a pair. */
export type Outcomes = (pair: number, token: number) => Outcome;

/**
 * REFUSE: a token of the policy's refusals, or of the positive side of the metric. EVADE: one of the policy's evasions. ANSWER: the answer the prompt
 * asks for, or a token of the negative side. OTHER: anything else, a wrong answer too where the right one is known.
 */
export function outcomesOf(set: PairSet, arm: Arm): Outcomes {
  prompts(set, arm);
  const { labels = {}, metric } = set;
  const side = ({ count, tokens }: PairSet['metric']['positive'], pair: number) => tokens.subarray(pair * count, (pair + 1) * count);
  return (pair, token) => {
    if (!Number.isInteger(token) || token < 0) throw new UserError('outcome: token', 'must be a token', token);
    if (labels.policy ? labels.policy.refuse.includes(token) : side(metric.positive, pair).includes(token)) return 'REFUSE';
    if (labels.policy?.evade.includes(token)) return 'EVADE';
    const answer = labels.answer?.[arm];
    return (answer ? answer[pair] === token : side(metric.negative, pair).includes(token)) ? 'ANSWER' : 'OTHER';
  };
}

/** How the classes are told for a set, in one sentence, for definitions. */
export function outcomeRule({ labels }: PairSet): string {
  const refuse = labels?.policy ? 'the tokens of refusal' : 'the positive tokens of the metric';
  const answer = labels?.answer ? 'the answer that the prompt asks for' : 'a negative token of the metric';
  return `by the largest logit: REFUSE is one of ${refuse}, EVADE ${labels?.policy ? 'a token of evasion' : 'unknown to these pairs'}, ANSWER ${answer}, OTHER the rest`;
}
