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
import { countParameters, initialise, parameterInputs, type Tensors } from '../parameters.ts';
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

/** Logits of the base under an adapter with given parameters; without one, of the base alone. */
function logits(adapter?: Adapter, own: Tensors = {}, form: GateForm = 'soft', on: Executor = executor): Float32Array {
  const graph = new Graph();
  const specs = [...mlpParameters(SMALL), ...(adapter?.parameters(SMALL) ?? [])];
  const parameters = parameterInputs(graph, specs);
  const temperature = graph.input('temperature', []);
  const out = mlp(SMALL, parameters, graph.input('x', [ROWS, 13]), adapter?.hooks(SMALL, { parameters, temperature, form }));
  const values = { ...base, ...own };
  return evaluateOnce(on, program({ out }), {
    x: { data: images, shape: [ROWS, 13] },
    temperature: { data: Float32Array.of(0.2), shape: [] },
    ...Object.fromEntries(specs.map(({ name, shape }) => [name, { data: values[name], shape }])),
  }).out.data as Float32Array;
}

describe('how many parameters', () => {
  test.each([
    ['dopamine', 768],
    ['lora-r1', 1424],
    ['lora-r4', 5696],
    ['lora-r8', 11392],
    ['full', 0],
  ])('%s on 784-256-128-10 adds %i', (id, count) => {
    expect(countParameters(adapterOf(id).parameters(MNIST))).toBe(count);
  });

  test('full trains the 235 146 of the base', () => {
    expect(adapterOf('full').trains).toBe('base');
    expect(countParameters(mlpParameters(MNIST))).toBe(235_146);
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

describe.each(['dopamine', 'lora-r4', 'full'])('%s', (id) => {
  const adapter = adapterOf(id);
  const moved = (): Tensors => {
    const specs = adapter.trains === 'base' ? mlpParameters(SMALL) : adapter.parameters(SMALL);
    const own = initialise(specs, new Random(3));
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

test('ids: every gate family, LoRA of any rank, full, and nothing else', () => {
  for (const id of [...gateFamilies.map((family) => family.id), 'lora-r1', 'lora-r300', 'full']) expect(adapterOf(id).id).toBe(id);
  for (const id of ['', 'lora', 'lora-r', 'lora-r-1', 'lora-r1.5', 'Dopamine', 'dopamine ', 'constructor', '__proto__'])
    expect(() => adapterOf(id)).toThrow(`adapter: id must be dopamine, lora-r<rank>, full, got ${JSON.stringify(id)}`);
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
