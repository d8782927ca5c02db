/**
 * Matched pairs of prompts: what an intervention swaps between. Every prompt of a set has one length, and a position means the same thing in every
 * arm of a pair, so that nothing is ever patched between unrelated tokens (trap T4 of *How Alignment Routes*). Plain data; where the prompts come
 * from (a token task, a user's file) and what is done with them belong to others.
 */
import { UserError } from '../base/errors.ts';

/** The prompts of a pair, by name. `sensitive` and `control` are always there; the two of a cipher are there when the model knows one. */
export const arms = ['sensitive', 'control', 'cipher', 'benignCipher'] as const;
export type Arm = (typeof arms)[number];

/** For every pair the same number of tokens: [pairs, count], row by row. */
export interface TokenSets {
  readonly count: number;
  readonly tokens: Int32Array;
}

/** What is known of the pairs besides their tokens; none of it is needed to run them. */
export interface PairLabels {
  /** The token a model that follows the task answers with: [pairs] for every arm it is known of. */
  readonly expected?: Readonly<Partial<Record<Arm, Int32Array>>>;
  /** The token that answers what the prompt asks, whatever a policy makes of it: [pairs] for every arm it is known of. */
  readonly answer?: Readonly<Partial<Record<Arm, Int32Array>>>;
  /** The tokens by which a prompt is refused, and those by which it is evaded. */
  readonly policy?: { readonly refuse: readonly number[]; readonly evade: readonly number[] };
  /** The topic of every arm: an index into `topicNames`, [pairs]. */
  readonly topic?: Readonly<Partial<Record<Arm, Int32Array>>>;
  readonly topicNames?: readonly string[];
  /** How severe the topic of the sensitive prompt is, [pairs]; 0 is harmless. */
  readonly severity?: Int32Array;
}

/** `pairs` matched pairs of prompts of one `length`. */
export interface PairSet {
  readonly pairs: number;
  readonly length: number;
  /** Tokens, int32 [pairs, length] for each arm. */
  readonly arms: Readonly<{ sensitive: Int32Array; control: Int32Array; cipher?: Int32Array; benignCipher?: Int32Array }>;
  /** The role of every position: an index into `roleNames`, [length] for all pairs alike or [pairs, length]. Models with masks by role need [length]. */
  readonly roles?: Int32Array;
  readonly roleNames?: readonly string[];
  /** The position whose logits are read, [pairs]; usually length − 1, earlier where a prompt is padded on the right. */
  readonly read: Int32Array;
  /** M = mean logit of the positive tokens − mean logit of the negative ones at the read position; the same tokens for all arms of a pair. */
  readonly metric: Readonly<{ positive: TokenSets; negative: TokenSets }>;
  /** The position of the token in which sensitive and control differ, [pairs]. */
  readonly content?: Int32Array;
  /** Further positions by name, [pairs] each, e.g. where the intent stands. */
  readonly marks?: Readonly<Record<string, Int32Array>>;
  readonly labels?: PairLabels;
}

/** The arms a set has, in the order of {@link arms}. */
export function armsOf(set: PairSet): Arm[] {
  return arms.filter((arm) => set.arms[arm] !== undefined);
}

/** The prompts of one arm, int32 [pairs, length]. @throws UserError for an arm the set does not have */
export function prompts(set: PairSet, arm: Arm): Int32Array {
  const found = set.arms[arm];
  if (!found) throw new UserError('pairs: arm', `must be one of ${armsOf(set).join(', ')}`, arm);
  return found;
}

/** The role of every position of one pair, [length], or undefined where the set names none. */
export function rolesOf(set: PairSet, pair: number): Int32Array | undefined {
  if (!set.roles || set.roles.length === set.length) return set.roles;
  return set.roles.subarray(pair * set.length, (pair + 1) * set.length);
}

/**
 * The first position in which two arms differ, [pairs]; `length` where they are the same. What stands before it is shared by both runs of a causal
 * model.
 */
export function firstDifferences(set: PairSet, one: Arm = 'sensitive', other: Arm = 'control'): Int32Array {
  const [left, right] = [prompts(set, one), prompts(set, other)];
  return Int32Array.from({ length: set.pairs }, (_, pair) => {
    let position = 0;
    while (position < set.length && left[pair * set.length + position] === right[pair * set.length + position]) position++;
    return position;
  });
}

/** The same number of tokens for all pairs: {@link TokenSets} whose rows are alike. */
export function sameTokens(pairs: number, tokens: ArrayLike<number>): TokenSets {
  const all = new Int32Array(pairs * tokens.length);
  for (let pair = 0; pair < pairs; pair++) all.set(tokens, pair * tokens.length);
  return { count: tokens.length, tokens: all };
}

