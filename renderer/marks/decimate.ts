/**
 * Curves of any length as at most four points for each pixel column: first, least, greatest and last of it ("M4": Jugel et al. 2014), which
 * draws the same pixels as all of them would.
 */
import { extremesOf } from './extremes.ts';

export interface Points {
  /** Pixels. */
  readonly x: Float64Array;
  /** Values, as they came. */
  readonly y: Float64Array;
  readonly length: number;
}

type Numbers = ArrayLike<number>;

/**
 * @param at rising @param values as many
 * @param domain of x that is in sight, drawn from `range[0]` to `range[1]` pixels; one point more at each side, so that lines go on
 */
export function decimated(at: Numbers, values: Numbers, domain: readonly [number, number], range: readonly [number, number]): Points {
  const n = at.length;
  const begin = Math.max(0, firstAtLeast(at, domain[0], 0, n) - 1);
  const end = Math.min(n, indexAt(at, domain[1]) + 2);
  const slope = (range[1] - range[0]) / (domain[1] - domain[0]);
  const columns = Math.max(1, Math.ceil(Math.abs(range[1] - range[0])));
  if (end - begin <= 4 * columns) return all(at, values, begin, end, domain[0], range[0], slope);

  const x = new Float64Array(4 * (columns + 2));
  const y = new Float64Array(x.length);
  let length = 0;
  const put = (i: number): void => {
    x[length] = range[0] + (at[i] - domain[0]) * slope;
    y[length++] = values[i];
  };
  const columnOf = (i: number): number => Math.floor(range[0] + (at[i] - domain[0]) * slope);
  const extremes = extremesOf(values);
  // Of most curves all; where it is not, the search finds what this would have guessed.
  const spacing = at[1] - at[0];
  let i = begin;
  while (i < end) {
    const column = columnOf(i);
    // Where the next column begins, but for rounding.
    const border = domain[0] + (column + 1 - range[0]) / slope;
    let next = Math.min(end, Math.max(i + 1, Math.ceil((border - at[0]) / spacing)));
    if (at[next - 1] >= border || (next < end && at[next] < border)) next = firstAtLeast(at, border, i + 1, end);
    while (next < end && columnOf(next) === column) next++;
    while (next - 1 > i && columnOf(next - 1) !== column) next--;
    extremes.find(i, next);
    const { least, most } = extremes;
    const [earlier, later] = least < most ? [least, most] : [most, least];
    put(i);
    if (earlier > i) put(earlier);
    if (later > earlier && later > i) put(later);
    if (next - 1 > later) put(next - 1);
    i = next;
  }
  return { x: x.subarray(0, length), y: y.subarray(0, length), length };
}

function all(at: Numbers, values: Numbers, begin: number, end: number, from: number, left: number, slope: number): Points {
  const length = Math.max(0, end - begin);
  const [x, y] = [new Float64Array(length), new Float64Array(length)];
  for (let i = 0; i < length; i++) {
    x[i] = left + (at[begin + i] - from) * slope;
    y[i] = values[begin + i];
  }
  return { x, y, length };
}

/** Mean over a window of `size` points around each, smaller at the ends. */
export function smoothed(values: Numbers, size: number): Float64Array {
  const n = values.length;
  const half = Math.max(0, Math.floor(size / 2));
  const result = new Float64Array(n);
  let [sum, count, low, high] = [0, 0, 0, 0];
  for (let i = 0; i < n; i++) {
    for (; high < n && high <= i + half; high++) {
      sum += values[high];
      count++;
    }
    for (; low < i - half; low++) {
      sum -= values[low];
      count--;
    }
    result[i] = sum / count;
  }
  return result;
}

/** Index of the point at or before `x`, or -1. @param at rising */
export function indexAt(at: Numbers, x: number): number {
  const next = firstAtLeast(at, x, 0, at.length);
  return next < at.length && at[next] === x ? next : next - 1;
}

/** Of rising numbers, the first that is not below, from `low` on; `high` if all are. */
export function firstAtLeast(at: Numbers, x: number, low: number, high: number): number {
  while (low < high) {
    const middle = (low + high) >> 1;
    if (at[middle] < x) low = middle + 1;
    else high = middle;
  }
  return low;
}
