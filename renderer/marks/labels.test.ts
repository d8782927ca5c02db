import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { spread } from './labels.ts';

const cost = (places: readonly number[], wanted: readonly number[]): number =>
  places.reduce((sum, place, i) => sum + (place - wanted[i]) ** 2, 0);

describe('labels', () => {
  const lists = fc.array(fc.double({ min: 0, max: 300, noNaN: true }), { minLength: 1, maxLength: 18 });

  it('never overlap, keep their order and stay inside', () => {
    fc.assert(
      fc.property(lists, (wanted) => {
        const places = spread(wanted, 16, 4, 320);
        const order = wanted.map((_place, i) => i).sort((a, b) => wanted[a] - wanted[b] || a - b);
        for (let k = 1; k < order.length; k++) expect(places[order[k]] - places[order[k - 1]]).toBeGreaterThan(16 - 1e-9);
        for (const place of places) {
          expect(place).toBeGreaterThan(4 - 1e-9);
          expect(place).toBeLessThan(320 + 1e-9);
        }
      }),
      { seed: 4 },
    );
  });

  it('stay where they are if there is room', () => {
    expect(spread([100, 20, 60], 16)).toEqual([100, 20, 60]);
  });

  it('move as little as can be: no shift of one or of a run of neighbours is cheaper', () => {
    fc.assert(
      fc.property(lists, (wanted) => {
        const places = spread(wanted, 16);
        const order = wanted.map((_place, i) => i).sort((a, b) => wanted[a] - wanted[b] || a - b);
        const best = cost(places, wanted);
        for (let from = 0; from < order.length; from++)
          for (let to = from; to < order.length; to++)
            for (const by of [-0.5, 0.5]) {
              const moved = [...places];
              for (let k = from; k <= to; k++) moved[order[k]] += by;
              const apart = order.every((i, k) => k === 0 || moved[i] - moved[order[k - 1]] >= 16 - 1e-9);
              if (apart) expect(cost(moved, wanted)).toBeGreaterThan(best - 1e-6);
            }
      }),
      { seed: 4, numRuns: 60 },
    );
  });
});
