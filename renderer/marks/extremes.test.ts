import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Extremes } from './extremes.ts';

describe('extremes', () => {
  it('of any stretch are where looking at all of it finds them', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 1200 }), fc.nat(), fc.nat(), (values, a, b) => {
        const begin = a % values.length;
        const end = begin + 1 + (b % (values.length - begin));
        const extremes = new Extremes(values);
        extremes.find(begin, end);
        const stretch = values.slice(begin, end);
        expect(extremes.least).toBe(begin + stretch.indexOf(Math.min(...stretch)));
        expect(extremes.most).toBe(begin + stretch.indexOf(Math.max(...stretch)));
      }),
      { seed: 4, numRuns: 400 },
    );
  });
});
