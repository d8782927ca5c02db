/** Defaults, ranges and the wording of a mistake; slots. */
import { describe, expect, test } from 'vitest';
import { type OptimiserSpec, parseOptimiser, slots } from './spec.ts';

describe('parseOptimiser', () => {
  test("fills PyTorch's defaults in", () => {
    const adam = { learningRate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
    expect(parseOptimiser({ kind: 'adam', learningRate: 0.1 })).toEqual({ kind: 'adam', ...adam, weightDecay: 0 });
    expect(parseOptimiser({ kind: 'adamw', learningRate: 0.1 })).toEqual({ kind: 'adamw', ...adam, weightDecay: 0.01 });
    const sgd = { kind: 'sgd', learningRate: 0.1, momentum: 0, nesterov: false, weightDecay: 0 };
    expect(parseOptimiser({ kind: 'sgd', learningRate: 0.1 })).toEqual(sgd);
  });

  test.each<[string, unknown]>([
    ['optimiser: beta1 must be a number in [0, 0.999999], got 1', { kind: 'adam', learningRate: 0.1, beta1: 1 }],
    ['optimiser: beta2 must be a number in [0, 0.999999], got -0.5', { kind: 'adamw', learningRate: 0.1, beta2: -0.5 }],
    ['optimiser: epsilon must be a number in [1e-30, 1], got 0', { kind: 'adam', learningRate: 0.1, epsilon: 0 }],
    ['optimiser: learningRate must be a number in [0, 1000], got Infinity', { kind: 'adam', learningRate: Infinity }],
    ['optimiser: learningRate must be a number in [0, 1000], got NaN', { kind: 'sgd', learningRate: NaN }],
    ['optimiser: learningRate must be a number in [0, 1000], got undefined', { kind: 'sgd' }],
    ['optimiser: weightDecay must be a number in [0, 100], got "1"', { kind: 'sgd', learningRate: 0.1, weightDecay: '1' }],
    ['optimiser: momentum must be above 0 with nesterov, got 0', { kind: 'sgd', learningRate: 0.1, momentum: 0, nesterov: true }],
    ['optimiser: momentum must be above 0 with nesterov, got undefined', { kind: 'sgd', learningRate: 0.1, nesterov: true }],
    ['optimiser: nesterov must be true or false, got 1', { kind: 'sgd', learningRate: 0.1, nesterov: 1 }],
    ['optimiser: momentum must not be given for adam, got 0.9', { kind: 'adam', learningRate: 0.1, momentum: 0.9 }],
    ['optimiser: kind must be "adam", "adamw" or "sgd", got "lion"', { kind: 'lion', learningRate: 0.1 }],
    ['optimiser: must be an object, got null', null],
  ])('%s', (message, spec) => {
    expect(() => parseOptimiser(spec as OptimiserSpec)).toThrow(expect.objectContaining({ name: 'UserError', message }));
  });
});

test('slots', () => {
  expect(slots({ kind: 'adam', learningRate: 0.1 })).toBe(2);
  expect(slots({ kind: 'adamw', learningRate: 0.1 })).toBe(2);
  expect(slots({ kind: 'sgd', learningRate: 0.1 })).toBe(0);
  expect(slots({ kind: 'sgd', learningRate: 0.1, momentum: 0.9 })).toBe(1);
});