/** The pairs of the given indices, in that order; one may come twice (a bootstrap). @throws UserError for an index out of range */
export function selectPairs(set: PairSet, indices: ArrayLike<number>): PairSet {
  const chosen = Array.from(indices);
  for (const index of chosen)
    if (!Number.isInteger(index) || index < 0 || index >= set.pairs)
      throw new UserError('selectPairs: index', `must be an integer in [0, ${set.pairs - 1}]`, index);
  const rows = (values: Int32Array, width: number): Int32Array => {
    const taken = new Int32Array(chosen.length * width);
    chosen.forEach((index, row) => taken.set(values.subarray(index * width, (index + 1) * width), row * width));
    return taken;
  };
  const each = <K extends string>(values: Readonly<Partial<Record<K, Int32Array>>>, width: number): Record<K, Int32Array> =>
    Object.fromEntries(
      Object.entries<Int32Array | undefined>(values).flatMap(([name, value]) => (value ? [[name, rows(value, width)]] : [])),
    ) as Record<K, Int32Array>;
  const sets = ({ count, tokens }: TokenSets): TokenSets => ({ count, tokens: rows(tokens, count) });
  return {
    ...set,
    pairs: chosen.length,
    arms: each(set.arms, set.length),
    ...(set.roles && set.roles.length !== set.length && { roles: rows(set.roles, set.length) }),
    read: rows(set.read, 1),
    metric: { positive: sets(set.metric.positive), negative: sets(set.metric.negative) },
    ...(set.content && { content: rows(set.content, 1) }),
    ...(set.marks && { marks: each(set.marks, 1) }),
    ...(set.labels && {
      labels: {
        ...set.labels,
        ...(set.labels.expected && { expected: each(set.labels.expected, 1) }),
        ...(set.labels.answer && { answer: each(set.labels.answer, 1) }),
        ...(set.labels.topic && { topic: each(set.labels.topic, 1) }),
        ...(set.labels.severity && { severity: rows(set.labels.severity, 1) }),
      },
    }),
  };
}

/**
 * Holds a set against what a model can take.
 * @param vocabulary how many tokens the model knows
 * @throws UserError naming the arm or field, the rule and the value: no pairs, arms of unequal size, a token outside the vocabulary, a position out
 * of range, an empty side of the metric, a role without a name
 */
export function checkPairs(set: PairSet, vocabulary: number): void {
  const { pairs, length } = set;
  whole('pairs: pairs', pairs, 1, 2 ** 31 - 1);
  whole('pairs: length', length, 1, 2 ** 31 - 1);
  for (const arm of ['sensitive', 'control'] as const) if (!set.arms[arm]) throw new UserError(`pairs: ${arm}`, 'must be there', undefined);
  for (const arm of armsOf(set)) values(`pairs: ${arm}`, prompts(set, arm), pairs * length, vocabulary, `${pairs} × ${length} tokens`);
  values('pairs: read', set.read, pairs, length, `${pairs} positions`);
  for (const side of ['positive', 'negative'] as const) {
    const { count, tokens } = set.metric[side];
    whole(`pairs: metric.${side}.count`, count, 1, vocabulary);
    values(`pairs: metric.${side}.tokens`, tokens, pairs * count, vocabulary, `${pairs} × ${count} tokens`);
  }
  if (set.content) values('pairs: content', set.content, pairs, length, `${pairs} positions`);
  for (const [name, positions] of Object.entries(set.marks ?? {}))
    values(`pairs: marks.${name}`, positions, pairs, length, `${pairs} positions`);
  if (set.roles) {
    const size = set.roles.length === length ? length : pairs * length;
    values('pairs: roles', set.roles, size, set.roleNames?.length ?? 0, `${length} or ${pairs} × ${length} roles`);
  }
  checkLabels(set, vocabulary);
}

function checkLabels({ labels, pairs }: PairSet, vocabulary: number): void {
  if (!labels) return;
  for (const arm of arms) {
    const topic = labels.topic?.[arm];
    for (const name of ['expected', 'answer'] as const) {
      const tokens = labels[name]?.[arm];
      if (tokens) values(`pairs: labels.${name}.${arm}`, tokens, pairs, vocabulary, `${pairs} tokens`);
    }
    if (topic) values(`pairs: labels.topic.${arm}`, topic, pairs, labels.topicNames?.length ?? 2 ** 31, `${pairs} topics`);
  }
  for (const [name, tokens] of Object.entries(labels.policy ?? {}))
    values(`pairs: labels.policy.${name}`, Int32Array.from(tokens), tokens.length, vocabulary, 'tokens');
  if (labels.severity) values('pairs: labels.severity', labels.severity, pairs, 2 ** 31, `${pairs} severities`);
}

function whole(field: string, value: number, low: number, high: number): void {
  if (!Number.isInteger(value) || value < low || value > high) throw new UserError(field, `must be an integer in [${low}, ${high}]`, value);
}

/** As many values as said, each in [0, below). */
function values(field: string, array: Int32Array, size: number, below: number, expected: string): void {
  if (array.length !== size) throw new UserError(field, `must hold ${expected}`, array.length);
  for (const value of array) if (value < 0 || value >= below) throw new UserError(field, `must hold integers in [0, ${below - 1}]`, value);
}
