/** The SIMD kernels against their plain twin, bit for bit; ranges and threads; finite; what is refused. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../base/random.ts';
import { createMemory, createOptimiser, type Memory, type OptimiserSpec, type Regions } from './optimiser.ts';
import { createPlainOptimiser } from './plain.ts';
import { divide, fill, firstDifference, view } from './testing.ts';

interface Case {
  spec: OptimiserSpec;
  vectors: number;
  shards: number;
  gradientScale: number;
  exponents: [low: number, high: number];
  seed: number;
}
/** Evenly spread, both ends included: fc.double spreads over bit patterns, so that most rates would be far too small to move a float32. */
const within = (min: number, max: number) => fc.nat(1_000_000).map((part) => min + (part / 1_000_000) * (max - min));
const settings = {
  learningRate: fc.oneof(
    within(0, 1),
    within(-6, 0).map((power) => 10 ** power),
  ),
  weightDecay: fc.oneof(fc.constant(0), within(0, 1)),
};
const beta = fc.oneof(fc.constantFrom(0, 0.5, 0.9, 0.999, 0.999999), within(0, 0.999999));
const anyCase: fc.Arbitrary<Case> = fc.record({
  spec: fc.oneof(
    fc.record({
      kind: fc.constantFrom('adam' as const, 'adamw' as const),
      ...settings,
      beta1: beta,
      beta2: beta,
      epsilon: fc.constantFrom(1e-30, 1e-8, 1e-3, 1),
    }),
    fc.record({ kind: fc.constant('sgd' as const), ...settings }),
    fc.record({ kind: fc.constant('sgd' as const), ...settings, momentum: within(0.01, 1), nesterov: fc.boolean() }),
  ),
  vectors: fc.nat(40),
  shards: fc.constantFrom(1, 2),
  gradientScale: fc.constantFrom(1, 0.5, 1 / 3, 0),
  // Ordinary numbers, or all that float32 has: subnormals, and overflow to infinity and so NaN.
  exponents: fc.constantFrom<[number, number]>([-3, 0], [-44, 38]),
  seed: fc.nat(),
});

type Update = (regions: Regions, t: number, learningRate: number) => void;

/** 20 steps from a random state, each with new gradients and a new rate, by each update in a memory of its own. */
function run({ spec, vectors, shards, exponents, seed }: Case, updates: readonly ((memory: Memory) => Update)[]): Memory[] {
  return updates.map((create) => {
    const random = new Random(seed);
    const { memory, regions } = divide(4 * vectors, shards);
    const update = create(memory);
    for (const offset of [regions.parameters, regions.first]) fill(view(memory, offset, regions.count), random, exponents);
    const second = view(memory, regions.second, regions.count);
    fill(second, random, exponents);
    second.forEach((value, index) => (second[index] = Math.abs(value)));
    for (let t = 1; t <= 20; t++) {
      for (const offset of regions.gradients) fill(view(memory, offset, regions.count), random, exponents);
      update(regions, t, spec.learningRate * random.uniform());
    }
    return memory;
  });
}

test('SIMD equals the plain twin bit for bit, and touches nothing else', () => {
  fc.assert(
    fc.property(anyCase, (given) => {
      const both = [createOptimiser, createPlainOptimiser].map((create) => (memory: Memory): Update => {
        const optimiser = create(memory, given.spec);
        return (regions, t, rate) => optimiser.step(regions, t, rate, undefined, given.gradientScale);
      });
      const [simd, plain] = run(given, both);
      expect(firstDifference(simd, plain)).toBeUndefined();
    }),
    { numRuns: 300, seed: 1 },
  );
});

