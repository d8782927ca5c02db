/** Summaries of samples, held against closed forms, NumPy's documented values and the normal interval. */
import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { UserError } from './errors.ts';
import { Random } from './random.ts';
import { bootstrapInterval, mean, median, quantile, standardDeviation } from './statistics.ts';

const samples = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 2, maxLength: 40 });

describe('mean, standardDeviation, median', () => {
  it('are those of a sample worked by hand', () => {
    const values = [2, 4, 4, 4, 5, 5, 7, 9];
    expect(mean(values)).toBe(5);
    expect(standardDeviation(values)).toBeCloseTo(Math.sqrt(32 / 7), 14);
    expect(median(values)).toBe(4.5);
    expect(median([3, 1, 2])).toBe(2);
  });

  it('keeps its digits far from zero', () => {
    expect(standardDeviation([1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16])).toBeCloseTo(Math.sqrt(30), 12);
  });

  it('leaves the sample as it was and reads typed arrays', () => {
    const values = Float32Array.of(3, 1, 2);
    expect(median(values)).toBe(2);
    expect([...values]).toEqual([3, 1, 2]);
  });
});

describe('quantile', () => {
  it('is numpy.quantile([1, 2, 3, 4], p)', () => {
    expect([0, 0.1, 0.25, 0.5, 0.9, 1].map((p) => quantile([4, 2, 1, 3], p))).toEqual([1, 1.3, 1.75, 2.5, 3.7, 4]);
  });

  it('is ordered in p, within the sample, and turns over with it', () => {
    fc.assert(
      fc.property(samples, fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }), (values, p, q) => {
        const [low, high] = [quantile(values, Math.min(p, q)), quantile(values, Math.max(p, q))];
        const slack = 1e-9 * (Math.max(...values) - Math.min(...values)); // one rounding of the interpolation
        expect(low).toBeLessThanOrEqual(high + slack);
        expect(low).toBeGreaterThanOrEqual(Math.min(...values) - slack);
        expect(high).toBeLessThanOrEqual(Math.max(...values) + slack);
        const turned = -quantile(
          values.map((value) => -value),
          1 - p,
        );
        expect(Math.abs(turned - quantile(values, p))).toBeLessThanOrEqual(1e-9 + slack);
      }),
    );
  });
});

describe('bootstrapInterval', () => {
  it('agrees with the normal interval of a large sample and repeats itself', () => {
    const random = new Random(3);
    const values = Float64Array.from({ length: 400 }, () => 10 + 2 * random.normal());
    const interval = bootstrapInterval(values, { random: random.fork('bootstrap'), resamples: 4000 });
    const half = (1.96 * standardDeviation(values)) / 20;
    expect(interval.estimate).toBe(mean(values));
    // A bound is a quantile of 4000 draws: 10 % of the half-width is about four of its standard errors.
    expect(Math.abs(interval.high - (interval.estimate + half))).toBeLessThan(0.1 * half);
    expect(Math.abs(interval.low - (interval.estimate - half))).toBeLessThan(0.1 * half);
    expect(bootstrapInterval(values, { random: random.fork('bootstrap'), resamples: 4000 })).toEqual(interval);
  });

  it('is wider at a higher level, and a point where all values are one', () => {
    const at = (level: number, values = [1, 2, 3, 4, 5]) => bootstrapInterval(values, { random: new Random(1), level });
    expect(at(0.99).high - at(0.99).low).toBeGreaterThan(at(0.5).high - at(0.5).low);
    expect(at(0.95, [7, 7, 7])).toEqual({ estimate: 7, low: 7, high: 7 });
  });

  it('has the exact bounds of a sample of two', () => {
    // Means are 0, ½, 1 with p = ¼, ½, ¼.
    expect(bootstrapInterval([0, 1], { random: new Random(1), level: 0.95 })).toEqual({ estimate: 0.5, low: 0, high: 1 });
    expect(bootstrapInterval([0, 1], { random: new Random(1), level: 0.4 })).toEqual({ estimate: 0.5, low: 0.5, high: 0.5 });
  });
});

describe('bad samples and options', () => {
  const random = new Random(0);
  it.each([
    ['mean: values must hold at least 1, got 0', () => mean([])],
    ['median: values must hold at least 1, got 0', () => median([])],
    ['standardDeviation: values must hold at least 2, got 1', () => standardDeviation([1])],
    ['mean: values[1] must be finite, got NaN', () => mean([1, NaN])],
    ['quantile: values[0] must be finite, got Infinity', () => quantile([Infinity], 0.5)],
    ['quantile: p must be in [0, 1], got 1.5', () => quantile([1], 1.5)],
    ['quantile: p must be in [0, 1], got NaN', () => quantile([1], NaN)],
    ['bootstrapInterval: values must hold at least 2, got 1', () => bootstrapInterval([1], { random })],
    ['bootstrapInterval: resamples must be an integer of at least 1, got 0', () => bootstrapInterval([1, 2], { random, resamples: 0 })],
    ['bootstrapInterval: level must be in (0, 1), got 95', () => bootstrapInterval([1, 2], { random, level: 95 })],
  ])('%s', (message, call) => {
    expect(call).toThrow(UserError);
    expect(call).toThrow(message);
  });
});
