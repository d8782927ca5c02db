/** Ticks and their words: few, round, and no digit more than tells them apart. */
import { ticks as roundTicks, type ScaleContinuousNumeric } from 'd3';
import { decimal, effect, whole } from '../words/numbers.ts';

export type Scale = ScaleContinuousNumeric<number, number>;

/** 3 to 5 where they fit; of a logarithmic scale powers, or 1, 2, 5 times them. */
export function fewTicks(scale: Scale, most = 5): number[] {
  const [low, high] = [...scale.domain()].sort((a, b) => a - b);
  if (!(high > low)) return [low];
  if ('base' in scale) return logTicks(low, high, most);
  for (let n = most; n > 1; n--) {
    const found = roundTicks(low, high, n);
    if (found.length <= most) return found;
  }
  return roundTicks(low, high, 1);
}

function logTicks(low: number, high: number, most: number): number[] {
  const from = Math.floor(Math.log10(low));
  const to = Math.ceil(Math.log10(high));
  const within = (factors: readonly number[]): number[] =>
    Array.from({ length: to - from + 1 }, (_entry, i) => factors.map((factor) => Number((factor * 10 ** (from + i)).toPrecision(2))))
      .flat()
      .filter((value) => value >= low * 0.999 && value <= high * 1.001);
  const candidates = [[1, 2, 5], [1, 3], [1]].map(within).filter(({ length }) => length <= most);
  const best = candidates.find(({ length }) => length >= 2) ?? candidates[0] ?? within([1]);
  const every = Math.ceil(best.length / most);
  return best.filter((_value, i) => i % every === 0);
}

/** Digits after the point that tell these values apart. */
export function digitsOf(values: readonly number[]): number {
  for (let digits = 0; digits < 8; digits++)
    if (values.every((value) => Math.abs(value - Number(value.toFixed(digits))) < 1e-9 * Math.max(1, Math.abs(value)))) return digits;
  return 8;
}

/** As axes write their ticks: `.5`, `1 000`; zero is always `0`. */
export function tickWords(ticks: readonly number[]): (value: number) => string {
  const small = ticks.every((value) => Math.abs(value) <= 1);
  // Of a logarithmic axis each tick has digits of its own.
  const shared = spansDecades(ticks) ? undefined : digitsOf(ticks);
  return (value) => {
    if (value === 0) return '0';
    const digits = shared ?? digitsOf([value]);
    if (digits === 0) return whole(value);
    return small ? effect(value, digits) : decimal(value, digits);
  };
}

const spansDecades = (ticks: readonly number[]): boolean => {
  const positive = ticks.filter((value) => value > 0);
  return positive.length > 1 && Math.max(...positive) / Math.min(...positive) >= 30;
};
