/**
 * Bootstrap intervals over pairs, of ratios of means: necessity is the mean effect over the mean gap, and both are means over the same pairs.
 *
 * A resample draws pairs with replacement and takes effects and gaps of the same pairs (B. Efron and R. Tibshirani, An Introduction to the
 * Bootstrap, 1993, §13.3); one draw is shared by all cells. Normalising by the mean gap, not pair by pair, is methods.md T12.
 */
import { UserError } from '../errors.ts';
import type { Random } from '../random.ts';
import { cellEffects, checkEffects, checkFamily, type PairEffects } from './pairEffects.ts';

export interface RatioOptions {
  readonly random: Random;
  /** 2000 unless told. */
  readonly resamples?: number;
  /** Share of the resampled ratios that an interval holds; 0.95 unless told. */
  readonly level?: number;
  /** The cells that were run; all unless told. */
  readonly family?: ArrayLike<number>;
}

export interface RatioIntervals {
  /** [cells] mean effect over mean gap; NaN outside the family, as are the bounds. */
  readonly estimate: Float64Array;
  readonly low: Float64Array;
  readonly high: Float64Array;
  /** The mean gap, in the units of the effects. */
  readonly gap: number;
  /** Share of the resamples whose mean gap is 0 or of the other sign: their ratio lies anywhere, and widens the interval on both sides. */
  readonly signLost: number;
}

/** How often each pair stands in each resample: [resamples, pairs], summing to `pairs` in each. */
export function drawCounts(pairs: number, resamples: number, random: Random): Float64Array {
  if (!Number.isInteger(resamples) || resamples < 1)
    throw new UserError('ratioIntervals: resamples', 'must be an integer of at least 1', resamples);
  const counts = new Float64Array(resamples * pairs);
  for (let r = 0; r < resamples; r++) for (let draw = 0; draw < pairs; draw++) counts[r * pairs + random.integer(pairs)]++;
  return counts;
}

/**
 * Percentile intervals of mean effect / mean gap. Resamples that lose the sign of the gap count as −∞ for the lower bound and as ∞ for the upper:
 * if there are more of them than the interval leaves out, it is unbounded, which is the truth about a ratio whose denominator may be 0.
 * @param gaps [pairs] of the same pairs @throws UserError for a mean gap of 0, with the number
 */
export function ratioIntervals(effects: PairEffects, gaps: ArrayLike<number>, options: RatioOptions): RatioIntervals {
  const { random, resamples = 2000, level = 0.95 } = options;
  checkEffects('ratioIntervals', effects);
  const { pairs, cells } = effects;
  const family = checkFamily('ratioIntervals', effects, options.family);
  if (pairs < 2) throw new UserError('ratioIntervals: pairs', 'must be at least 2', pairs);
  if (gaps.length !== pairs) throw new UserError('ratioIntervals: gaps', `must hold ${pairs} numbers`, gaps.length);
  if (!(level > 0 && level < 1)) throw new UserError('ratioIntervals: level', 'must be in (0, 1)', level);
  const gap = requireGap('ratioIntervals', gaps);

  const counts = drawCounts(pairs, resamples, random);
  const denominators = new Float64Array(resamples);
  let lost = 0;
  for (let r = 0; r < resamples; r++) {
    denominators[r] = weighted(counts, r, gaps);
    if (!(denominators[r] * gap > 0)) lost++;
  }
  const [estimate, low, high] = [0, 0, 0].map(() => new Float64Array(cells).fill(NaN));
  const ratios = new Float64Array(resamples - lost);
  for (const cell of family) {
    const column = cellEffects('ratioIntervals', effects, cell);
    estimate[cell] = column.reduce((sum, value) => sum + value, 0) / pairs / gap;
    for (let r = 0, at = 0; r < resamples; r++) if (denominators[r] * gap > 0) ratios[at++] = weighted(counts, r, column) / denominators[r];
    ratios.sort();
    low[cell] = quantileOf(ratios, lost, 0, (1 - level) / 2);
    high[cell] = quantileOf(ratios, 0, lost, (1 + level) / 2);
  }
  return { estimate, low, high, gap, signLost: lost / resamples };
}

/**
 * The mean gap between the members of the pairs, if it can be divided by.
 * @throws UserError for a mean of 0, or one that is rounding: less than 1e-12 of the mean |gap|
 */
export function requireGap(place: string, gaps: ArrayLike<number>): number {
  let sum = 0;
  let size = 0;
  for (let pair = 0; pair < gaps.length; pair++) {
    if (!Number.isFinite(gaps[pair])) throw new UserError(`${place}: gap of pair ${pair}`, 'must be finite', gaps[pair]);
    sum += gaps[pair];
    size += Math.abs(gaps[pair]);
  }
  const gap = sum / gaps.length;
  if (!(Math.abs(sum) > 1e-12 * size)) throw new UserError(`${place}: mean gap`, 'must not be 0, for it is divided by', gap);
  return gap;
}

/** Σ_i counts[r, i] · values[i], in the order of the pairs. */
function weighted(counts: Float64Array, r: number, values: ArrayLike<number>): number {
  const pairs = values.length;
  let sum = 0;
  for (let pair = 0, at = r * pairs; pair < pairs; pair++) sum += counts[at++] * values[pair];
  return sum;
}

/** The quantile of type 7, as in statistics.ts, of an ascending list with `below` times −∞ before it and `above` times ∞ behind. */
function quantileOf(ascending: Float64Array, below: number, above: number, p: number): number {
  const place = (below + ascending.length + above - 1) * p - below;
  const floor = Math.floor(place);
  const [low, high] = [floor, place > floor ? floor + 1 : floor];
  if (low < 0) return -Infinity;
  if (high >= ascending.length) return Infinity;
  return ascending[low] + (ascending[high] - ascending[low]) * (place - floor);
}
