/** Ratio intervals, rank stability and detectable effects: closed forms, plain recomputation, and how often they hold when simulated. */
import { describe, expect, it } from 'vitest';
import { UserError } from '../errors.ts';
import { Random } from '../random.ts';
import { normalQuantile } from '../special.ts';
import { quantile, standardDeviation } from '../statistics.ts';
import { detectableEffect } from './detectableEffect.ts';
import type { PairEffects } from './pairEffects.ts';
import { rankStability } from './rankStability.ts';
import { drawCounts, ratioIntervals } from './ratioInterval.ts';
import { criticalEffect, signFlipMaxT } from './signFlip.ts';

describe('ratioIntervals', () => {
  it('is a point where every effect is the same share of its gap: the gap is drawn with the same pairs', () => {
    const gaps = Float64Array.from({ length: 30 }, (_, i) => 1 + i * i);
    const found = ratioIntervals({ data: gaps.map((gap) => 0.75 * gap), pairs: 30, cells: 1 }, gaps, { random: new Random(1) });
    for (const value of [found.estimate[0], found.low[0], found.high[0]]) expect(value).toBeCloseTo(0.75, 13);
    expect(found.signLost).toBe(0);
    expect(found.gap).toBe(gaps.reduce((a, b) => a + b) / 30);
  });

  it('has the bounds of a plain bootstrap with the same draws', () => {
    const random = new Random(4);
    const [pairs, cells] = [25, 3];
    const data = Float64Array.from({ length: pairs * cells }, () => 1 + random.normal());
    const gaps = Float64Array.from({ length: pairs }, () => 4 + random.normal());
    const found = ratioIntervals({ data, pairs, cells }, gaps, { random: new Random(9), resamples: 400, level: 0.9 });
    const counts = drawCounts(pairs, 400, new Random(9));
    for (let cell = 0; cell < cells; cell++) {
      const ratios = Array.from({ length: 400 }, (_, r) => {
        let [top, bottom] = [0, 0];
        for (let pair = 0; pair < pairs; pair++)
          for (let time = 0; time < counts[r * pairs + pair]; time++) {
            top += data[pair * cells + cell];
            bottom += gaps[pair];
          }
        return top / bottom;
      });
      expect(found.low[cell]).toBeCloseTo(quantile(ratios, 0.05), 12);
      expect(found.high[cell]).toBeCloseTo(quantile(ratios, 0.95), 12);
    }
  });

  it('holds the true ratio about as often as it says', () => {
    let held = 0;
    for (let run = 0; run < 300; run++) {
      const random = new Random(run);
      const gaps = Float64Array.from({ length: 60 }, () => 2 + random.normal());
      // Effects follow the gap, with noise of their own: the true ratio is 0.5.
      const data = gaps.map((gap) => 0.5 * gap + 0.5 * random.normal());
      const { low, high } = ratioIntervals({ data, pairs: 60, cells: 1 }, gaps, { random: random.fork('draws'), resamples: 400 });
      held += Number(low[0] <= 0.5 && high[0] >= 0.5);
    }
    // 95 % less what a percentile interval of 60 pairs lacks; three standard errors of 300 runs are 3.8 points.
    expect(held / 300).toBeGreaterThan(0.9);
    expect(held / 300).toBeLessThan(0.985);
  });

  it('is unbounded where the gap may have either sign, and says how often it lost it', () => {
    const random = new Random(2);
    const gaps = Float64Array.from({ length: 10 }, (_, i) => (i % 2 ? 1.2 : -1));
    const found = ratioIntervals({ data: gaps.map(() => 1 + random.normal()), pairs: 10, cells: 1 }, gaps, { random });
    expect(found.signLost).toBeGreaterThan(0.2);
    expect([found.low[0], found.high[0]]).toEqual([-Infinity, Infinity]);
    expect(found.estimate[0]).toBeGreaterThan(0);
  });

  it('leaves cells outside the family alone', () => {
    const effects = { data: Float64Array.of(1, NaN, 2, NaN), pairs: 2, cells: 2 };
    const { estimate, low, high } = ratioIntervals(effects, [2, 4], { random: new Random(0), family: [0] });
    expect([...estimate]).toEqual([0.5, NaN]);
    expect([low[1], high[1]]).toEqual([NaN, NaN]);
  });

  const effects = { data: Float64Array.of(1, 2), pairs: 2, cells: 1 };
  const random = new Random(0);
  it.each([
    ['ratioIntervals: mean gap must not be 0, for it is divided by, got 0', () => ratioIntervals(effects, [1, -1], { random })],
    ['ratioIntervals: mean gap must not be 0, for it is divided by, got 0', () => ratioIntervals(effects, [0, 0], { random })],
    ['ratioIntervals: gap of pair 1 must be finite, got NaN', () => ratioIntervals(effects, [1, NaN], { random })],
    ['ratioIntervals: gaps must hold 2 numbers, got 1', () => ratioIntervals(effects, [1], { random })],
    ['ratioIntervals: level must be in (0, 1), got 95', () => ratioIntervals(effects, [1, 1], { random, level: 95 })],
    [
      'ratioIntervals: pairs must be at least 2, got 1',
      () => ratioIntervals({ data: Float64Array.of(1), pairs: 1, cells: 1 }, [1], { random }),
    ],
  ])('%s', (message, call) => {
    expect(call).toThrow(UserError);
    expect(call).toThrow(message);
  });
});

