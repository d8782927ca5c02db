import { scaleLinear, scaleLog } from 'd3';
import { describe, expect, it } from 'vitest';
import { fewTicks, tickWords } from './scale.ts';
import { legendOf } from './legend.ts';

const written = (ticks: readonly number[]): string[] => ticks.map(tickWords(ticks));

describe('scale', () => {
  it('has three to five round ticks over any span', () => {
    for (let exponent = -6; exponent < 7; exponent++)
      for (let factor = 1; factor < 10; factor += 0.37) {
        const ticks = fewTicks(scaleLinear([0, factor * 10 ** exponent], [0, 100]));
        expect(ticks.length).toBeGreaterThan(2);
        expect(ticks.length).toBeLessThan(6);
      }
  });

  it('drops the leading zero in [−1, 1] and writes no digit too many', () => {
    expect(written([0, 0.5, 1])).toEqual(['0', '.5', '1.0']);
    expect(written([-0.25, 0, 0.25])).toEqual(['−.25', '0', '.25']);
    expect(written([94, 95, 96])).toEqual(['94', '95', '96']);
    expect(written([94.5, 95, 95.5])).toEqual(['94.5', '95.0', '95.5']);
    expect(written([0, 20000])).toEqual(['0', '20\u202f000']);
  });

  it('has powers and their halves on a logarithmic axis', () => {
    expect(fewTicks(scaleLog([0.02, 0.3], [0, 1]), 3)).toEqual([0.03, 0.1, 0.3]);
    expect(fewTicks(scaleLog([1, 10000], [0, 1]), 5)).toEqual([1, 10, 100, 1000, 10000]);
  });

  it('turns a legend with the sign of its colours', () => {
    expect(legendOf('diverging', '−1', '+1').stops[0]).toBe('div-0');
    expect(legendOf('diverging', '−1', '+1', true).stops[0]).toBe('div-8');
  });
});
