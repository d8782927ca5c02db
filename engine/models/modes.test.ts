/** Paths between modes: their ends bit for bit, their middle by the formula, and what has no path. */
import { afterAll, describe, expect, test } from 'vitest';
import { EXACT, expectClose } from '../base/testing/closeTo.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { Forward, type Form } from '../analyses/forward.ts';
import { readLogits } from '../analyses/scoring.ts';
import { smallImages, smallModel } from '../analyses/testing/models.ts';
import { adapterOf } from './adapters/index.ts';
import { checkClassifier, type ClassifierModel } from './classifier.ts';
import { interpolate, sameBits, sameTensors } from './modes.ts';

const executor = new OnnxRuntimeExecutor();
afterAll(() => executor.dispose());

const set = smallImages('test', 45);

function logitsOf(model: ClassifierModel, form: Form, angle = 45): Float32Array {
  using forward = new Forward(executor, model, form, readLogits);
  return forward.run(set, 0, 100, angle).logits.data as Float32Array;
}

const formsOf = (id: string): Form[] => (adapterOf(id).gated ? ['soft', 'hard'] : ['soft']);

describe.each(['dopamine', 'dopamine+straight-through', 'threshold', 'dopamine+context', 'gain', 'bias', 'lora-r2', 'full'])(
  'from the base to %s',
  (id) => {
    const model = smallModel({ adapter: id, modeAngles: [45, 0] });

    test.each(formsOf(id))('begins as the base, bit for bit, and ends as the mode: %s', (form) => {
      const start = interpolate(model, undefined, 0);
      expectClose(logitsOf(start, form), logitsOf(model, 'base'), EXACT, 't = 0');
      expectClose(logitsOf(interpolate(model, undefined, 1), form), logitsOf(model, form), EXACT, 't = 1');
      expect(logitsOf(model, form)).not.toEqual(logitsOf(model, 'base'));
    });

    test('is near its ends near them, and a model everywhere', () => {
      const apart = (a: Float32Array, b: Float32Array) => Math.max(...a.map((value, i) => Math.abs(value - b[i])));
      // One threshold is at 100: the path reaches it where T·ln t does, at t = e^(−100/T).
      const [base, mode] = [logitsOf(model, 'base'), logitsOf(model, 'soft')];
      expect(apart(logitsOf(interpolate(model, undefined, 1e-300), 'soft'), base)).toBeLessThan(1e-3);
      expect(apart(logitsOf(interpolate(model, undefined, 1 - 1e-6), 'soft'), mode)).toBeLessThan(1e-3);
      for (const t of [0, 0.3, 1]) checkClassifier('a point of the path', interpolate(model, undefined, t));
    });

    test('begins as the base at any temperature', () => {
      const hot = smallModel({ adapter: id, modeAngles: [45, 0], temperature: [1e6, 1e6] });
      expectClose(logitsOf(interpolate(hot, undefined, 0), 'soft'), logitsOf(hot, 'base'), EXACT, 't = 0');
    });

    test('changes neither the mode nor the base', () => {
      const before = structuredClone(model);
      interpolate(model, undefined, 0.5);
      expect(model).toEqual(before);
    });
  },
);

describe('from the base, the parameters', () => {
  test('of a gate: odds of being open divided by t, gains linear', () => {
    const model = smallModel({ adapter: 'dopamine' });
    const { parameters } = interpolate(model, undefined, 0.25).adapter!;
    const own = model.adapter!.parameters;
    const odds = (threshold: number, temperature: number, a: number) => {
      const open = 1 / (1 + Math.exp(-(a - threshold) / temperature));
      return open / (1 - open);
    };
    for (const [layer, temperature] of [0.2, 0.1].entries()) {
      const name = `layers.${layer}.gate.`;
      // In threshold units a float32 of about 1 is a hundred millionth of itself off: the odds ten times that at T = 0.1.
      own[`${name}threshold`].forEach((threshold, unit) => {
        if (threshold === 100) return;
        const ratio = odds(parameters[`${name}threshold`][unit], temperature, 0.1) / odds(threshold, temperature, 0.1);
        expect(ratio).toBeCloseTo(4, 4);
      });
      expectClose(
        parameters[`${name}gain`],
        own[`${name}gain`].map((gain) => 0.75 + 0.25 * gain),
        { relative: 0, absolute: 2e-7 },
        'gain',
      );
    }
  });

  test('of LoRA and of full fine-tuning: weights linear', () => {
    const lora = smallModel({ adapter: 'lora-r2' });
    const half = interpolate(lora, undefined, 0.5).adapter!.parameters;
    expectClose(
      half['layers.0.lora.B'],
      lora.adapter!.parameters['layers.0.lora.B'].map((b) => b / 2),
      EXACT,
      'B',
    );
    expectClose(half['layers.0.lora.A'], lora.adapter!.parameters['layers.0.lora.A'], EXACT, 'A');
    const full = smallModel({ adapter: 'full' });
    const weight = full.base['layers.1.weight'].map((w, i) => (w + full.adapter!.parameters['layers.1.weight'][i]) / 2);
    expectClose(
      interpolate(full, undefined, 0.5).adapter!.parameters['layers.1.weight'],
      weight,
      { relative: 1e-7, absolute: 0 },
      'weight',
    );
  });
});

