/** Columns and figures of text. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { aligned, figure, section } from './table.ts';

test('numbers to the right, text to the left, one column a character', () => {
  const rows = [
    ['λ', 'accuracy', 'what'],
    ['0', '−0.5', 'lost'],
    ['0.001', '12', '★'],
    ['', '–', ''],
  ];
  expect(aligned(rows)).toMatchInlineSnapshot(`
    "    λ  accuracy  what
    ─────────────────────
        0      −0.5  lost
    0.001        12  ★
                  –"
  `);
  expect(section('Heading', rows.slice(0, 1))).toBe('');
  expect(section('Heading', rows)).toBe(`\nHeading\n${aligned(rows)}\n`);
});

test('the rule is as long as the longest line, or as a terminal is wide', () => {
  const cell = fc.oneof(fc.string({ unit: fc.constantFrom('a', 'λ', '★', ' '), maxLength: 40 }), fc.double().map(figure));
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell, cell), { minLength: 1 }), (rows) => {
      const [head, rule, ...rest] = aligned(rows).split('\n');
      expect(rest).toHaveLength(rows.length - 1);
      const longest = Math.max(...[head, ...rest].map((line) => [...line].length));
      expect(rule).toBe('─'.repeat(Math.min(80, longest)));
    }),
    { seed: 1 },
  );
});

test.each([
  [0, '0'],
  [-0, '0'],
  [768, '768'],
  [1 / 3, '0.33333'],
  [-12.5, '−12.5'],
  [1e-9, '1e−9'],
  [123456789.5, '123460000'],
  [NaN, '–'],
  [Infinity, '∞'],
  [-Infinity, '−∞'],
])('%d is shown as %s', (value, text) => expect(figure(value)).toBe(text));
