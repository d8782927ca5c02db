import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decimated, indexAt, smoothed } from './decimate.ts';
import { wander } from './testing/seeded.ts';

/** What each pixel column must show: by brute force over all points. */
function columnsOf(
  at: ArrayLike<number>,
  values: ArrayLike<number>,
  domain: readonly number[],
  range: readonly number[],
): Map<number, [number, number]> {
  const columns = new Map<number, [number, number]>();
  const slope = (range[1] - range[0]) / (domain[1] - domain[0]);
  for (let i = 0; i < at.length; i++) {
    if (at[i] < domain[0] || at[i] > domain[1]) continue;
    const column = Math.floor(range[0] + (at[i] - domain[0]) * slope);
    const [least, most] = columns.get(column) ?? [Infinity, -Infinity];
    columns.set(column, [Math.min(least, values[i]), Math.max(most, values[i])]);
  }
  return columns;
}

function shownOf({ x, y, length }: ReturnType<typeof decimated>): Map<number, [number, number]> {
  const columns = new Map<number, [number, number]>();
  for (let i = 0; i < length; i++) {
    const column = Math.floor(x[i]);
    const [least, most] = columns.get(column) ?? [Infinity, -Infinity];
    columns.set(column, [Math.min(least, y[i]), Math.max(most, y[i])]);
  }
  return columns;
}

describe('decimate', () => {
  it('keeps the least and the greatest of every pixel column, with at most four points in each', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6000 }),
        fc.integer({ min: 1, max: 1000 }),
        fc.integer({ min: 1, max: 400 }),
        fc.float({ min: 0, max: Math.fround(0.8), noNaN: true }),
        fc.float({ min: Math.fround(0.1), max: 1, noNaN: true }),
        (points, seed, pixels, from, share) => {
          const { at, values } = wander(points, seed);
          const domain = [from * points, Math.min(points, from * points + Math.max(1, share * points))] as const;
          const range = [17, 17 + pixels] as const;
          const shown = decimated(at, values, domain, range);
          const inSight = shownOf(shown);
          for (const [column, extent] of columnsOf(at, values, domain, range)) {
            const [least, most] = inSight.get(column)!;
            expect(least).toBeLessThanOrEqual(extent[0]);
            expect(most).toBeGreaterThanOrEqual(extent[1]);
          }
          expect(shown.length).toBeLessThanOrEqual(4 * (pixels + 2) + 2);
          for (let i = 1; i < shown.length; i++) expect(shown.x[i]).toBeGreaterThanOrEqual(shown.x[i - 1]);
        },
      ),
      { numRuns: 200, seed: 4 },
    );
  });

  it('begins and ends one point out of sight, so that lines go on to the edge', () => {
    const { at, values } = wander(1000, 1);
    const { x, y, length } = decimated(at, values, [100.5, 200.5], [0, 50]);
    expect(x[0]).toBeLessThan(0);
    expect(y[0]).toBe(values[100]);
    expect(x[length - 1]).toBeGreaterThan(50);
    expect(y[length - 1]).toBe(values[201]);
  });

  it('leaves few points as they are', () => {
    const { at, values } = wander(40, 2);
    expect([...decimated(at, values, [0, 39], [0, 100]).y]).toEqual([...values]);
  });

  it('smooths as the mean of a window does', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -10, max: 10, noNaN: true }), { minLength: 1, maxLength: 80 }),
        fc.integer({ min: 1, max: 31 }),
        (values, size) => {
          const half = Math.floor(size / 2);
          const expected = values.map((_value, i) => {
            const window = values.slice(Math.max(0, i - half), i + half + 1);
            return window.reduce((a, b) => a + b, 0) / window.length;
          });
          // A running sum forgets what left it only up to rounding.
          smoothed(values, size).forEach((value, i) => expect(Math.abs(value - expected[i])).toBeLessThan(1e-10));
        },
      ),
      { seed: 4 },
    );
  });

  it('finds the point at or before a step', () => {
    expect([-1, 0, 49, 50, 51, 200].map((step) => indexAt([0, 50, 100], step))).toEqual([-1, 0, 0, 1, 1, 2]);
  });
});