describe('rankStability', () => {
  it('is whole where every pair says the same', () => {
    const data = Float64Array.from({ length: 20 * 5 }, (_, i) => [1, 5, -7, 3, 5][i % 5]);
    const at = { random: new Random(1), sizes: [2, 20], top: 2, draws: 50 };
    const found = rankStability({ data, pairs: 20, cells: 5 }, at);
    expect([...found.ranking]).toEqual([1, 4]); // ties go to the lower index
    expect([...found.jaccard, ...found.low, ...found.winnerChanges]).toEqual([1, 1, 1, 1, 0, 0]);
    expect([...rankStability({ data, pairs: 20, cells: 5 }, { ...at, by: 'magnitude' }).ranking]).toEqual([2, 1]);
    expect([...rankStability({ data, pairs: 20, cells: 5 }, { ...at, family: [3, 0] }).ranking]).toEqual([3, 0]);
  });

  it('has closed forms for two cells and draws of one pair', () => {
    // Cell 0 is larger in 3 of 10 pairs, but by enough to be first on the whole: one pair picks cell 1 in 7 of 10 draws.
    const data = Float64Array.from({ length: 20 }, (_, i) => (i % 2 ? 1 : i < 6 ? 100 : 0));
    const { ranking, winnerChanges, jaccard } = rankStability(
      { data, pairs: 10, cells: 2 },
      { random: new Random(5), sizes: [1, 2], top: 1, draws: 4000 },
    );
    expect([...ranking]).toEqual([0]);
    // 0.7 and 0.7²; four standard errors of 4000 draws.
    for (const [i, share] of [0.7, 0.49].entries()) {
      expect(Math.abs(winnerChanges[i] - share)).toBeLessThan(4 * Math.sqrt(0.25 / 4000));
      expect(jaccard[i]).toBeCloseTo(1 - winnerChanges[i], 12);
    }
  });

  it('rises with the pairs drawn, a point not depending on the others asked for', () => {
    const random = new Random(7);
    const data = Float64Array.from({ length: 120 * 30 }, (_, i) => (i % 30) / 30 + random.normal());
    const at = (sizes: number[]) => rankStability({ data, pairs: 120, cells: 30 }, { random: new Random(1), sizes, top: 5, draws: 200 });
    const { jaccard, low, high } = at([4, 16, 120]);
    expect(jaccard[0]).toBeLessThan(jaccard[1]);
    expect(jaccard[1]).toBeLessThan(jaccard[2]);
    jaccard.forEach((value, i) => expect(low[i] <= value && value <= high[i]).toBe(true));
    expect(at([16]).jaccard[0]).toBe(jaccard[1]);
  });

  it.each([
    ['rankStability: top must be an integer in [1, 2], got 3', { sizes: [1], top: 3 }],
    ['rankStability: sizes[1] must be an integer in [1, 2], got 3', { sizes: [1, 3], top: 1 }],
    ['rankStability: draws must be an integer in [1, 1000000000], got 0', { sizes: [1], top: 1, draws: 0 }],
  ])('%s', (message, options) => {
    const effects: PairEffects = { data: Float64Array.of(1, 2, 3, 4), pairs: 2, cells: 2 };
    const call = () => rankStability(effects, { random: new Random(0), ...options });
    expect(call).toThrow(UserError);
    expect(call).toThrow(message);
  });
});

