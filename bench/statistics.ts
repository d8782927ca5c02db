/** What a comparison says in the end: medians, and a bootstrap interval of the median ratio. Pure; randomness is seeded. */
import { random } from './random.ts';

export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('median: values must not be empty, got []');
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

export interface Interval {
  /** Median of the values themselves. */
  estimate: number;
  lo: number;
  hi: number;
}

/**
 * Percentile bootstrap of the median (Efron 1979): resample the values with replacement, take each resample's median, and report the
 * 2.5 % and 97.5 % quantiles of those. The values are the ratios of round *pairs*, so a slow spell of the machine that covers a pair
 * falls on both of its sides. One value gives an interval of width zero: the caller says how many rounds there were.
 */
export function medianInterval(values: readonly number[], options: { seed?: number; resamples?: number; level?: number } = {}): Interval {
  const { seed = 1, resamples = 4000, level = 0.95 } = options;
  const numbers = random(seed);
  const medians = Array.from({ length: resamples }, () => median(values.map(() => values[numbers.integer(values.length)])));
  medians.sort((a, b) => a - b);
  const tail = (1 - level) / 2;
  return { estimate: median(values), lo: quantile(medians, tail), hi: quantile(medians, 1 - tail) };
}

/** Linear between order statistics (type 7 of Hyndman and Fan 1996), of values already sorted. */
export function quantile(sorted: readonly number[], probability: number): number {
  const place = (sorted.length - 1) * probability;
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (place - below);
}

export interface Deviation {
  /** Largest |a − b| in units of the scale at that place. */
  worst: number;
  at: number;
  ours: number;
  rival: number;
}

/** Where two series differ most, each difference divided by `scale(index)`; NaN anywhere counts as infinitely far. */
export function worstDeviation(ours: readonly number[], rival: readonly number[], scale: (index: number) => number): Deviation {
  let worst: Deviation = { worst: 0, at: 0, ours: ours[0], rival: rival[0] };
  for (let index = 0; index < Math.max(ours.length, rival.length); index++) {
    const difference = Math.abs(ours[index] - rival[index]) / scale(index);
    const far = Number.isNaN(difference) ? Infinity : difference;
    if (far > worst.worst) worst = { worst: far, at: index, ours: ours[index], rival: rival[index] };
  }
  return worst;
}
