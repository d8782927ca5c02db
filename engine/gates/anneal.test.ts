/** Temperatures over training: formulas, exact ends, monotone between, and what is refused. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { temperatureAt, type Annealing } from './anneal.ts';

const temperature = fc.double({ min: 1e-4, max: 1e3, noNaN: true });

describe.each(['constant', 'geometric', 'linear'] as const)('%s', (kind) => {
  test('both ends are exact', () => {
    fc.assert(
      fc.property(temperature, temperature, fc.integer({ min: 1, max: 10_000 }), (start, end, total) => {
        expect(temperatureAt({ kind, start, end }, 0, total)).toBe(start);
        expect(temperatureAt({ kind, start, end }, total, total)).toBe(kind === 'constant' ? start : end);
      }),
    );
  });

  test('goes from one end to the other without turning back', () => {
    fc.assert(
      fc.property(temperature, temperature, (start, end) => {
        const course = Array.from({ length: 21 }, (_entry, i) => temperatureAt({ kind, start, end }, i, 20));
        // The last bit of a power may waver.
        for (let i = 1; i < 21; i++)
          expect((course[i] - course[i - 1]) * Math.sign(end - start)).toBeGreaterThanOrEqual(-1e-12 * (start + end));
      }),
    );
  });
});

test('geometric is T₀ (T₁/T₀)^(t/N): the middle is the geometric mean; linear: the arithmetic one', () => {
  expect(temperatureAt({ kind: 'geometric', start: 0.8, end: 0.2 }, 5, 10)).toBeCloseTo(0.4, 12);
  expect(temperatureAt({ kind: 'geometric', start: 0.3, end: 0.02 }, 1, 3)).toBeCloseTo(0.3 * Math.exp(Math.log(0.02 / 0.3) / 3), 12);
  expect(temperatureAt({ kind: 'linear', start: 0.8, end: 0.2 }, 5, 10)).toBeCloseTo(0.5, 12);
  expect(temperatureAt({ kind: 'constant', start: 0.2 }, 5, 10)).toBe(0.2);
});

test.each<[Annealing, number, number, string]>([
  [{ kind: 'constant', start: 0 }, 0, 1, 'gate: temperature must be a number > 0, got 0'],
  [{ kind: 'linear', start: 1, end: -1 }, 0, 1, 'gate: temperature must be a number > 0, got -1'],
  [{ kind: 'geometric', start: NaN, end: 1 }, 0, 1, 'gate: temperature must be a number > 0, got NaN'],
  [{ kind: 'geometric', start: 1 }, 0, 1, 'anneal: end must be given for geometric, got undefined'],
  [{ kind: 'linear', start: 1 }, 0, 1, 'anneal: end must be given for linear, got undefined'],
  [{ kind: 'constant', start: 1 }, -1, 5, 'anneal: done must lie in [0, 5], got -1'],
  [{ kind: 'constant', start: 1 }, 6, 5, 'anneal: done must lie in [0, 5], got 6'],
  [{ kind: 'constant', start: 1 }, 0, 0, 'anneal: done must lie in [0, 0], got 0'],
  [{ kind: 'constant', start: 1 }, NaN, 5, 'anneal: done must lie in [0, 5], got NaN'],
])('%j at %s of %s: %s', (annealing, done, total, message) => {
  expect(() => temperatureAt(annealing, done, total)).toThrow(message);
});
