/** The generator against its authors' reference outputs and a second implementation in BigInt; moments, bias, independence, pinned bits. */
import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { UserError } from './errors.ts';
import { Random, splitMix64, xoshiro128 } from './random.ts';
import { mean, standardDeviation } from './statistics.ts';

const seeds = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const draws = (random: Random, count: number): number[] => Array.from({ length: count }, () => random.uint32());

/** Pearson's statistic for equal expected counts: about its degrees of freedom d, with standard deviation √(2d). */
function chiSquare(counts: number[]): number {
  const expected = mean(counts);
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

function* splitMixByBigInt(seed: bigint): Generator<bigint> {
  const wrap = (value: bigint): bigint => BigInt.asUintN(64, value);
  for (let counter = seed; ;) {
    counter = wrap(counter + 0x9e3779b97f4a7c15n);
    let z = counter;
    z = wrap((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
    z = wrap((z ^ (z >> 27n)) * 0x94d049bb133111ebn);
    yield z ^ (z >> 31n);
  }
}

describe('the generator', () => {
  it('xoshiro128** gives the reference outputs from the state 1, 2, 3, 4', () => {
    // As in rand_xoshiro, whose authors made them with the reference implementation, version 1.1.
    const expected = [11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804];
    const state = Int32Array.of(1, 2, 3, 4);
    expect(expected.map(() => xoshiro128(state) >>> 0)).toEqual(expected);
  });

  it('SplitMix64 gives the reference outputs for 1234567', () => {
    // Rosetta Code, "Pseudo-random numbers/Splitmix64".
    const expected = [6457827717110365317n, 3203168211198807973n, 9817491932198370423n, 4593380528125082431n, 16408922859458223821n];
    const counter = Uint32Array.of(1234567, 0);
    const out = new Uint32Array(2);
    const outputs = expected.map(() => {
      splitMix64(counter, out);
      return (BigInt(out[1]) << 32n) | BigInt(out[0]);
    });
    expect(outputs).toEqual(expected);
  });

  it('starts from the state SplitMix64 makes of the seed', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const source = splitMixByBigInt(BigInt(seed));
        const state = new Int32Array(BigUint64Array.of(source.next().value as bigint, source.next().value as bigint).buffer);
        expect(draws(new Random(seed), 4)).toEqual([0, 0, 0, 0].map(() => xoshiro128(state) >>> 0));
      }),
    );
  });

  it('has the same bits as when it was written', () => {
    expect(draws(new Random(0), 3)).toEqual([3737715805, 2584255861, 2876756834]);
    expect(draws(new Random(Number.MAX_SAFE_INTEGER), 3)).toEqual([1233166643, 1287031142, 661813442]);
    expect(draws(new Random(7).fork('weights', 2), 3)).toEqual([569919419, 2909137750, 2573497942]);
    const random = new Random(42);
    expect([random.uniform(), random.normal(), random.normal(), random.integer(1000)]).toEqual([
      0.4137016632594168, -3.316570212452213, 0.4373392421509323, 678,
    ]);
    expect([...random.permutation(8)]).toEqual([0, 4, 5, 7, 6, 2, 3, 1]);
  });
});

describe('uniform and fillUniform', () => {
  it('have the moments of [0, 1) and fill 64 cells evenly', () => {
    const random = new Random(11);
    const values = Float64Array.from({ length: 200_000 }, () => random.uniform());
    // Standard errors: of the mean 0.29/√200 000 = 6.5e-4, of the deviation 3e-4. Four of each.
    expect(Math.abs(mean(values) - 0.5)).toBeLessThan(2.6e-3);
    expect(Math.abs(standardDeviation(values) - Math.sqrt(1 / 12))).toBeLessThan(1.2e-3);
    const counts = new Array<number>(64).fill(0);
    for (const value of values) counts[Math.floor(value * 64)]++;
    expect(chiSquare(counts)).toBeLessThan(63 + 4 * Math.sqrt(126));
    expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
  });

  it('fills within its bounds', () => {
    const values = new Float32Array(100_000);
    new Random(5).fillUniform(values, -0.25, 0.75);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(-0.25);
    expect(Math.max(...values)).toBeLessThanOrEqual(0.75);
    expect(Math.abs(mean(values) - 0.25)).toBeLessThan(4e-3); // four standard errors
  });
});

describe('normal and fillNormal', () => {
  it('have the first four moments and the tails of N(0, 1), and successive draws do not correlate', () => {
    const count = 400_000;
    const random = new Random(2);
    const values = Float64Array.from({ length: count }, () => random.normal());
    const moment = (power: number): number => mean(values.map((value) => value ** power));
    const error = 4 / Math.sqrt(count); // four standard errors of the mean of a variate of variance 1
    expect(Math.abs(moment(1))).toBeLessThan(error);
    expect(Math.abs(moment(2) - 1)).toBeLessThan(error * Math.sqrt(2));
    expect(Math.abs(moment(3))).toBeLessThan(error * Math.sqrt(15));
    expect(Math.abs(moment(4) - 3)).toBeLessThan(error * Math.sqrt(96));
    const beyond = values.filter((value) => Math.abs(value) > 3).length / count;
    expect(Math.abs(beyond - 0.0026998)).toBeLessThan(error * Math.sqrt(0.0027));
    expect(Math.abs(mean(values.subarray(1).map((value, index) => value * values[index])))).toBeLessThan(error);
  });

  it('fill with the draws of normal, scaled', () => {
    const values = new Float32Array(7);
    new Random(9).fillNormal(values, 3, 0.5);
    const random = new Random(9);
    expect([...values]).toEqual(Array.from({ length: 7 }, () => Math.fround(3 + 0.5 * random.normal())));
  });
});