describe.each(['dopamine', 'dopamine+pre-activation', 'dopamine+two-sided', 'dopamine+context', 'gain', 'bias', 'full'])(
  'between two modes of %s',
  (id) => {
    const one = smallModel({ adapter: id, modeAngles: [45, 0] });
    const other = smallModel({ adapter: id, modeAngles: [45, 0], variant: 1, temperature: [0.4, 0.3] });

    test('the ends are the modes, the middle is their mean in every parameter and temperature', () => {
      expect(interpolate(one, other, 0)).toBe(one);
      expect(interpolate(one, other, 1)).toBe(other);
      const middle = interpolate(one, other, 0.5);
      checkClassifier('the middle', middle);
      for (const [name, values] of Object.entries(middle.adapter!.parameters)) {
        const mean = values.map((_value, i) => (one.adapter!.parameters[name][i] + other.adapter!.parameters[name][i]) / 2);
        expectClose(values, mean, { relative: 1e-7, absolute: 0 }, name);
      }
      expectClose(middle.adapter!.temperature, adapterOf(id).gated ? [0.3, 0.2] : [], { relative: 1e-12, absolute: 0 }, 'temperature');
    });
  },
);

test('between two LoRAs, of other ranks too, what is added to the weights is linear', () => {
  const [one, other] = [smallModel({ adapter: 'lora-r2' }), smallModel({ adapter: 'lora-r3', modeAngles: [0] })];
  const point = interpolate(one, other, 0.3);
  checkClassifier('the point', point);
  expect(point.adapter).toMatchObject({ id: 'lora-r5', angles: [45, 0] });
  const product = ({ adapter }: ClassifierModel, layer: number, rank: number) => {
    const [a, b] = ['A', 'B'].map((factor) => adapter!.parameters[`layers.${layer}.lora.${factor}`]);
    const [rows, width] = [a.length / rank, b.length / rank];
    return Array.from({ length: rows * width }, (_entry, at) => {
      let sum = 0;
      for (let r = 0; r < rank; r++) sum += a[Math.floor(at / width) * rank + r] * b[r * width + (at % width)];
      return sum;
    });
  };
  for (const layer of [0, 1]) {
    const [first, second] = [product(one, layer, 2), product(other, layer, 3)];
    expectClose(
      product(point, layer, 5),
      first.map((value, i) => 0.7 * value + 0.3 * second[i]),
      { relative: 1e-6, absolute: 0 },
      'A·B',
    );
  }
});

describe('what has no path', () => {
  const dopamine = smallModel({ adapter: 'dopamine' });
  test.each<[string, ClassifierModel, ClassifierModel | undefined, number, string]>([
    [
      'gates in the place of the ReLU have no base end',
      smallModel({ adapter: 'dopamine+pre-activation' }),
      undefined,
      0.5,
      'interpolate: adapter must gate activations',
    ],
    ['two-sided ones neither', smallModel({ adapter: 'threshold+two-sided' }), undefined, 1, 'interpolate: adapter must gate activations'],
    ['a foundation is no mode', smallModel(), undefined, 0.5, 'interpolate: model must have an adapter, got "a foundation"'],
    ['nor as the other end', dopamine, smallModel(), 0.5, 'interpolate: model must have an adapter, got "a foundation"'],
    ['two bases', dopamine, smallModel({ adapter: 'dopamine', seed: 2 }), 0.5, 'interpolate: base must be the same'],
    ['two adapters', dopamine, smallModel({ adapter: 'threshold' }), 0.5, 'interpolate: adapter must be the same'],
    [
      'other modes of context-conditioned ones',
      smallModel({ adapter: 'dopamine+context', modeAngles: [0, 45] }),
      smallModel({ adapter: 'dopamine+context', modeAngles: [45, 0] }),
      0.5,
      'interpolate: angles must be [0, 45] for both',
    ],
    ['beyond the ends', dopamine, undefined, 1.01, 'interpolate: t must be a number in [0, 1], got 1.01'],
    ['nowhere', dopamine, undefined, NaN, 'interpolate: t must be a number in [0, 1], got NaN'],
  ])('%s', (_what, model, other, t, message) => {
    expect(() => interpolate(model, other, t)).toThrow(message);
  });
});

test('bits are compared, not numbers', () => {
  expect(sameBits(Float32Array.of(NaN, 1), Float32Array.of(NaN, 1))).toBe(true);
  expect(sameBits(Float32Array.of(0), Float32Array.of(-0))).toBe(false);
  expect(sameBits(Float32Array.of(1), Float32Array.of(1, 2))).toBe(false);
  expect(sameBits(Float32Array.of(9, 1, 2).subarray(1), Float32Array.of(1, 2))).toBe(true);
  const tensors = { a: Float32Array.of(1), b: Float32Array.of(2) };
  expect(sameTensors(tensors, { b: Float32Array.of(2), a: Float32Array.of(1) })).toBe(true);
  expect(sameTensors(tensors, { a: Float32Array.of(1) })).toBe(false);
  expect(sameTensors(tensors, { ...tensors, b: Float32Array.of(3) })).toBe(false);
  expect(sameTensors(tensors, { a: Float32Array.of(1), c: Float32Array.of(2) })).toBe(false);
});
