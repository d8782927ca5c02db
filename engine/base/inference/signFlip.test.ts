/** The sign-flip max-T test against a direct sum, all relabellings one by one, and what its p-values must do when nothing is there. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../errors.ts';
import { Random } from '../random.ts';
import type { PairEffects } from './pairEffects.ts';
import { criticalEffect, signFlipMaxT, signFlipSteps } from './signFlip.ts';
import { drawSigns, everySign, type Signs } from './signs.ts';

function normals(seed: number, pairs: number, cells: number): PairEffects & { data: Float64Array } {
  const random = new Random(seed);
  return { data: Float64Array.from({ length: pairs * cells }, () => random.normal()), pairs, cells };
}

const minus = ({ bytes, count }: Signs, b: number, pair: number) => (bytes[Math.floor(pair / 8) * count + b] >> (pair % 8)) & 1;

/** Cell by cell and relabelling by relabelling; eights of pairs are summed first, as documented, so that bits can be compared. */
function directly({ data, pairs, cells }: PairEffects, signs: Signs) {
  const sumOf = (cell: number, b?: number) => {
    let sum = 0;
    for (let begin = 0; begin < pairs; begin += 8) {
      let part = 0;
      for (let pair = begin; pair < Math.min(pairs, begin + 8); pair++)
        part += (b !== undefined && minus(signs, b, pair) ? -1 : 1) * data[pair * cells + cell];
      sum += part;
    }
    return sum;
  };
  const maxima = Float64Array.from({ length: signs.count }, (_, b) => {
    let largest = 0;
    for (let cell = 0; cell < cells; cell++) largest = Math.max(largest, Math.abs(sumOf(cell, b)));
    return largest / pairs;
  });
  const statistics = Float64Array.from({ length: cells }, (_, cell) => sumOf(cell) / pairs);
  const pValues = statistics.map((value) => (1 + maxima.filter((one) => one >= Math.abs(value)).length) / (signs.count + 1));
  return { statistics, pValues, maxima: maxima.sort() };
}

describe('tabulated and blocked sums', () => {
  it.each([
    [1, 1],
    [7, 3],
    [8, 32],
    [9, 33],
    [40, 70],
  ])('are those of a direct sum bit for bit: %i pairs, %i cells', (pairs, cells) => {
    const effects = normals(11, pairs, cells);
    const { statistics, pValues, maxima } = signFlipMaxT(effects, { random: new Random(5), permutations: 300 });
    const direct = directly(effects, drawSigns(pairs, 300, new Random(5)));
    expect(maxima).toEqual(direct.maxima);
    expect(statistics).toEqual(direct.statistics);
    expect(pValues).toEqual(direct.pValues);
  });

  it('read either order of the axes, and float32', () => {
    const { data, pairs, cells } = normals(3, 12, 5);
    const turned = Float64Array.from(data, (_, i) => data[(i % pairs) * cells + Math.floor(i / pairs)]);
    const test = (effects: PairEffects) => signFlipMaxT(effects, { random: new Random(1), permutations: 100 });
    expect(test({ data: turned, pairs, cells, outermost: 'cells' })).toEqual(test({ data, pairs, cells }));
    const single = Float32Array.from(data);
    expect(test({ data: single, pairs, cells })).toEqual(test({ data: Float64Array.from(single), pairs, cells }));
  });

  it('come in steps that end at 1', () => {
    const effects = normals(3, 12, 70);
    const steps = signFlipSteps(effects, { random: new Random(1), permutations: 100 });
    const shares: number[] = [];
    let step = steps.next();
    for (; !step.done; step = steps.next()) shares.push(step.value);
    expect(shares).toEqual([32 / 70, 64 / 70, 1]);
    expect(step.value).toEqual(signFlipMaxT(effects, { random: new Random(1), permutations: 100 }));
  });
});

