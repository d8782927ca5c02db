/** Random pairs of prompts for small models, and what is measured on them. For tests. */
import { Random } from '../../base/random.ts';
import type { TransformerConfig } from '../../models/transformer.ts';
import type { PairSet } from '../../tasks/pairs.ts';

/** Pairs whose arms differ from position `divergence` on, by one token there or by all that follow. */
export function drawnPairs(
  { vocabulary }: Pick<TransformerConfig, 'vocabulary'>,
  {
    pairs,
    length,
    divergence = 0,
    after = true,
    seed,
  }: { pairs: number; length: number; divergence?: number; after?: boolean; seed: number },
): PairSet {
  const random = new Random(seed);
  const draw = (count: number) => Int32Array.from({ length: count }, () => random.integer(vocabulary));
  const other = (token: number) => (token + 1 + random.integer(vocabulary - 1)) % vocabulary;
  const sensitive = draw(pairs * length);
  const differs = (i: number) => (after ? i % length >= divergence : i % length === divergence);
  const control = sensitive.map((token, i) => (differs(i) ? other(token) : token));
  const positive = draw(pairs * 2);
  return {
    pairs,
    length,
    arms: { sensitive, control, cipher: draw(pairs * length) },
    roles: Int32Array.from({ length }, (_entry, i) => (i === length - 1 ? 1 : i === divergence ? 2 : 0)),
    roleNames: ['other', 'last', 'content'],
    read: new Int32Array(pairs).fill(length - 1),
    metric: {
      positive: { count: 2, tokens: positive },
      negative: { count: 1, tokens: Int32Array.from({ length: pairs }, (_entry, i) => other(positive[2 * i])) },
    },
    content: new Int32Array(pairs).fill(divergence),
  };
}

/** mean |M(sensitive) − M(control)|: what tolerances of effects are measured in. */
export const meanGap = (sensitive: Float32Array, control: Float32Array): number =>
  sensitive.reduce((total, metric, pair) => total + Math.abs(metric - control[pair]), 0) / sensitive.length;
