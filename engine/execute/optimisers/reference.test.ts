/** The optimisers against two other roads: the textbook formulas in float64, and PyTorch's own figures. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Random } from '../../base/random.ts';
import { createOptimiser, type OptimiserSpec } from './optimiser.ts';
import { createPlainOptimiser } from './plain.ts';
import { parseOptimiser } from './spec.ts';
import { divide, fill, view } from './testing.ts';

describe('the plain twin against the textbook in float64', () => {
  test.each<OptimiserSpec>([
    { kind: 'adam', learningRate: 0.01 },
    { kind: 'adam', learningRate: 0.01, beta1: 0.5, beta2: 0.9, epsilon: 1e-3, weightDecay: 0.1 },
    { kind: 'adamw', learningRate: 0.01, weightDecay: 0.1 },
    { kind: 'sgd', learningRate: 0.1, weightDecay: 0.01 },
    { kind: 'sgd', learningRate: 0.1, momentum: 0.9, weightDecay: 0.01 },
    { kind: 'sgd', learningRate: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0.01 },
  ])('%o', (spec) => {
    const count = 256;
    const { memory, regions } = divide(count, 2);
    const random = new Random(7);
    const parameters = view(memory, regions.parameters, count);
    const gradients = regions.gradients.map((offset) => view(memory, offset, count));
    fill(parameters, random, [-1, 0]);
    const exact = Array.from(parameters);
    const update = textbook(spec, exact);
    const optimiser = createPlainOptimiser(memory, spec);
    for (let t = 1; t <= 20; t++) {
      for (const gradient of gradients) fill(gradient, random, [-3, 0]);
      const rate = spec.learningRate / Math.sqrt(t);
      update(t, rate, (i) => (gradients[0][i] + gradients[1][i]) / 2);
      optimiser.step(regions, t, rate, undefined, 0.5);
    }
    // Of a parameter: at most 20 roundings of 2^-24. Of each of 20 updates, about the rate in size: ten operations' roundings and the float32
    // betas', together under 20 * 2^-24. Measured: below 0.4 of this.
    const scales = exact.map((each) => Math.abs(each) + 20 * spec.learningRate);
    expect(worst(parameters, exact, scales, 20 * 2 ** -24)).toBeUndefined();
  });
});

interface Fixture {
  schedule: number[];
  initial: number[];
  gradients: number[][];
  variants: { spec: OptimiserSpec; steps: number[][] }[];
}
const fixture = JSON.parse(readFileSync(new URL('fixtures/torch-optimisers.json', import.meta.url), 'utf8')) as Fixture;

describe('PyTorch gives the same parameters after every step', () => {
  const count = fixture.initial.length;
  const cases = fixture.variants.flatMap((variant) => [createOptimiser, createPlainOptimiser].map((create) => ({ ...variant, create })));
  test.each(cases)('$spec, $create.name', ({ spec, steps, create }) => {
    const { memory, regions } = divide(count, 1);
    const parameters = view(memory, regions.parameters, count);
    const gradient = view(memory, regions.gradients[0], count);
    parameters.set(fixture.initial);
    const optimiser = create(memory, spec);
    const path = fixture.initial.map(Math.abs);
    steps.forEach((expected, index) => {
      gradient.set(fixture.gradients[index]);
      optimiser.step(regions, index + 1, spec.learningRate * fixture.schedule[index]);
      // 1e-6 of the largest value the parameter has had so far, not of its value now: PyTorch fuses multiply and add, so roundings differ by half
      // an ulp of where the parameter was then, and some of these come back from 100 to 1. (With fused operations the same formulas give every SGD
      // figure of the fixture bit for bit: the difference is that and nothing else.)
      expected.forEach((each, i) => (path[i] = Math.max(path[i], Math.abs(each))));
      expect(worst(parameters, expected, path, 1e-6), `step ${index + 1}`).toBeUndefined();
    });
  });
});

/** The update of the papers and of PyTorch's documentation, in double: parameters is changed in place. */
function textbook(spec: OptimiserSpec, parameters: number[]) {
  const settings = parseOptimiser(spec);
  const first = parameters.map(() => 0);
  const second = parameters.map(() => 0);
  return (t: number, rate: number, gradient: (i: number) => number) => {
    for (let i = 0; i < parameters.length; i++) {
      let g = gradient(i);
      if (settings.kind === 'adamw') parameters[i] -= rate * settings.weightDecay * parameters[i];
      else g += settings.weightDecay * parameters[i];
      if (settings.kind === 'sgd') {
        first[i] = settings.momentum * first[i] + g;
        parameters[i] -= rate * (settings.nesterov ? g + settings.momentum * first[i] : first[i]);
      } else {
        const { beta1, beta2, epsilon } = settings;
        first[i] += (1 - beta1) * (g - first[i]);
        second[i] += (1 - beta2) * (g * g - second[i]);
        const mean = first[i] / (1 - beta1 ** t);
        const square = second[i] / (1 - beta2 ** t);
        parameters[i] -= (rate * mean) / (Math.sqrt(square) + epsilon);
      }
    }
  };
}

/** The element furthest out of |got - expected| ≤ tolerance * scale, and by how much; undefined if none is. */
function worst(got: ArrayLike<number>, expected: readonly number[], scales: readonly number[], tolerance: number): string | undefined {
  const errors = expected.map((each, i) => Math.abs(got[i] - each) / (tolerance * scales[i]));
  const at = errors.findIndex((error) => error === Math.max(...errors));
  if (errors[at] <= 1) return undefined;
  return `element ${at}: got ${got[at]}, expected ${expected[at]}: ${errors[at]?.toFixed(2)} times the tolerance`;
}
