/** What adapters add, that they begin as the base (where they say so), and that the base is what it was when they are gone. */
import { afterAll, describe, expect, test } from 'vitest';
import { Random } from '../../base/random.ts';
import { EXACT, expectClose } from '../../base/testing/closeTo.ts';
import { OnnxRuntimeExecutor } from '../../execute/onnxruntime.ts';
import { TensorFlowExecutor } from '../../execute/tensorflow.ts';
import { evaluateOnce, type Executor } from '../../execute/executor.ts';
import { Graph } from '../../graph/graph.ts';
import { program } from '../../graph/program.ts';
import { gateFamilies } from '../../gates/index.ts';
import type { GateForm } from '../../gates/gate.ts';
import { mlp, mlpParameters } from '../mlp.ts';
import { countParameters, initialise, parameterInputs, type ParameterSpec, type Tensors } from '../parameters.ts';
import type { Adapter } from './adapter.ts';
import { adapterOf } from './index.ts';
import { lora } from './lora.ts';

const MNIST = { widths: [784, 256, 128, 10] };
const SMALL = { widths: [13, 9, 7, 4] };
const ROWS = 6;

const executor = new OnnxRuntimeExecutor({ cacheBytes: 0 });
afterAll(() => executor.dispose());

const base = initialise(mlpParameters(SMALL), new Random(1));
const images = new Float32Array(ROWS * 13);
new Random(2).fillUniform(images, 0, 1);

/** Rows 0, 2, 4 are in the first of two modes, the others in the second. */
const MODES = Float32Array.from({ length: 2 * ROWS }, (_entry, i) => Number(i % 2 === Math.floor(i / 2) % 2));

function specsOf(adapter?: Adapter): ParameterSpec[] {
  if (!adapter) return mlpParameters(SMALL);
  return adapter.trains === 'base' ? adapter.parameters(SMALL) : [...mlpParameters(SMALL), ...adapter.parameters(SMALL, 2)];
}

/** Logits of the base under an adapter with given parameters; without one, of the base alone. */
function logits(adapter?: Adapter, own: Tensors = {}, form: GateForm = 'soft', on: Executor = executor): Float32Array {
  const graph = new Graph();
  const specs = specsOf(adapter);
  const parameters = parameterInputs(graph, specs);
  const temperature = graph.input('temperature', []);
  const modes = graph.input('modes', [ROWS, 2]);
  const hooks = adapter?.hooks(SMALL, { parameters, temperature: () => temperature, form, modes });
  const out = mlp(SMALL, parameters, graph.input('x', [ROWS, 13]), hooks);
  const values = { ...base, ...own };
  return evaluateOnce(on, program({ out }), {
    x: { data: images, shape: [ROWS, 13] },
    temperature: { data: Float32Array.of(0.2), shape: [] },
    modes: { data: MODES, shape: [ROWS, 2] },
    ...Object.fromEntries(specs.map(({ name, shape }) => [name, { data: values[name], shape }])),
  }).out.data as Float32Array;
}

describe('how many parameters', () => {
  test.each([
    ['dopamine', 768],
    ['dopamine+two-sided+straight-through', 768],
    ['threshold', 384],
    ['gain', 384],
    ['bias', 394],
    ['lora-r1', 1424],
    ['lora-r4', 5696],
    ['lora-r8', 11392],
    ['full', 235_146],
  ])('%s on 784-256-128-10 trains %i', (id, count) => {
    expect(countParameters(adapterOf(id).parameters(MNIST))).toBe(count);
  });

  test('of two modes, context-conditioned thresholds have one more each for every unit', () => {
    expect(countParameters(adapterOf('dopamine+context').parameters(MNIST, 2))).toBe(768 + 2 * 384);
  });

  test('the last layer has no gate and no LoRA', () => {
    for (const id of ['dopamine', 'lora-r2'])
      expect(
        adapterOf(id)
          .parameters(MNIST)
          .some(({ name }) => name.startsWith('layers.2')),
      ).toBe(false);
  });
});

test.each([1, 2, 4, 8, 16])('LoRA of rank %i begins as the base, bit for bit', (rank) => {
  const adapter = lora(rank);
  const own = initialise(adapter.parameters(SMALL), new Random(rank));
  expectClose(logits(adapter, own), logits(), EXACT, 'logits');
});

