/** Lists kept in order while rows go by, against sorting them all. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Strongest } from './strongest.ts';

test('the strongest are those that sorting puts first: by size, by the second figure, by row', () => {
  const given = fc.tuple(fc.integer({ min: -3, max: 3 }), fc.integer({ min: 0, max: 2 }));
  fc.assert(
    fc.property(fc.array(given, { maxLength: 30 }), fc.integer({ min: 1, max: 8 }), (rows, top) => {
      const strongest = new Strongest(3, top);
      rows.forEach(([value, second], row) => strongest.offer(1, row, value, second));
      const sorted = rows
        .map(([value, second], row) => ({ value, second, row }))
        .sort((a, b) => Math.abs(b.value) - Math.abs(a.value) || b.second - a.second || a.row - b.row)
        .slice(0, top);
      expect(strongest.of(1)).toEqual(sorted.map(({ row }) => row));
      const missing = new Array<number>(top - sorted.length);
      expect(Array.from(strongest.values.subarray(top, 2 * top))).toEqual([...sorted.map(({ value }) => value), ...missing.fill(NaN)]);
      for (const unit of [0, 2]) expect(strongest.of(unit)).toEqual([]);
    }),
    { seed: 1, numRuns: 500 },
  );
});
