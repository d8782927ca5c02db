import { describe, expect, it } from 'vitest';
import { random } from './random.ts';
import { median, medianInterval, quantile, worstDeviation } from './statistics.ts';

describe('median', () => {
  it('is the middle, or the mean of the two middles, in any order', () => {
    expect([median([3]), median([9, 1, 5]), median([4, 1, 3, 2])]).toEqual([3, 5, 2.5]);
  });
  it('refuses to be asked about nothing', () => {
    expect(() => median([])).toThrow('values must not be empty');
  });
});

describe('quantile', () => {
  it('runs linearly between order statistics', () => {
    expect([0, 0.25, 0.5, 0.9, 1].map((p) => quantile([10, 20, 30, 40, 50], p))).toEqual([10, 20, 30, 46, 50]);
  });
});

describe('medianInterval', () => {
  it('gives the same interval for the same seed, around the median', () => {
    const values = [1.31, 1.4, 1.52, 1.38, 1.44, 1.29, 1.61];
    const interval = medianInterval(values);
    expect(medianInterval(values)).toEqual(interval);
    expect(interval.estimate).toBe(1.4);
    expect(interval.lo).toBeLessThan(1.4);
    expect(interval.hi).toBeGreaterThan(1.4);
  });
  it('has no width where there is nothing to doubt', () => {
    expect(medianInterval([2, 2, 2, 2])).toEqual({ estimate: 2, lo: 2, hi: 2 });
  });
  it('matches the exact bootstrap distribution of three values', () => {
    // P(median of 3 resamples = smallest) = P(at least two of three are the smallest) = 3·(1/9)·(2/3) + 1/27 = 7/27 ≈ 0.26: both tails lie on the ends.
    expect(medianInterval([1, 2, 3])).toEqual({ estimate: 2, lo: 1, hi: 3 });
    // At a level of 20 % the tails (0.4) are wider than 7/27, so the interval shrinks to the middle value.
    expect(medianInterval([1, 2, 3], { level: 0.2 })).toEqual({ estimate: 2, lo: 2, hi: 2 });
  });
  it('covers the true median of normal samples about 95 % of the time', () => {
    const numbers = random(7);
    let covered = 0;
    const samples = 300;
    for (let sample = 0; sample < samples; sample++) {
      const { lo, hi } = medianInterval(
        Array.from({ length: 21 }, () => 1.5 + 0.1 * numbers.normal()),
        { seed: sample, resamples: 400 },
      );
      if (lo <= 1.5 && 1.5 <= hi) covered++;
    }
    // The percentile bootstrap of a median is known to be near, not at, its level for 21 values.
    expect(covered / samples).toBeGreaterThan(0.89);
    expect(covered / samples).toBeLessThan(0.995);
  });
});

describe('worstDeviation', () => {
  it('names the place and both numbers', () => {
    expect(worstDeviation([1, 2, 3], [1, 2.5, 3.1], (index) => index + 1)).toEqual({ worst: 0.25, at: 1, ours: 2, rival: 2.5 });
  });
  it('takes NaN and a missing value as infinitely far', () => {
    expect(worstDeviation([1, NaN], [1, 2], () => 1).worst).toBe(Infinity);
    expect(worstDeviation([1], [1, 2], () => 1).worst).toBe(Infinity);
  });
});

describe('random', () => {
  it('is seeded, in range, and of the moments it claims', () => {
    const draw = (seed: number): number[] =>
      Array.from(
        { length: 5 },
        (
          (numbers) => () =>
            numbers.next()
        )(random(seed)),
      );
    expect(draw(3)).toEqual(draw(3));
    expect(draw(3)).not.toEqual(draw(4));
    const numbers = random(11);
    const count = 20_000;
    let [sum, squares, low, high] = [0, 0, 9, -1];
    for (let i = 0; i < count; i++) {
      const value = numbers.normal();
      sum += value;
      squares += value * value;
      const integer = numbers.integer(9);
      low = Math.min(low, integer);
      high = Math.max(high, integer);
    }
    expect(Math.abs(sum / count)).toBeLessThan(4 / Math.sqrt(count)); // 4 standard errors
    expect(Math.abs(squares / count - 1)).toBeLessThan(4 * Math.sqrt(2 / count));
    expect([low, high]).toEqual([0, 8]);
  });
});