test.each(['gain', 'bias'])('%s begins as the base, bit for bit', (id) => {
  const adapter = adapterOf(id);
  expectClose(logits(adapter, initialise(adapter.parameters(SMALL), new Random(1))), logits(), EXACT, 'logits');
});

test('context-conditioned thresholds are τ₀ + U of the row’s mode: as two adapters, one for each', () => {
  const adapter = adapterOf('dopamine+context');
  const own = initialise(adapter.parameters(SMALL, 2), new Random(1));
  for (const [name, values] of Object.entries(own)) new Random(2).fork(name).fillUniform(values, -0.3, 0.3);
  const found = logits(adapter, own);
  const plain = adapterOf('dopamine');
  for (const mode of [0, 1]) {
    const alone = { ...own };
    for (const layer of [0, 1]) {
      const context = own[`layers.${layer}.gate.context`];
      const threshold = own[`layers.${layer}.gate.threshold`];
      alone[`layers.${layer}.gate.threshold`] = threshold.map((value, j) => value + context[mode * threshold.length + j]);
    }
    const expected = logits(plain, alone);
    for (let row = mode; row < ROWS; row += 2)
      expectClose(
        found.subarray(4 * row, 4 * row + 4),
        expected.subarray(4 * row, 4 * row + 4),
        { relative: 1e-6, absolute: 1e-6 },
        `row ${row}`,
      );
  }
  const graph = new Graph();
  const parameters = parameterInputs(graph, specsOf(adapter));
  const hooks = adapter.hooks(SMALL, { parameters, temperature: () => graph.uniform(0.2), form: 'soft' });
  expect(() => mlp(SMALL, parameters, graph.input('x', [ROWS, 13]), hooks)).toThrow(
    'adapter dopamine+context: modes must be given: thresholds depend on them, got undefined',
  );
});

test('LoRA is x·(W + A·B) + b in double precision', () => {
  const adapter = lora(3);
  const own = initialise(adapter.parameters(SMALL), new Random(5));
  new Random(6).fillNormal(own['layers.0.lora.B'], 0, 0.5);
  new Random(7).fillNormal(own['layers.1.lora.B'], 0, 0.5);
  const { widths } = SMALL;
  let rows = Array.from({ length: ROWS }, (_entry, row) => Array.from(images.subarray(row * 13, (row + 1) * 13)));
  for (let layer = 0; layer < 3; layer++) {
    const [width, out] = [widths[layer], widths[layer + 1]];
    const [weight, bias] = [base[`layers.${layer}.weight`], base[`layers.${layer}.bias`]];
    const [a, b] = [own[`layers.${layer}.lora.A`] as Float32Array | undefined, own[`layers.${layer}.lora.B`]];
    rows = rows.map((x) =>
      Array.from({ length: out }, (_entry, j) => {
        let total = bias[j];
        for (let i = 0; i < width; i++) {
          let entry = weight[i * out + j];
          if (a) for (let r = 0; r < 3; r++) entry += a[i * 3 + r] * b[r * out + j];
          total += x[i] * entry;
        }
        return layer < 2 ? Math.max(0, total) : total;
      }),
    );
  }
  // Some thirty terms of float32 in each of three layers.
  expectClose(logits(adapter, own), rows.flat(), { relative: 2e-6, absolute: 1e-6 }, 'logits');
});

describe.each([
  ...gateFamilies.map(({ id }) => id),
  'dopamine+straight-through',
  'dopamine+context',
  'threshold+pre-activation+straight-through+context',
  'gain',
  'bias',
  'lora-r4',
  'full',
])('%s', (id) => {
  const adapter = adapterOf(id);
  const moved = (): Tensors => {
    const own = initialise(adapter.parameters(SMALL, 2), new Random(3));
    for (const [name, values] of Object.entries(own)) {
      const noise = new Float32Array(values.length);
      new Random(4).fork(name).fillUniform(noise, -0.3, 0.3);
      values.forEach((value, i) => (values[i] = value + noise[i]));
    }
    return own;
  };

  test('acts while it is there, and leaves the base bit for bit when it is gone', () => {
    const before = logits();
    const with_ = logits(adapter, moved());
    expect(with_.some((value, i) => value !== before[i])).toBe(true);
    expectClose(logits(), before, EXACT, 'logits of the base afterwards');
  });

  test('gives on TensorFlow.js what it gives on ONNX Runtime', () => {
    const own = moved();
    for (const form of adapter.gated ? (['soft', 'hard'] as const) : (['soft'] as const))
      expectClose(
        logits(adapter, own, form),
        logits(adapter, own, form, new TensorFlowExecutor()),
        { relative: 2e-6, absolute: 1e-6 },
        form,
      );
  });
});

