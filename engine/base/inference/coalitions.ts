/**
 * Which cells act together over the pairs: the matrix of Pearson correlations, and its split in two coalitions (methods.md P9).
 *
 * The split is average linkage on the distance 1 − r, cut at two clusters (R. Sokal and C. Michener, 1958; the `average` of SciPy): cells that rise
 * and fall together end in one, opponents in the other. Which cells are looked at, and which of them lead, is left to the analysis.
 */
import { UserError } from '../errors.ts';
import { cellEffects, checkEffects, checkFamily, type PairEffects } from './pairEffects.ts';

export interface Correlations {
  /** The cells, in the order of the matrix. */
  readonly cells: Int32Array;
  /** [cells, cells]; NaN in the row and column of a cell whose effect is the same in every pair: it has no correlation. */
  readonly matrix: Float64Array;
}

/** @throws UserError for fewer than three pairs: two points always lie on a line */
export function pearsonMatrix(effects: PairEffects, family?: ArrayLike<number>): Correlations {
  checkEffects('pearsonMatrix', effects);
  if (effects.pairs < 3) throw new UserError('pearsonMatrix: pairs', 'must be at least 3', effects.pairs);
  const cells = checkFamily('pearsonMatrix', effects, family);
  const n = cells.length;
  const columns = Array.from(cells, (cell) => standardised(cellEffects('pearsonMatrix', effects, cell)));
  const matrix = new Float64Array(n * n).fill(NaN);
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      const [one, other] = [columns[i], columns[j]];
      if (!one || !other) continue;
      let sum = 0;
      for (let pair = 0; pair < one.length; pair++) sum += one[pair] * other[pair];
      // Rounding must not make a cell correlate with itself by 1 + 1e-16.
      matrix[i * n + j] = matrix[j * n + i] = i === j ? 1 : Math.min(1, Math.max(-1, sum));
    }
  return { cells, matrix };
}

export interface Coalitions {
  /** [cells] 0 or 1; −1 for a cell without correlations. The first cell that has any is in 0. */
  readonly coalition: Int8Array;
  /** Mean r over pairs of different cells within a coalition, and over those across; NaN where there is no such pair. */
  readonly within: readonly [number, number];
  readonly across: number;
}

/** @throws UserError for fewer than two cells with correlations */
export function splitInTwo({ cells, matrix }: Correlations): Coalitions {
  const n = cells.length;
  const r = (i: number, j: number) => matrix[i * n + j];
  let clusters = Array.from({ length: n }, (_, i) => [i]).filter(([i]) => !Number.isNaN(r(i, i)));
  if (clusters.length < 2)
    throw new UserError('splitInTwo: cells', 'must be at least 2 whose effects vary over the pairs', clusters.length);
  while (clusters.length > 2) {
    let [best, one, other] = [-Infinity, 0, 1];
    for (let a = 0; a < clusters.length; a++)
      for (let b = a + 1; b < clusters.length; b++) {
        const value = meanOver(clusters[a], clusters[b], r);
        if (value > best) [best, one, other] = [value, a, b];
      }
    const joined = [...clusters[one], ...clusters[other]];
    clusters = clusters.flatMap((cluster, i) => (i === one ? [joined] : i === other ? [] : [cluster]));
  }
  clusters.sort((a, b) => Math.min(...a) - Math.min(...b));
  const coalition = new Int8Array(n).fill(-1);
  clusters.forEach((cluster, which) => cluster.forEach((i) => (coalition[i] = which)));
  const within = ([one, other]: readonly number[][]) => [meanOver(one, one, r), meanOver(other, other, r)] as const;
  return { coalition, within: within(clusters), across: meanOver(clusters[0], clusters[1], r) };
}

/** Over pairs of different cells. */
function meanOver(one: readonly number[], other: readonly number[], r: (i: number, j: number) => number): number {
  let sum = 0;
  let count = 0;
  for (const i of one)
    for (const j of other) {
      if (i === j) continue;
      sum += r(i, j);
      count++;
    }
  return sum / count;
}

/** Less its mean and of length 1; nothing if it does not vary beyond rounding. */
function standardised(column: Float64Array): Float64Array | undefined {
  const mean = column.reduce((sum, value) => sum + value, 0) / column.length;
  const centred = column.map((value) => value - mean);
  const length = Math.sqrt(centred.reduce((sum, value) => sum + value * value, 0));
  const size = Math.sqrt(column.reduce((sum, value) => sum + value * value, 0));
  return length > 1e-12 * size ? centred.map((value) => value / length) : undefined;
}
