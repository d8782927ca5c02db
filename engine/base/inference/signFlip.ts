/**
 * The paired sign-flip max-T test: which cells of a declared family move the metric more than relabelling the pairs does.
 *
 * Under the hypothesis that no cell has an effect, sensitive and control can be exchanged within each pair, which turns the sign of the pair's
 * effects. One draw of signs is shared by all cells, which keeps the correlation between them, and each cell is compared with the largest of the
 * whole family, which holds the chance of any false discovery (P. Westfall and S. Young, Resampling-Based Multiple Testing, 1993):
 *
 *   T_h = mean_i E[i,h]     M_b = max_h |mean_i s_bi E[i,h]|     p_h = (1 + #{b: M_b ≥ |T_h|}) / (B + 1)
 *
 * methods.md P13. Two-sided. What the effects are, and what they are divided by, is left to the analyses.
 */
import { UserError } from '../errors.ts';
import type { Random } from '../random.ts';
import { cellEffects, checkEffects, checkFamily, type PairEffects } from './pairEffects.ts';
import { BYTE, drawSigns, everySign, type Signs } from './signs.ts';

export interface SignFlipOptions {
  /** Signs are drawn from it; not read where all are gone through. */
  readonly random: Random;
  /** How many relabellings are drawn, 10 000 unless told; `all` goes through each of the 2^pairs once (at most 20 pairs). */
  readonly permutations?: number | 'all';
  /** The cells tested together; all unless told. */
  readonly family?: ArrayLike<number>;
}

export interface SignFlip {
  /** [cells] mean effect over the pairs; NaN outside the family. */
  readonly statistics: Float64Array;
  /** [cells] corrected over the family; NaN outside it. */
  readonly pValues: Float64Array;
  /** [permutations] the largest |mean effect| in the family under each relabelling, in ascending order. */
  readonly maxima: Float64Array;
  /** How many cells were tested together. */
  readonly family: number;
  /** The smallest p that can come out: 1 / (permutations + 1), or 2 / 2^pairs (1 with one pair) where all are gone through. */
  readonly floor: number;
  /** Whether every relabelling was gone through, so that p is exact. */
  readonly exact: boolean;
}

/**
 * Sums of other orders differ by rounding: effects of one size tie exactly, and a tie must count, or p would come out too small.
 * Relative to the mean |effect| of the cell; rounding of a sum of 10 000 pairs stays below it.
 */
const TIE = 1e-12;

/** Cells summed together: 32 columns of a table of 256 rows are 64 KiB. */
const BLOCK = 32;