describe('integer and permutation', () => {
  it.each([1, 2, 3, 7, 10, 64, 100])('integer(%i) is even over its range', (n) => {
    const random = new Random(n);
    const counts = new Array<number>(n).fill(0);
    for (let i = 0; i < 1000 * n; i++) counts[random.integer(n)]++;
    expect(chiSquare(counts)).toBeLessThan(n - 1 + 4 * Math.sqrt(2 * n));
  });

  it('integer is unbiased where a remainder would not be: each third of 3·2^30 is as likely', () => {
    const random = new Random(1);
    const counts = [0, 0, 0];
    for (let i = 0; i < 30_000; i++) counts[Math.floor(random.integer(3 * 2 ** 30) / 2 ** 30)]++;
    expect(chiSquare(counts)).toBeLessThan(12); // p = 0.0025; a remainder gives about 3750
    expect(random.integer(2 ** 32)).toBeLessThan(2 ** 32);
  });

  it('permutation holds every index once', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 0, max: 300 }), (seed, n) => {
        expect([...new Random(seed).permutation(n).sort()]).toEqual(Array.from({ length: n }, (_, index) => index));
      }),
    );
  });

  it('permutation draws each of the 24 orders of four as often', () => {
    const random = new Random(4);
    const counts = new Map<string, number>();
    for (let i = 0; i < 24_000; i++) {
      const order = random.permutation(4).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    expect(chiSquare([...counts.values()])).toBeLessThan(23 + 4 * Math.sqrt(46));
  });
});

describe('fork', () => {
  it('depends on the seed and the path, not on what was drawn, and leaves its parent alone', () => {
    const random = new Random(8);
    const untouched = draws(new Random(8), 4);
    const before = draws(random.fork('a', 1), 4);
    expect(draws(random, 4)).toEqual(untouched);
    expect(draws(random.fork('a', 1), 4)).toEqual(before);
    expect(draws(random.fork('a').fork(1), 4)).toEqual(before);
    expect(draws(new Random(random.fork('a', 1).seed), 4)).toEqual(before);
    expect(random.fork().seed).toBe(8);
  });

  it('gives every name its own stream', () => {
    const random = new Random(8);
    const paths: (string | number)[][] = [
      [],
      ['a'],
      ['b'],
      ['a', 'b'],
      ['ab'],
      ['a', ''],
      [''],
      ['1'],
      [1],
      [0],
      [-1],
      [0.5],
      [1, 1],
      ['\0'],
      ['\0\0'],
      [2 ** 40],
    ];
    const names = Array.from({ length: 20_000 }, (_, index) => random.fork('row', index).seed);
    const all = [...paths.map((path) => random.fork(...path).seed), ...names];
    expect(new Set(all).size).toBe(all.length);
    expect(random.fork(-0).seed).toBe(random.fork(0).seed);
  });

  it('gives streams that do not correlate, with parent, siblings, or those of the next seed', () => {
    const random = new Random(0);
    const streams = [random, random.fork(0), random.fork(1), new Random(1), new Random(1).fork(0)];
    const values = streams.map((stream) => Float64Array.from({ length: 20_000 }, () => stream.normal()));
    for (let i = 0; i < values.length; i++) {
      for (let j = 0; j < i; j++)
        expect(Math.abs(mean(values[i].map((value, k) => value * values[j][k])))).toBeLessThan(4 / Math.sqrt(20_000));
    }
  });

  it('first draws of numbered forks are as good as one stream', () => {
    const random = new Random(123);
    const counts = new Array<number>(256).fill(0);
    for (let i = 0; i < 51_200; i++) counts[random.fork(i).uint32() >>> 24]++;
    expect(chiSquare(counts)).toBeLessThan(255 + 4 * Math.sqrt(510));
  });
});

describe('bad arguments', () => {
  const random = new Random(0);
  it.each([
    ['Random: seed must be an integer in [0, 2^53), got -1', () => new Random(-1)],
    ['Random: seed must be an integer in [0, 2^53), got 0.5', () => new Random(0.5)],
    ['Random: seed must be an integer in [0, 2^53), got NaN', () => new Random(NaN)],
    ['Random: seed must be an integer in [0, 2^53), got 9007199254740992', () => new Random(2 ** 53)],
    ['Random.integer: n must be an integer in [1, 2^32], got 0', () => random.integer(0)],
    ['Random.integer: n must be an integer in [1, 2^32], got 4294967297', () => random.integer(2 ** 32 + 1)],
    ['Random.permutation: n must be an integer in [0, 2^32), got -1', () => random.permutation(-1)],
    ['Random.fork: path must hold strings and finite numbers, got NaN', () => random.fork('a', NaN)],
  ])('%s', (message, call) => {
    expect(call).toThrow(UserError);
    expect(call).toThrow(message);
  });
});
