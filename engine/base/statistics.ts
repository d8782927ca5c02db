/**
 * Summaries of a sample: mean, standard deviation, quantiles, and a bootstrap interval of the mean.
 *
 * A sample is any array of finite numbers; none is changed. Tests of hypotheses and metrics of models are left to the analyses.
 */
import { UserError } from './errors.ts';
import type { Random } from './random.ts';

/** An estimate and the bounds of its interval, in the units of the sample. */
export type Interval = { estimate: number; low: number; high: number };

/** The arithmetic mean. @throws UserError for an empty sample or a value that is not finite (so do all below) */
export function mean(values: ArrayLike<number>): number {
  return average(checked('mean', values, 1));
}

/** The sample standard deviation, with n - 1 in the denominator, in two passes. Needs two values. */
export function standardDeviation(values: ArrayLike<number>): number {
  const sample = checked('standardDeviation', values, 2);
  const centre = average(sample);
  let squares = 0;
  for (let i = 0; i < sample.length; i++) squares += (sample[i] - centre) ** 2;
  return Math.sqrt(squares / (sample.length - 1));
}

/** The middle value, or the mean of the middle two. */
export function median(values: ArrayLike<number>): number {
  return sortedQuantile(sorted(checked('median', values, 1)), 0.5);
}

/**
 * The value below which the fraction `p` of the sample lies, interpolated linearly at (n - 1)·p: type 7 of R. Hyndman and Y. Fan
 * (The American Statistician 50, 1996), the default of NumPy and R. @param p in [0, 1]
 */
export function quantile(values: ArrayLike<number>, p: number): number {
  if (!(p >= 0 && p <= 1)) throw new UserError('quantile: p', 'must be in [0, 1]', p);
  return sortedQuantile(sorted(checked('quantile', values, 1)), p);
}

/**
 * A percentile bootstrap interval of the mean (B. Efron and R. Tibshirani, An Introduction to the Bootstrap, 1993, §13.3): the quantiles
 * (1 ∓ level)/2 of the means of `resamples` samples drawn with replacement. Reads from `random`. With few values it is too narrow.
 * @param options.resamples an integer ≥ 1, 10 000 unless told @param options.level in (0, 1), 0.95 unless told
 */
export function bootstrapInterval(values: ArrayLike<number>, options: { random: Random; resamples?: number; level?: number }): Interval {
  const { random, resamples = 10_000, level = 0.95 } = options;
  const sample = checked('bootstrapInterval', values, 2);
  if (!Number.isInteger(resamples) || resamples < 1)
    throw new UserError('bootstrapInterval: resamples', 'must be an integer of at least 1', resamples);
  if (!(level > 0 && level < 1)) throw new UserError('bootstrapInterval: level', 'must be in (0, 1)', level);
  const means = new Float64Array(resamples);
  for (let resample = 0; resample < resamples; resample++) {
    let sum = 0;
    for (let i = 0; i < sample.length; i++) sum += sample[random.integer(sample.length)];
    means[resample] = sum / sample.length;
  }
  means.sort();
  return { estimate: average(sample), low: sortedQuantile(means, (1 - level) / 2), high: sortedQuantile(means, (1 + level) / 2) };
}

function average(sample: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < sample.length; i++) sum += sample[i];
  return sum / sample.length;
}

function sorted(sample: ArrayLike<number>): Float64Array {
  return Float64Array.from(sample).sort();
}

function sortedQuantile(ordered: Float64Array, p: number): number {
  const place = (ordered.length - 1) * p;
  const below = Math.floor(place);
  const low = ordered[below];
  const high = ordered[Math.min(below + 1, ordered.length - 1)];
  return low + (high - low) * (place - below);
}

function checked(name: string, values: ArrayLike<number>, least: number): ArrayLike<number> {
  if (values.length < least) throw new UserError(`${name}: values`, `must hold at least ${least}`, values.length);
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) throw new UserError(`${name}: values[${i}]`, 'must be finite', values[i]);
  }
  return values;
}