test('a step moves every element of its range and no other byte of the memory', () => {
  for (const kind of ['adam', 'sgd'] as const) {
    const { memory, regions } = divide(32, 2);
    new Float32Array(memory.buffer).fill(0.5);
    createOptimiser(memory, { kind, learningRate: 0.1 }).step(regions, 1, 0.1, { begin: 8, end: 20 });
    const expected = divide(32, 2).memory;
    new Float32Array(expected.buffer).fill(0.5);
    for (const offset of kind === 'adam' ? [regions.parameters, regions.first, regions.second] : [regions.parameters]) {
      const moved = view(memory, offset + 32, 12);
      expect(Array.from(moved).every((value) => value !== 0.5)).toBe(true);
      view(expected, offset + 32, 12).set(moved);
    }
    expect(firstDifference(memory, expected)).toBeUndefined();
  }
});

test('ranges in any order equal one step over all', () => {
  fc.assert(
    fc.property(anyCase, within(0, 1), (given, share) => {
      const [whole, parts] = run(given, [
        (memory) => {
          const optimiser = createOptimiser(memory, given.spec);
          return (regions, t, rate) => optimiser.step(regions, t, rate);
        },
        (memory) => {
          const optimiser = createOptimiser(memory, given.spec);
          return (regions, t, rate) => {
            const cut = 4 * Math.floor(share * given.vectors);
            optimiser.step(regions, t, rate, { begin: cut, end: regions.count });
            optimiser.step(regions, t, rate, { begin: 0, end: cut });
          };
        },
      ]);
      expect(firstDifference(whole, parts)).toBeUndefined();
    }),
    { numRuns: 100, seed: 2 },
  );
});

test('two threads on one shared memory equal one step over all', async () => {
  const count = 40_000;
  const [alone, shared] = [divide(count, 2), divide(count, 2)];
  for (const { memory, regions } of [alone, shared]) {
    const random = new Random(3);
    for (const offset of [regions.parameters, ...regions.gradients]) fill(view(memory, offset, count), random, [-3, 0]);
  }
  const spec: OptimiserSpec = { kind: 'adamw', learningRate: 0.01 };
  const optimiser = createOptimiser(alone.memory, spec);
  for (let t = 1; t <= 5; t++) optimiser.step(alone.regions, t, 0.01);

  const source = `
    import { workerData } from 'node:worker_threads';
    const { createOptimiser } = await import(workerData.module);
    const optimiser = createOptimiser(workerData.memory, workerData.spec);
    for (let t = 1; t <= 5; t++) optimiser.step(workerData.regions, t, 0.01, workerData.range);`;
  const module = new URL('optimiser.ts', import.meta.url).href;
  const ranges = [
    { begin: 0, end: 16_004 },
    { begin: 16_004, end: count },
  ];
  const codes = await Promise.all(
    ranges.map(async (range) => {
      const workerData = { module, spec, range, ...shared };
      const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), { workerData });
      return (await once(worker, 'exit')) as [number];
    }),
  );
  expect(codes).toEqual([[0], [0]]);
  expect(firstDifference(alone.memory, shared.memory)).toBeUndefined();
}, 20_000);

describe('finite', () => {
  const memory = createMemory(4096);
  const floats = new Float32Array(memory.buffer);
  const optimisers = [
    createOptimiser(memory, { kind: 'sgd', learningRate: 1 }),
    createPlainOptimiser(memory, { kind: 'sgd', learningRate: 1 }),
  ];

  test('finds NaN and either infinity in every lane of every vector, and only inside the range', () => {
    for (const value of [NaN, Infinity, -Infinity]) {
      for (let place = 0; place < 32; place++) {
        floats.fill(0);
        floats[place] = value;
        for (const optimiser of optimisers) expect(optimiser.finite(32, 16), `${value} at ${place}`).toBe(place < 8 || place >= 24);
      }
    }
  });

  test('finds a NaN of either sign, quiet or signalling', () => {
    const words = new Uint32Array(memory.buffer);
    for (const word of [0x7fc00000, 0xffc00000, 0x7f800001, 0xff800001, 0x7fffffff, 0xffffffff]) {
      floats.fill(1);
      words[5] = word;
      for (const optimiser of optimisers) expect(optimiser.finite(0, 32)).toBe(false);
    }
  });

  test('passes the largest, the smallest and negative zero, and an empty range', () => {
    floats.fill(0);
    floats.set([3.4028234663852886e38, -3.4028234663852886e38, 1e-45, -1e-45, -0, 1.1754943508222875e-38]);
    for (const optimiser of optimisers) expect(optimiser.finite(0, 1024)).toBe(true);
    floats[0] = NaN;
    for (const optimiser of optimisers) expect(optimiser.finite(0, 0)).toBe(true);
  });
});

