/** Bases and projections against what defines them: unit length, right angles, the same span, nothing left along it, the rest untouched. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Random } from '../base/random.ts';
import { expectClose } from '../base/testing/closeTo.ts';
import { orthonormal, projectOut } from './orthogonal.ts';
import { warmupAndDecay } from './schedules.ts';

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => Array.from(a).reduce((total, entry, i) => total + entry * b[i], 0);

test('a basis is orthonormal and spans what it was given', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: 1, max: 5 }), (seed, count) => {
      const random = new Random(seed);
      const vectors = Array.from({ length: count }, () => Float64Array.from({ length: 7 }, () => random.normal() * 100));
      const basis = orthonormal([...vectors, vectors[0].map((entry) => -3 * entry)]);
      expect(basis).toHaveLength(count);
      const products = basis.flatMap((one) => basis.map((other) => dot(one, other)));
      const identity = basis.flatMap((_one, i) => basis.map((_other, j) => Number(i === j)));
      expectClose(products, identity, { relative: 0, absolute: 1e-12 }, 'products');
      for (const vector of vectors) {
        const rebuilt = vector.map((_entry, i) => basis.reduce((total, direction) => total + dot(vector, direction) * direction[i], 0));
        expectClose(rebuilt, vector, { relative: 1e-9, absolute: 0 }, 'span');
      }
    }),
    { numRuns: 50 },
  );
  expect(orthonormal([new Float64Array(3)])).toEqual([]);
});

test('rows keep what is orthogonal to the basis and lose the rest', () => {
  const random = new Random(3);
  const basis = orthonormal([1, 2].map(() => Float64Array.from({ length: 6 }, () => random.normal())));
  const rows = Float32Array.from({ length: 24 }, () => random.normal());
  const before = rows.slice();
  projectOut(rows, basis);
  for (let row = 0; row < 4; row++) {
    const [after, own] = [rows, before].map((all) => all.subarray(row * 6, row * 6 + 6));
    for (const direction of basis) expect(Math.abs(dot(after, direction))).toBeLessThan(1e-6);
    const expected = Array.from(
      own,
      (entry, i) => entry - basis.reduce((total, direction) => total + dot(own, direction) * direction[i], 0),
    );
    expectClose(after, expected, { relative: 1e-6, absolute: 0 }, `row ${row}`);
  }
  const unchanged = rows.slice();
  projectOut(rows, []);
  expect(rows).toEqual(unchanged);
});

test('a rate rises, stays and falls', () => {
  const factor = warmupAndDecay(4, 0.5, 0.1);
  const factors = Array.from({ length: 10 }, (_, step) => factor(step, 10));
  expectClose(factors, [0.25, 0.5, 0.75, 1, 1, 1, 0.82, 0.64, 0.46, 0.28], { relative: 1e-12, absolute: 0 }, 'factors');
  expect(warmupAndDecay(0, 0, 0)(0, 5)).toBe(1);
});
