/** Thresholds and gains of neurons against their closed forms, computed in double precision. */
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { expectClose } from '../base/testing/closeTo.ts';
import { evaluateOnce } from '../execute/executor.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { Graph } from '../graph/graph.ts';
import { program } from '../graph/program.ts';
import { gradient, sum } from '../ops/index.ts';
import { checkTemperature, gate, temperatureInput, type GateForm } from './gate.ts';
import { neuronGate, variants, type Variant } from './neuron.ts';

const executor = new OnnxRuntimeExecutor({ cacheBytes: 0 });
afterAll(() => executor.dispose());

const dopamine = neuronGate('dopamine', 'activation', { gain: true });

/** One unit with input x, τ, γ: output, ∂/∂γ, ∂/∂τ, ∂/∂x. */
function unit(x0: number, threshold: number, gain: number, temperature: number, form: GateForm, family = dopamine) {
  const graph = new Graph();
  const x = graph.input('x', [1, 1]);
  const parameters = { threshold: graph.input('threshold', [1]), gain: graph.input('gain', [1]) };
  const { output } = gate(family, parameters, x, { temperature: temperatureInput(graph), form });
  const [byGain, byThreshold, byA] = gradient(sum(output), [parameters.gain, parameters.threshold, x]);
  const one = (value: number) => ({ data: Float32Array.of(value), shape: [1] });
  const results = evaluateOnce(executor, program({ output, byGain, byThreshold, byA }), {
    x: { data: Float32Array.of(x0), shape: [1, 1] },
    threshold: one(threshold),
    gain: one(gain),
    temperature: { data: Float32Array.of(temperature), shape: [] },
  });
  return Float64Array.of(...['output', 'byGain', 'byThreshold', 'byA'].map((name) => results[name].data[0]));
}

const number = (min: number, max: number) => fc.double({ min, max, noNaN: true }).map(Math.fround);

test('out, ∂/∂γ, ∂/∂τ and ∂/∂a of the soft form', () => {
  fc.assert(
    fc.property(number(0, 4), number(-2, 4), number(-2, 2), number(0.05, 2), (a, tau, gamma, T) => {
      const s = 1 / (1 + Math.exp(-(a - tau) / T));
      const slope = (a * s * (1 - s)) / T;
      const expected = Float64Array.of(gamma * s * a, s * a, -gamma * slope, gamma * (s + slope));
      // (a − τ)/T, up to 100, is rounded to float32: 6e-8 of it goes into the exponent.
      expectClose(unit(a, tau, gamma, T, 'soft'), expected, { relative: 3e-5, absolute: 1e-6 }, `a ${a} τ ${tau} γ ${gamma} T ${T}`);
    }),
    { numRuns: 40 },
  );
});

test('out of the hard form is γ·1[a > τ]·a exactly, its slope by γ is 1[a > τ]·a', () => {
  fc.assert(
    fc.property(number(0, 4), number(-2, 4), number(-2, 2), (a, tau, gamma) => {
      const [output, byGain] = unit(a, tau, gamma, 0.2, 'hard');
      expect(output).toBeCloseTo(a > tau ? Math.fround(gamma * a) : 0, 12);
      expect(byGain).toBe(a > tau ? a : 0);
    }),
    { numRuns: 40 },
  );
  expect(unit(0.5, 0.5, 1, 0.2, 'hard')[0]).toBe(0); // a = τ is closed
});

describe.each(variants)('%s', (variant: Variant) => {
  const side = (x: number) => (variant === 'two-sided' ? Math.abs(x) : x);
  const inputs = variant === 'activation' ? number(0, 4) : number(-4, 4);

  test('out is γ·σ((x − τ)/T)·x, |x| in the gate where it is two-sided; hard γ·1[x > τ]·x', () => {
    fc.assert(
      fc.property(inputs, number(-2, 4), number(-2, 2), number(0.05, 2), (x, tau, gamma, T) => {
        const family = neuronGate('dopamine', variant, { gain: true });
        const s = 1 / (1 + Math.exp(-(side(x) - tau) / T));
        const slope = (s * (1 - s)) / T;
        const expected = Float64Array.of(gamma * s * x, s * x, -gamma * x * slope, gamma * (s + side(x) * slope));
        const where = `x ${x} τ ${tau} γ ${gamma} T ${T}`;
        // As above; at x = 0 the slope of |x| is a matter of convention.
        if (x !== 0) expectClose(unit(x, tau, gamma, T, 'soft', family), expected, { relative: 3e-5, absolute: 1e-6 }, where);
        expect(unit(x, tau, gamma, T, 'hard', family)[0]).toBeCloseTo(side(x) > tau ? Math.fround(gamma * x) : 0, 12);
      }),
      { numRuns: 40 },
    );
  });

  test('without gains it is the same with γ = 1', () => {
    const [one, none] = [true, false].map((gain) => neuronGate('any', variant, { gain }));
    fc.assert(
      fc.property(inputs, number(-2, 4), (x, tau) => {
        for (const form of ['soft', 'hard'] as const) expect(unit(x, tau, 9, 0.3, form, none)[0]).toBe(unit(x, tau, 1, 0.3, form, one)[0]);
      }),
      { numRuns: 20 },
    );
    expect(none.parameters(3).map(({ name }) => name)).toEqual(['threshold']);
  });
});

test('a dead unit stays silent behind a gate on activations, and wakes behind one on pre-activations', () => {
  const [silent, woken] = (['activation', 'pre-activation'] as const).map((variant) => neuronGate('any', variant, { gain: true }));
  expect(unit(0, -3, 1, 0.2, 'hard', silent)[0]).toBe(0); // the ReLU made 0 of −2
  expect(unit(-2, -3, 1, 0.2, 'hard', woken)[0]).toBe(-2);
});

test('begins with γ = 1 and τ = 0: two parameters for each unit', () => {
  expect(dopamine.parameters(256)).toEqual([
    { name: 'threshold', shape: [256], value: 0 },
    { name: 'gain', shape: [256], value: 1 },
  ]);
});

test.each([0, -1, NaN, Infinity, 1e-60, 1e60])('a temperature of %s is refused', (temperature) => {
  expect(() => checkTemperature(temperature)).toThrow(`gate: temperature must be a number > 0, got ${temperature}`);
});