test('training with straight-through gates computes with hard decisions, other gates with soft ones', () => {
  const own = initialise(adapterOf('dopamine').parameters(SMALL), new Random(3));
  const through = adapterOf('dopamine+straight-through');
  const graph = new Graph();
  const parameters = parameterInputs(graph, specsOf(through));
  const x = graph.input('x', [ROWS, 13]);
  const built = (adapter: Adapter) =>
    graph.within(adapter.id, () =>
      mlp(SMALL, parameters, x, adapter.hooks(SMALL, { parameters, temperature: () => graph.uniform(0.2), form: 'training' })),
    );
  const results = evaluateOnce(executor, program({ hard: built(through), soft: built(adapterOf('dopamine')) }), {
    x: { data: images, shape: [ROWS, 13] },
    ...Object.fromEntries(specsOf(through).map(({ name, shape }) => [name, { data: { ...base, ...own }[name], shape }])),
  });
  expectClose(results.hard.data, logits(through, own, 'hard'), EXACT, 'straight-through');
  expectClose(results.soft.data, logits(through, own, 'soft'), EXACT, 'soft');
});

test('ids: every gate family with its options, gain, bias, LoRA of any rank, full, and nothing else', () => {
  for (const id of [
    ...gateFamilies.map((family) => family.id),
    'gain',
    'bias',
    'lora-r1',
    'lora-r300',
    'full',
    'dopamine+straight-through+context',
  ])
    expect(adapterOf(id).id).toBe(id);
  expect(adapterOf('dopamine+context+two-sided+straight-through').id).toBe('dopamine+two-sided+straight-through+context');
  for (const id of [
    '',
    'lora',
    'lora-r',
    'lora-r-1',
    'lora-r1.5',
    'Dopamine',
    'dopamine ',
    'constructor',
    '__proto__',
    '+context',
    'gain+context',
  ])
    expect(() => adapterOf(id)).toThrow(
      `adapter: id must be dopamine, threshold, gain, bias, full or lora-r<rank>, got ${JSON.stringify(id)}`,
    );
  for (const id of ['dopamine+', 'dopamine+nope', 'dopamine+context+context', 'threshold+pre-activation+two-sided'])
    expect(() => adapterOf(id)).toThrow(
      `with each at most once of +straight-through, +context and one of +pre-activation, +two-sided, got ${JSON.stringify(id)}`,
    );
  expect(() => adapterOf('lora-r0')).toThrow('lora: rank must be an integer in [1, 4096], got 0');
  expect(() => adapterOf('lora-r999999999999')).toThrow('lora: rank must be an integer in [1, 4096], got 999999999999');
});

test('widths that make no MLP are refused', () => {
  for (const widths of [[], [5], [5, 0], [5, 2.5], [NaN, 2]])
    expect(() => mlpParameters({ widths })).toThrow('mlp: widths must be at least two positive integers');
});

test('a parameter begins the same whatever else the model has, within ±1/√fan_in', () => {
  const alone = initialise(mlpParameters({ widths: [784, 256] }), new Random(9));
  const whole = initialise(mlpParameters(MNIST), new Random(9));
  expectClose(whole['layers.0.weight'], alone['layers.0.weight'], EXACT, 'layers.0.weight');
  for (const [name, fanIn] of [
    ['layers.0.weight', 784],
    ['layers.1.weight', 256],
    ['layers.1.bias', 256],
  ] as const) {
    const bound = 1 / Math.sqrt(fanIn);
    const values = whole[name];
    expect(values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)).toBeLessThanOrEqual(Math.fround(bound));
    expect(values.reduce((a, b) => a + b * b, 0) / values.length / ((bound * bound) / 3)).toBeCloseTo(1, values.length > 1000 ? 1 : 0);
  }
});