describe('all relabellings', () => {
  /** Recursion over signs; compared with slack, because it sums in another order. */
  function reached({ data, pairs, cells }: PairEffects, threshold: number): number {
    const sums = new Float64Array(cells);
    const go = (pair: number): number => {
      if (pair === pairs) return Number(sums.some((sum) => Math.abs(sum) / pairs >= threshold - 1e-12));
      let count = 0;
      for (const sign of [1, -1]) {
        for (let cell = 0; cell < cells; cell++) sums[cell] += sign * data[pair * cells + cell];
        count += go(pair + 1);
        for (let cell = 0; cell < cells; cell++) sums[cell] -= sign * data[pair * cells + cell];
      }
      return count;
    };
    return go(0);
  }

  it.each([3, 6, 9, 11])('%i pairs: p is the share of sign patterns that reach it', (pairs) => {
    const effects = normals(pairs, pairs, 4);
    const { statistics, pValues, floor } = signFlipMaxT(effects, { random: new Random(0), permutations: 'all' });
    statistics.forEach((value, cell) => expect(pValues[cell]).toBe(reached(effects, Math.abs(value)) / 2 ** pairs));
    expect(floor).toBe(2 ** (1 - pairs));
  });

  it('are each there once, and drawn ones come near', () => {
    const signs = everySign(10);
    expect(new Set(Array.from({ length: 1024 }, (_, b) => signs.bytes[b] + 256 * signs.bytes[1024 + b])).size).toBe(1024);
    const effects = normals(2, 10, 3);
    const exact = signFlipMaxT(effects, { random: new Random(0), permutations: 'all' });
    const drawn = signFlipMaxT(effects, { random: new Random(1), permutations: 20_000 });
    // Four standard errors of a share of 20 000 draws.
    exact.pValues.forEach((p, cell) => expect(Math.abs(drawn.pValues[cell] - p)).toBeLessThan(4 * Math.sqrt(0.25 / 20_000)));
  });

  it('closed form: effects of one size and sign are reached by two patterns only', () => {
    // 0.1 ten times: sums of other orders differ by rounding, and the ties must count.
    const effects = { data: new Float64Array(10).fill(0.1), pairs: 10, cells: 1 };
    expect(signFlipMaxT(effects, { random: new Random(0), permutations: 'all' }).pValues[0]).toBe(2 / 1024);
    // One pair against the others: |Σ| = 8 · 0.1 is reached by 2 · (1 + 10) patterns, whichever pair it is.
    for (let against = 0; against < 10; against++) {
      const data = new Float64Array(10).fill(0.1);
      data[against] = -0.1;
      expect(signFlipMaxT({ data, pairs: 10, cells: 1 }, { random: new Random(0), permutations: 'all' }).pValues[0]).toBe(22 / 1024);
    }
  });
});