describe('high in a memory of 4 GiB', () => {
  test('offsets beyond 2^31 and up to the last byte are read as unsigned', () => {
    const memory = createMemory(2 ** 32); // reserved, not committed: only the pages touched cost anything
    const end = 2 ** 32;
    const regions = { parameters: end - 16, first: 2 ** 31, second: 0, gradients: [2 ** 31 + 16, 3 * 2 ** 30], count: 4 };
    view(memory, regions.gradients[0], 4).fill(1);
    view(memory, regions.gradients[1], 4).fill(2);
    const optimiser = createOptimiser(memory, { kind: 'sgd', learningRate: 1, momentum: 0.9 });
    optimiser.step(regions, 1, 0.5);
    expect(Array.from(view(memory, regions.parameters, 4))).toEqual([-1.5, -1.5, -1.5, -1.5]);
    expect(Array.from(view(memory, regions.first, 4))).toEqual([3, 3, 3, 3]);
    view(memory, end - 4, 1)[0] = NaN;
    expect(optimiser.finite(end - 16, 4)).toBe(false);
  });
});

describe('what is refused', () => {
  const { memory, regions } = divide(64, 2);
  const optimiser = createOptimiser(memory, { kind: 'adam', learningRate: 0.1 });
  const step = (change: Partial<Regions>, t = 1, rate = 0.1, range = { begin: 0, end: 64 }, scale = 1) =>
    optimiser.step({ ...regions, ...change }, t, rate, range, scale);
  const room = memory.buffer.byteLength;

  test.each([
    ['optimiser.step: count must be a multiple of 4, got 6', () => step({ count: 6 })],
    [`optimiser.step: first must be a multiple of 16 with room for 64 floats in ${room} bytes, got 8`, () => step({ first: 8 })],
    [`optimiser.step: second must be a multiple of 16 with room for 64 floats in ${room} bytes, got ${room}`, () => step({ second: room })],
    [
      `optimiser.step: gradients[1] must be a multiple of 16 with room for 64 floats in ${room} bytes, got -16`,
      () => step({ gradients: [0, -16] }),
    ],
    ['optimiser.step: gradients must be 1 or 2 offsets, got []', () => step({ gradients: [] })],
    ['optimiser.step: t must be an integer from 1, got 0', () => step({}, 0)],
    ['optimiser.step: learningRate must be a number in [0, 1000], got NaN', () => step({}, 1, NaN)],
    [
      'optimiser.step: range must be begin ≤ end in [0, 64], both multiples of 4, got [0, 68]',
      () => step({}, 1, 0.1, { begin: 0, end: 68 }),
    ],
    ['optimiser.step: range must be begin ≤ end in [0, 64], both multiples of 4, got [2, 8]', () => step({}, 1, 0.1, { begin: 2, end: 8 })],
    ['optimiser.step: gradientScale must be a number in [0, 1000], got -1', () => step({}, 1, 0.1, undefined, -1)],
    ['optimiser.finite: count must be a multiple of 4, got -4', () => optimiser.finite(0, -4)],
    [
      'optimiser: memory must be shared, got "one that is not"',
      () => createOptimiser({ buffer: new ArrayBuffer(64) }, { kind: 'sgd', learningRate: 1 }),
    ],
    ['createMemory: bytes must be an integer in [1, 2^32], got 0', () => createMemory(0)],
  ])('%s', (message, act) => {
    expect(act).toThrow(expect.objectContaining({ name: 'UserError', message }));
    expect(firstDifference(memory, divide(64, 2).memory)).toBeUndefined();
  });
});
