import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { elements, evaluate, minus, plus, symbol, symbolsOf, times, type Dimension } from './dimension.ts';

const SEED = 4;
const bindings = new Map([
  ['rows', 3],
  ['positions', 5],
  ['past', 7],
]);

/** A dimension with the number it should stand for, computed beside it. */
const polynomial: fc.Arbitrary<{ dimension: Dimension; number: number }> = fc.letrec<{ tree: { dimension: Dimension; number: number } }>(
  (tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      fc.integer({ min: -4, max: 9 }).map((number) => ({ dimension: number, number })),
      fc.constantFrom(...bindings.entries()).map(([name, number]) => ({ dimension: symbol(name), number })),
      fc
        .tuple(tie('tree'), tie('tree'), fc.constantFrom('+', '-', '*'))
        .map(([a, b, sign]) =>
          sign === '+'
            ? { dimension: plus(a.dimension, b.dimension), number: a.number + b.number }
            : sign === '-'
              ? { dimension: minus(a.dimension, b.dimension), number: a.number - b.number }
              : { dimension: times(a.dimension, b.dimension), number: a.number * b.number },
        ),
    ),
  }),
).tree;

describe('dimensions', () => {
  test('evaluate to what the numbers give', () => {
    fc.assert(
      fc.property(polynomial, ({ dimension, number }) => {
        expect(evaluate(dimension, bindings) + 0).toBe(number + 0);
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  test('form a commutative ring in which equals are one object', () => {
    fc.assert(
      fc.property(polynomial, polynomial, polynomial, ({ dimension: a }, { dimension: b }, { dimension: c }) => {
        const same = (x: Dimension, y: Dimension) => expect(x === y, `${String(x)} is ${String(y)}`).toBe(true);
        same(plus(a, b), plus(b, a));
        same(times(a, b), times(b, a));
        same(plus(plus(a, b), c), plus(a, plus(b, c)));
        same(times(times(a, b), c), times(a, times(b, c)));
        same(times(a, plus(b, c)), plus(times(a, b), times(a, c)));
        same(plus(a, 0), a);
        same(times(a, 1), a);
        same(minus(a, a), 0);
        same(times(a, 0), 0);
        same(plus(minus(a, b), b), a);
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  test('read as polynomials', () => {
    const [rows, positions, past] = ['rows', 'positions', 'past'].map(symbol);
    expect(
      [plus(past, positions), times(positions, times(2, rows)), minus(rows, 1), plus(3, times(rows, rows)), elements([rows, 4, 2])].map(
        String,
      ),
    ).toEqual(['past + positions', '2·positions·rows', '-1 + rows', '3 + rows·rows', '8·rows']);
    expect(symbolsOf(plus(times(rows, rows), positions))).toEqual(['positions', 'rows']);
    expect(JSON.stringify({ shape: [rows, 4] })).toBe('{"shape":["rows",4]}');
  });

  test('refuse bad names and unbound symbols', () => {
    expect(() => symbol('2 rows')).toThrow('symbol: name must be a word of letters, digits and _, got "2 rows"');
    expect(() => evaluate(symbol('heads'), bindings)).toThrow('dimension: symbol must be bound by the shape of an input, got "heads"');
  });
});