/** @throws UserError for effects that are not finite, a family that is not there, or a count of permutations that is no count */
export function signFlipMaxT(effects: PairEffects, options: SignFlipOptions): SignFlip {
  const steps = signFlipSteps(effects, options);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** The same in steps of a few milliseconds, for whoever reports progress or can be called off. Yields the share that is done. */
export function* signFlipSteps(effects: PairEffects, options: SignFlipOptions): Generator<number, SignFlip> {
  const { random, permutations = 10_000, family: asked } = options;
  checkEffects('signFlip', effects);
  const { pairs, cells } = effects;
  const family = checkFamily('signFlip', effects, asked);
  const exact = permutations === 'all';
  const signs = exact ? everySign(pairs) : drawSigns(pairs, permutations, random);

  const statistics = new Float64Array(cells).fill(NaN);
  const ties = new Float64Array(cells);
  const maxima = new Float64Array(signs.count);
  const sums = new Float64Array(signs.count * Math.min(BLOCK, family.length));
  let columns: Float64Array[] = [];
  for (let i = 0; i < family.length; i++) {
    const cell = family[i];
    const column = cellEffects('signFlip', effects, cell);
    const size = column.reduce((sum, value) => sum + Math.abs(value), 0);
    ties[cell] = TIE * size;
    statistics[cell] = inGroups(column);
    // Whatever its signs, a cell that never did anything is never the largest.
    if (size > 0) columns.push(column);
    if (columns.length === BLOCK || (i === family.length - 1 && columns.length > 0)) {
      raiseMaxima(columns, signs, sums, maxima);
      columns = [];
      yield (i + 1) / family.length;
    }
  }

  maxima.sort();
  const pValues = new Float64Array(cells).fill(NaN);
  for (const cell of family) {
    const reached = signs.count - firstAtLeast(maxima, Math.abs(statistics[cell]) - ties[cell]);
    // Where all are gone through, the given labels are one of them.
    pValues[cell] = exact ? reached / signs.count : (1 + reached) / (signs.count + 1);
    statistics[cell] /= pairs;
  }
  for (let b = 0; b < signs.count; b++) maxima[b] /= pairs;
  const floor = exact ? Math.min(1, 2 / signs.count) : 1 / (signs.count + 1);
  return { statistics, pValues, maxima, family: family.length, floor, exact };
}

/**
 * The size of mean effect above which a cell is found at the level: |T| greater than it has p ≤ level. `Infinity` where none can be, because
 * there are too few relabellings. @param maxima as in {@link SignFlip} @param level of the whole family, in (0, 1)
 */
export function criticalEffect({ maxima, exact }: Pick<SignFlip, 'maxima' | 'exact'>, level: number): number {
  if (!(level > 0 && level < 1)) throw new UserError('criticalEffect: level', 'must be in (0, 1)', level);
  // How many maxima may reach |T|. Where all relabellings are gone through, the given one always does; otherwise it is the 1 that is added.
  // A level like 0.05 is no binary fraction: 0.05 · 10 000 must be 500.
  const room = Math.floor(level * (exact ? maxima.length : maxima.length + 1) + 1e-9) - (exact ? 0 : 1);
  return room < (exact ? 1 : 0) ? Infinity : maxima[maxima.length - 1 - room];
}

/** The sum of a column in the order in which {@link raiseMaxima} sums: within eights, then over them. */
function inGroups(column: Float64Array): number {
  let sum = 0;
  for (let begin = 0; begin < column.length; begin += BYTE) {
    let part = column[begin];
    for (let pair = begin + 1; pair < Math.min(begin + BYTE, column.length); pair++) part += column[pair];
    sum += part;
  }
  return sum;
}

/**
 * maxima[b] ← max(maxima[b], |Σ_i s_bi E[i,h]|) for the columns h.
 *
 * Signs of eight pairs take 256 values, so the sums of eight pairs are tabulated once, for all columns of the block, and a relabelling adds one
 * row of the table for every eight pairs instead of eight products: an eighth of the arithmetic of the matrix product, in doubles, and in an order
 * that depends neither on the block nor on the family. @param sums scratch of [relabellings, columns]
 */
function raiseMaxima(columns: readonly Float64Array[], { pairs, count, bytes }: Signs, sums: Float64Array, maxima: Float64Array): void {
  const width = columns.length;
  const table = new Float64Array(2 ** Math.min(BYTE, pairs) * width);
  for (let group = 0; BYTE * group < pairs; group++) {
    tabulate(columns, BYTE * group, Math.min(BYTE, pairs - BYTE * group), table);
    const bits = bytes.subarray(group * count, (group + 1) * count);
    if (group === 0)
      for (let b = 0, at = 0; b < count; b++) for (let row = bits[b] * width, c = 0; c < width; c++) sums[at++] = table[row + c];
    else for (let b = 0, at = 0; b < count; b++) for (let row = bits[b] * width, c = 0; c < width; c++) sums[at++] += table[row + c];
  }
  for (let b = 0, at = 0; b < count; b++) {
    let largest = maxima[b];
    for (let c = 0; c < width; c++) largest = Math.max(largest, Math.abs(sums[at++]));
    maxima[b] = largest;
  }
}

/** table[p, h] = Σ_k ± E[begin + k, h] over `size` pairs, minus where bit k of p is set, summed from the first pair on. */
function tabulate(columns: readonly Float64Array[], begin: number, size: number, table: Float64Array): void {
  const width = columns.length;
  for (let c = 0; c < width; c++) {
    const column = columns[c];
    table[c] = column[begin];
    table[width + c] = -column[begin];
    for (let k = 1; k < size; k++) {
      const value = column[begin + k];
      const half = 1 << k;
      for (let p = 0; p < half; p++) {
        const sum = table[p * width + c];
        table[(p + half) * width + c] = sum - value;
        table[p * width + c] = sum + value;
      }
    }
  }
}

/** The index of the first entry that is at least `value`, in an ascending list. */
function firstAtLeast(ascending: Float64Array, value: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle] >= value) high = middle;
    else low = middle + 1;
  }
  return low;
}
