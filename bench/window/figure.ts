/** What is said of a series of measured times: their middle, their interval, their tail; and of a series over time its slope. Pure. */
import { random } from '../random.ts';
import { median, quantile, type Interval } from '../statistics.ts';

export interface Summary {
  readonly n: number;
  readonly median: number;
  /** 95th percentile, with its interval. */
  readonly p95: Interval;
  /** 95 % interval of the median. */
  readonly lo: number;
  readonly hi: number;
  /** What the program can do where nobody else wants the machine. */
  readonly best: number;
  readonly worst: number;
}

/** Percentile bootstrap (Efron 1979) of a quantile, as statistics.ts has it of the median. */
export function quantileInterval(values: readonly number[], probability: number, resamples = 2000): Interval {
  const numbers = random(1);
  const of = (some: readonly number[]): number =>
    quantile(
      some.toSorted((a, b) => a - b),
      probability,
    );
  const found = Array.from({ length: resamples }, () => of(values.map(() => values[numbers.integer(values.length)])));
  found.sort((a, b) => a - b);
  return { estimate: of(values), lo: quantile(found, 0.025), hi: quantile(found, 0.975) };
}

export function summary(values: readonly number[]): Summary {
  const { lo, hi } = quantileInterval(values, 0.5);
  return {
    n: values.length,
    median: median(values),
    lo,
    hi,
    p95: quantileInterval(values, 0.95),
    best: Math.min(...values),
    worst: Math.max(...values),
  };
}

/** The line of least squares through points. */
export function lineThrough(x: readonly number[], y: readonly number[]): { readonly slope: number; readonly at0: number } {
  if (x.length < 2 || x.length !== y.length)
    throw new RangeError(`lineThrough: x and y must be of one length above 1, got ${x.length}, ${y.length}`);
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [middleX, middleY] = [mean(x), mean(y)];
  const squares = x.reduce((sum, value) => sum + (value - middleX) ** 2, 0);
  const products = x.reduce((sum, value, i) => sum + (value - middleX) * (y[i] - middleY), 0);
  const slope = products / squares;
  return { slope, at0: middleY - slope * middleX };
}

/** A result of the bench: printed as a line, or as JSON. */
export interface Figure {
  readonly name: string;
  /** What was measured, on what: everything that is needed to read the numbers. */
  readonly what: string;
  readonly unit: 'ms' | 'MiB' | 'count';
  readonly values: Readonly<Record<string, number>>;
  /** What it must not exceed, and which of the values is held to it. */
  readonly aim?: { readonly value: string; readonly most: number };
  /** The reader's own numbers. */
  readonly raw?: Readonly<Record<string, readonly number[]>>;
}

/** The values of a summary under names of their own. */
export const named = (prefix: string, { n, median: middle, lo, hi, p95, best, worst }: Summary): Record<string, number> =>
  Object.fromEntries(
    Object.entries({ n, median: middle, lo, hi, p95: p95.estimate, p95Lo: p95.lo, p95Hi: p95.hi, best, worst }).map(([key, value]) => [
      prefix === '' ? key : `${prefix}.${key}`,
      value,
    ]),
  );

export function textOf({ name, what, unit, values, aim }: Figure): string {
  const numbers = Object.entries(values).map(([key, value]) => `  ${key} ${short(value)}`);
  const held = aim ? `  aim: ${aim.value} ≤ ${aim.most}: ${values[aim.value] <= aim.most ? 'met' : 'MISSED'}` : '';
  return [`${name} (${unit}): ${what}`, ...numbers, ...(held ? [held] : [])].join('\n');
}

const short = (value: number): string =>
  Number.isInteger(value) ? String(value) : Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
