/** Dopamine against its closed forms (methods.md §2.2), computed in double precision. */
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { expectClose } from '../base/testing/closeTo.ts';
import { evaluateOnce } from '../execute/executor.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { Graph } from '../graph/graph.ts';
import { program } from '../graph/program.ts';
import { gradient, sum } from '../ops/index.ts';
import { dopamine } from './dopamine.ts';
import { checkTemperature, gate, temperatureInput, type GateForm } from './gate.ts';

const executor = new OnnxRuntimeExecutor({ cacheBytes: 0 });
afterAll(() => executor.dispose());

/** One unit with activation a, τ, γ. */
function unit(a: number, threshold: number, gain: number, temperature: number, form: GateForm) {
  const graph = new Graph();
  const x = graph.input('x', [1, 1]);
  const parameters = { threshold: graph.input('threshold', [1]), gain: graph.input('gain', [1]) };
  const { output } = gate(dopamine, parameters, x, { temperature: temperatureInput(graph), form });
  const [byGain, byThreshold, byA] = gradient(sum(output), [parameters.gain, parameters.threshold, x]);
  const one = (value: number) => ({ data: Float32Array.of(value), shape: [1] });
  const results = evaluateOnce(executor, program({ output, byGain, byThreshold, byA }), {
    x: { data: Float32Array.of(a), shape: [1, 1] },
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

test('begins with γ = 1 and τ = 0: two parameters for each unit', () => {
  expect(dopamine.parameters(256)).toEqual([
    { name: 'threshold', shape: [256], value: 0 },
    { name: 'gain', shape: [256], value: 1 },
  ]);
});

test.each([0, -1, NaN, Infinity, 1e-60, 1e60])('a temperature of %s is refused', (temperature) => {
  expect(() => checkTemperature(temperature)).toThrow(`gate: temperature must be a number > 0, got ${temperature}`);
});
