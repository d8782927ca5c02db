/** How far two rankings of the same cells agree (C. Spearman, 1904): Pearson's r of their ranks, ties at their mean rank. */
import { UserError } from '../errors.ts';

/** Ranks from 1, equal values at the mean of their places. */
export function ranksOf(values: ArrayLike<number>): Float64Array {
  const order = Array.from(values, (_value, i) => i).sort((a, b) => values[a] - values[b]);
  const ranks = new Float64Array(values.length);
  for (let begin = 0; begin < order.length;) {
    let end = begin + 1;
    while (end < order.length && values[order[end]] === values[order[begin]]) end++;
    for (let i = begin; i < end; i++) ranks[order[i]] = (begin + 1 + end) / 2;
    begin = end;
  }
  return ranks;
}

/** In [−1, 1]; NaN where all of one are equal. @throws UserError for lists of unequal length, or a value that is not finite */
export function spearman(one: ArrayLike<number>, other: ArrayLike<number>): number {
  if (one.length !== other.length) throw new UserError('spearman: values', 'must be as many in both', `${one.length} and ${other.length}`);
  for (const values of [one, other])
    for (let i = 0; i < values.length; i++)
      if (!Number.isFinite(values[i])) throw new UserError(`spearman: values[${i}]`, 'must be finite', values[i]);
  const [a, b] = [ranksOf(one), ranksOf(other)];
  const mean = (a.length + 1) / 2;
  let [product, squareA, squareB] = [0, 0, 0];
  a.forEach((rank, i) => {
    product += (rank - mean) * (b[i] - mean);
    squareA += (rank - mean) ** 2;
    squareB += (b[i] - mean) ** 2;
  });
  return product / Math.sqrt(squareA * squareB);
}