describe('the family', () => {
  it('gives p = 1 to effects of exactly 0, and its floor to one that never fails', () => {
    const { data, pairs, cells } = normals(8, 40, 3);
    for (let pair = 0; pair < pairs; pair++) {
      data[pair * cells] = 0;
      data[pair * cells + 1] = 50 + data[pair * cells + 1];
    }
    const { pValues, floor } = signFlipMaxT({ data, pairs, cells }, { random: new Random(1), permutations: 999 });
    expect(pValues[0]).toBe(1);
    expect(pValues[1]).toBe(1 / 1000);
    expect(floor).toBe(1 / 1000);
    const nothing = signFlipMaxT({ data: new Float64Array(20), pairs: 10, cells: 2 }, { random: new Random(1) });
    expect([...nothing.pValues]).toEqual([1, 1]);
  });

  it('is what is corrected for: others are NaN, and a larger one never lowers p', () => {
    const effects = normals(4, 30, 12);
    const test = (family: number[]) => signFlipMaxT(effects, { random: new Random(1), permutations: 500, family });
    const [alone, few, all] = [test([3]), test([3, 7, 1]), test([...Array(12).keys()])];
    expect(few.pValues[0]).toBeNaN();
    expect(few.family).toBe(3);
    expect(alone.pValues[3]).toBeLessThanOrEqual(few.pValues[3]);
    expect(few.pValues[3]).toBeLessThan(all.pValues[3]);
    // A cell that was not run is left out.
    effects.data[5] = NaN;
    expect(test([3, 7, 1])).toEqual(few);
    expect(() => test([3, 5])).toThrow('signFlip: effect of cell 5, pair 0 must be finite, got NaN');
  });

  it('changes nothing by its order, the sign or the scale of the effects', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1000 }),
        fc.integer({ min: 2, max: 20 }),
        fc.integer({ min: 2, max: 40 }),
        (seed, pairs, cells) => {
          const effects = normals(seed, pairs, cells);
          const p = (data: Float64Array, family?: number[]) =>
            signFlipMaxT({ data, pairs, cells }, { random: new Random(seed), permutations: 60, ...(family && { family }) }).pValues;
          const given = p(effects.data);
          expect(p(effects.data, [...Array(cells).keys()].reverse())).toEqual(given);
          expect(p(effects.data.map((value) => -4 * value))).toEqual(given);
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe('when nothing is there', () => {
  it('p of the family is uniform under random relabelling of effects that are there', () => {
    // Correlated cells with effects of their own; a relabelling at random makes the hypothesis true.
    const [pairs, cells, runs, permutations] = [24, 6, 600, 199];
    const random = new Random(17);
    const base = new Float64Array(pairs * cells);
    for (let pair = 0; pair < pairs; pair++) {
      const shared = random.normal();
      for (let cell = 0; cell < cells; cell++) base[pair * cells + cell] = cell / 3 + shared + 0.5 * random.normal();
    }
    const smallest: number[] = [];
    for (let run = 0; run < runs; run++) {
      const data = base.slice();
      for (let pair = 0; pair < pairs; pair++)
        if (random.uniform() < 0.5) for (let cell = 0; cell < cells; cell++) data[pair * cells + cell] *= -1;
      smallest.push(Math.min(...signFlipMaxT({ data, pairs, cells }, { random: random.fork(run), permutations }).pValues));
    }
    smallest.sort((a, b) => a - b);
    // Kolmogorov–Smirnov against the uniform on {1/200, …, 1}: 1.63 / √600 is exceeded in 1 % of streams; this stream is fixed.
    let distance = 0;
    for (let k = 1; k <= 200; k++)
      distance = Math.max(distance, Math.abs(smallest.filter((p) => p <= k / 200 + 1e-9).length / runs - k / 200));
    expect(distance).toBeLessThan(1.63 / Math.sqrt(runs));
  });

  it('signs are fair coins, independent of one another', () => {
    const signs = drawSigns(37, 4000, new Random(2));
    for (let one = 0; one < 37; one++) {
      let heads = 0;
      let same = 0;
      for (let b = 0; b < 4000; b++) {
        heads += minus(signs, b, one);
        same += Number(minus(signs, b, one) === minus(signs, b, (one + 1) % 37));
      }
      // 4.5 standard errors of 4000 coins.
      expect(Math.abs(heads - 2000)).toBeLessThan(4.5 * Math.sqrt(1000));
      expect(Math.abs(same - 2000)).toBeLessThan(4.5 * Math.sqrt(1000));
    }
    expect(signs.bytes.subarray(4 * 4000).every((byte) => byte < 32)).toBe(true);
  });
});

describe('criticalEffect', () => {
  it('parts what is found from what is not', () => {
    for (const permutations of [99, 1000, 'all'] as const) {
      const pairs = 10;
      const effects = normals(6, pairs, 4);
      const found = signFlipMaxT(effects, { random: new Random(3), permutations });
      for (const level of [0.05, 0.1, 0.5]) {
        const critical = criticalEffect(found, level);
        const pOf = (size: number) => {
          const reached = found.maxima.filter((one) => one >= size).length;
          return found.exact ? reached / found.maxima.length : (1 + reached) / (found.maxima.length + 1);
        };
        expect(pOf(critical * (1 + 1e-9))).toBeLessThanOrEqual(level);
        expect(pOf(critical)).toBeGreaterThan(level);
      }
    }
  });

  it('is out of reach with too few relabellings', () => {
    const found = signFlipMaxT(normals(6, 4, 2), { random: new Random(3), permutations: 18 });
    expect(criticalEffect(found, 0.05)).toBe(Infinity);
    expect(criticalEffect(signFlipMaxT(normals(6, 4, 2), { random: new Random(3), permutations: 'all' }), 0.05)).toBe(Infinity);
  });
});

describe('bad input', () => {
  const effects = normals(1, 4, 2);
  const random = new Random(0);
  it.each([
    ['signFlip: effects must hold 4 × 3 numbers, got 8', () => signFlipMaxT({ ...effects, cells: 3 }, { random })],
    ['signFlip: pairs must be an integer of at least 1, got 0', () => signFlipMaxT({ ...effects, pairs: 0 }, { random })],
    ['signFlip: permutations must be an integer of at least 1, got 0', () => signFlipMaxT(effects, { random, permutations: 0 })],
    ['signFlip: family[1] must be an integer in [0, 1], got 2', () => signFlipMaxT(effects, { random, family: [0, 2] })],
    ['signFlip: family[1] must not stand twice, got 0', () => signFlipMaxT(effects, { random, family: [0, 0] })],
    ['signFlip: family must hold at least 1 cell, got 0', () => signFlipMaxT(effects, { random, family: [] })],
    [
      'signFlip: pairs must be at most 20 for all relabellings, got 21',
      () => signFlipMaxT(normals(1, 21, 1), { random, permutations: 'all' }),
    ],
    ['criticalEffect: level must be in (0, 1), got 5', () => criticalEffect({ maxima: Float64Array.of(1), exact: false }, 5)],
  ])('%s', (message, call) => {
    expect(call).toThrow(UserError);
    expect(call).toThrow(message);
  });
});