describe('detectableEffect', () => {
  it('is the textbook (1.960 + 0.842) σ/√n for one cell, and grows with the family', () => {
    expect(detectableEffect({ deviation: 2, pairs: 100, family: 1 })).toBeCloseTo(0.2 * (1.959964 + 0.841621), 6);
    // Šidák for two: 1 − 0.95^{1/2} = 0.0253206.
    const two = detectableEffect({ deviation: 1, pairs: 25, family: 2 });
    expect(two).toBeCloseTo((-normalQuantile(0.0253206 / 2) + normalQuantile(0.8)) / 5, 6);
    expect(detectableEffect({ deviation: 1, pairs: 25, family: 1000 })).toBeGreaterThan(two);
    expect(detectableEffect({ deviation: 0, pairs: 25, family: 3 })).toBe(0);
  });

  it('takes the critical size of a test that was made, on other pairs too', () => {
    const given = { deviation: 3, pairs: 400, family: { critical: 1, pairs: 100 } };
    expect(detectableEffect({ ...given, power: 0.5 })).toBeCloseTo(0.5, 12);
    expect(detectableEffect(given)).toBeCloseTo(0.5 + (0.8416212 * 3) / 20, 7);
  });

  it('is found in four screens of five: simulated with the corrected test', () => {
    const [pairs, cells, runs] = [60, 8, 400];
    const random = new Random(23);
    const size = detectableEffect({ deviation: 1, pairs, family: cells });
    let found = 0;
    let foundByCritical = 0;
    for (let run = 0; run < runs; run++) {
      const data = Float64Array.from({ length: pairs * cells }, (_, i) => (i % cells === 0 ? size : 0) + random.normal());
      const test = signFlipMaxT({ data, pairs, cells }, { random: random.fork(run), permutations: 400 });
      found += Number(test.pValues[0] <= 0.05);
      foundByCritical += Number(Math.abs(test.statistics[0]) > criticalEffect(test, 0.05));
    }
    // Three standard errors of 400 runs are 6 points.
    expect(Math.abs(found / runs - 0.8)).toBeLessThan(0.06);
    expect(foundByCritical).toBe(found);
    const column = Float64Array.from({ length: 1000 }, () => random.normal());
    expect(standardDeviation(column)).toBeCloseTo(1, 1);
  });

  it.each([
    ['detectableEffect: deviation must be finite and at least 0, got -1', { deviation: -1, pairs: 10, family: 1 }],
    ['detectableEffect: pairs must be an integer of at least 2, got 1', { deviation: 1, pairs: 1, family: 1 }],
    ['detectableEffect: family must be an integer of at least 1, got 0', { deviation: 1, pairs: 10, family: 0 }],
    ['detectableEffect: power must be in [0.5, 1), got 1', { deviation: 1, pairs: 10, family: 1, power: 1 }],
    ['detectableEffect: level must be in (0, 1), got 0', { deviation: 1, pairs: 10, family: 1, level: 0 }],
    ['detectableEffect: family.critical must be at least 0, got NaN', { deviation: 1, pairs: 10, family: { critical: NaN, pairs: 5 } }],
  ])('%s', (message, options) => {
    expect(() => detectableEffect(options)).toThrow(UserError);
    expect(() => detectableEffect(options)).toThrow(message);
  });
});
