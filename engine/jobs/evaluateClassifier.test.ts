/** Evaluation jobs: counts against a plain forward, a base that is the same beside any adapter, and bad input. */
import { expect, test } from 'vitest';
import { Cancelled, UserError } from '../base/errors.ts';
import { Random } from '../base/random.ts';
import { EXACT, expectClose } from '../base/testing/closeTo.ts';
import type { Progress } from '../contract.ts';
import { evaluateOnce, type Feeds } from '../execute/executor.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { program } from '../graph/program.ts';
import { adapterOf } from '../models/adapters/index.ts';
import { mlpParameters } from '../models/mlp.ts';
import { initialise, type Tensors } from '../models/parameters.ts';
import { digitTables, trainingRows } from '../tasks/digitTables.ts';
import { classifierEvaluation, type ClassifierForm } from '../training/classifierStep.ts';
import { evaluateClassifier } from './evaluateClassifier.ts';
import { contextOf } from './testing/context.ts';

const WIDTHS = [784, 12, 11, 10];
const base = initialise(mlpParameters({ widths: WIDTHS }), new Random(1));
/** An adapter's parameters, moved from where they begin. */
function own(id: string): Tensors {
  const values = initialise(adapterOf(id).parameters({ widths: WIDTHS }), new Random(2));
  for (const [name, data] of Object.entries(values)) new Random(3).fork(name).fillUniform(data, -0.2, 1);
  return values;
}
const evaluated = (parameters: object, context = contextOf()) =>
  evaluateClassifier.run(evaluateClassifier.parse({ widths: WIDTHS, base, ...parameters }), context);

test('held-out images: the 5 000 that training of the same seed leaves out, others for another seed', async () => {
  const forms = [{ name: 'base' }];
  const { count, correct } = await evaluated({ part: 'heldOut', seed: 4, angles: [0], forms });
  expect(count).toBe(5000);
  const rows = trainingRows('heldOut', new Random(4).fork('heldOut'));
  const left = new Set(trainingRows('remaining', new Random(4).fork('heldOut')));
  expect(rows.some((row) => left.has(row))).toBe(false);
  const tables = digitTables('train', [0], new Random(0));
  const executor = new OnnxRuntimeExecutor();
  const results = evaluateOnce(executor, classifierEvaluation({ widths: WIDTHS }, tables.count, [{ form: 'soft', temperature: 0.2 }]), {
    images: { data: new Float32Array(tables.images), shape: [tables.count, 784] },
    labels: { data: new Int32Array(tables.labels), shape: [tables.count] },
    index: { data: rows, shape: [rows.length] },
    ...Object.fromEntries(mlpParameters({ widths: WIDTHS }).map(({ name, shape }) => [name, { data: base[name], shape }])),
  });
  executor.dispose();
  // Some rows of nearly equal logits may fall the other way: the number of rows of a product changes its last bits.
  expect(Math.abs(correct.base[0] - results['correct.0'].data[0])).toBeLessThanOrEqual(2);
  expect((await evaluated({ part: 'heldOut', seed: 5, angles: [0], forms })).correct.base[0]).not.toBe(correct.base[0]);
});

test('counts are those of a plain forward in double precision', async () => {
  const gates = own('dopamine');
  const { count, correct } = await evaluated({
    angles: [30],
    forms: [
      { name: 'base' },
      { name: 'hard', adapter: 'dopamine', parameters: gates, form: 'hard' },
      { name: 'soft', adapter: 'dopamine', parameters: gates, temperature: 0.5 },
    ],
  });
  const tables = digitTables('test', [30], new Random(0));
  const [images, labels] = [new Float32Array(tables.images), new Int32Array(tables.labels)];
  const gate = {
    base: (a: number) => a,
    hard: (a: number, t: number, g: number) => (a > t ? g * a : 0),
    soft: (a: number, t: number, g: number) => (g * a) / (1 + Math.exp(-(a - t) / 0.5)),
  };
  for (const [name, act] of Object.entries(gate)) {
    let right = 0;
    for (let row = 0; row < count; row++) {
      let x: ArrayLike<number> = images.subarray(row * 784, (row + 1) * 784);
      for (let layer = 0; layer < 3; layer++) {
        const [width, out] = [WIDTHS[layer], WIDTHS[layer + 1]];
        const next = Float64Array.from(base[`layers.${layer}.bias`]);
        const weight = base[`layers.${layer}.weight`];
        for (let i = 0; i < width; i++) if (x[i] !== 0) for (let j = 0; j < out; j++) next[j] += x[i] * weight[i * out + j];
        x =
          layer === 2
            ? next
            : next.map((z, j) => act(Math.max(0, z), gates[`layers.${layer}.gate.threshold`][j], gates[`layers.${layer}.gate.gain`][j]));
      }
      const logits = Array.from(x);
      right += Number(logits.indexOf(Math.max(...logits)) === labels[row]);
    }
    // Two logits within rounding of one another may change places.
    expect(Math.abs(correct[name][0] - right)).toBeLessThanOrEqual(2);
  }
});

test('the base has the same logits, bit for bit, alone and beside every adapter', () => {
  const count = 300;
  const tables = digitTables('test', [0], new Random(0));
  const executor = new OnnxRuntimeExecutor({ cacheBytes: 0 });
  const logits = (adapters: readonly string[]) => {
    const forms: ClassifierForm[] = [
      { form: 'soft', temperature: 0.2 },
      ...adapters.map((id) => ({ form: 'soft' as const, temperature: 0.2, adapter: adapterOf(id) })),
      { form: 'soft', temperature: 0.2 },
    ];
    const whole = classifierEvaluation({ widths: WIDTHS }, count, forms);
    const chosen = program(Object.fromEntries([...whole.outputs].filter(([name]) => name.startsWith('logits.'))));
    const feeds: Record<string, Feeds[string]> = {
      index: { data: Int32Array.from({ length: count }, (_entry, i) => i), shape: [count] },
      images: { data: new Float32Array(tables.images, 0, count * 784), shape: [count, 784] },
    };
    for (const [name, { shape }] of chosen.inputs) {
      const [, form, rest] = /^(?:form(\d+)\.)?(.*)$/.exec(name)!;
      const values = form === undefined ? base : { ...base, ...own(adapters[Number(form) - 1]) };
      if (values[rest] as Float32Array | undefined) feeds[name] = { data: values[rest], shape: shape as number[] };
    }
    const results = evaluateOnce(executor, chosen, feeds);
    return [results['logits.0'].data, results[`logits.${forms.length - 1}`].data];
  };
  const [alone] = logits([]);
  for (const beside of [['dopamine'], ['lora-r4'], ['dopamine', 'lora-r1', 'full']])
    for (const found of logits(beside)) expectClose(found, alone, EXACT, `beside ${beside.join()}`);
  executor.dispose();
});

test('progress rises to all images of all angles; being called off ends it', async () => {
  const reports: Progress[] = [];
  await evaluated({ angles: [0, 30], forms: [{ name: 'base' }] }, contextOf({ progress: (report) => void reports.push(report) }));
  for (let i = 1; i < reports.length; i++) expect(reports[i].done).toBeGreaterThan(reports[i - 1].done);
  expect(reports.every(({ total }) => total === 20_000)).toBe(true);
  expect(reports.at(-1)?.done).toBe(20_000);
  const breathe = async () => {
    throw new Cancelled();
  };
  await expect(evaluated({ angles: [0], forms: [{ name: 'base' }] }, contextOf({ breathe }))).rejects.toBeInstanceOf(Cancelled);
});

const GOOD = { widths: WIDTHS, base, angles: [0], forms: [{ name: 'base' }] };
const gated = { name: 'gated', adapter: 'dopamine', parameters: own('dopamine') };
const { 'layers.2.bias': _gone, ...incomplete } = base;

test.each<[object, string]>([
  [{ ...GOOD, angles: [] }, 'evaluateClassifier: angles must be at least one angle, got []'],
  [{ ...GOOD, angles: [NaN] }, 'evaluateClassifier: angles.0 must be a number in [-360, 360], got NaN'],
  [{ ...GOOD, widths: [28, 10] }, 'evaluateClassifier: widths must begin with 784, the pixels of an image, got [28, 10]'],
  [{ ...GOOD, widths: [784, 3] }, 'evaluateClassifier: widths must end with at least 10, the classes, got [784, 3]'],
  [{ ...GOOD, data: 3 }, 'evaluateClassifier: data must be a text, got 3'],
  [{ ...GOOD, base: incomplete }, 'evaluateClassifier: base.layers.2.bias must be given, got undefined'],
  [
    { ...GOOD, base: { ...base, 'layers.2.bias': new Float32Array(9) } },
    'evaluateClassifier: base.layers.2.bias must hold 10 numbers, got 9',
  ],
  [{ ...GOOD, base: { ...base, more: new Float32Array(9) } }, 'evaluateClassifier: base must be of layers.0.weight, layers.0.bias'],
  [{ ...GOOD, base: { ...base, 'layers.0.bias': [1] } }, 'evaluateClassifier: base.layers.0.bias must be a Float32Array, got [1]'],
  [{ ...GOOD, forms: [] }, 'evaluateClassifier: forms must be at least one form, got []'],
  [{ ...GOOD, forms: [{ name: 'a' }, { name: 'a' }] }, 'evaluateClassifier: forms.1.name must be a name of its own, got "a"'],
  [{ ...GOOD, forms: [{ name: 'a', adapter: 'lora-r0' }] }, 'lora: rank must be an integer in [1, 4096], got 0'],
  [{ ...GOOD, forms: [{ name: 'a', adapter: 'dropout' }] }, 'adapter: id must be dopamine, lora-r<rank>, full, got "dropout"'],
  [
    { ...GOOD, forms: [{ ...gated, parameters: {} }] },
    'evaluateClassifier: forms.0.parameters.layers.0.gate.threshold must be given, got undefined',
  ],
  [
    { ...GOOD, forms: [{ name: 'a', parameters: gated.parameters }] },
    'evaluateClassifier: forms.0.parameters must be of nothing, got "layers.0.gate.threshold"',
  ],
  [{ ...GOOD, forms: [{ ...gated, form: 'medium' }] }, 'evaluateClassifier: forms.0.form must be "soft" or "hard", got "medium"'],
  [
    { ...GOOD, forms: [{ name: 'a', form: 'hard' }] },
    'evaluateClassifier: forms.0.form must be "soft": nothing here has gates, got "hard"',
  ],
  [
    { ...GOOD, forms: [{ ...gated, temperature: 0 }] },
    'evaluateClassifier: forms.0.temperature must be a number in [0.000001, 1000000], got 0',
  ],
  [{ ...GOOD, angle: 4 }, 'evaluateClassifier: fields must be known, got [angle]'],
])('parameters out of range are refused: %#', (parameters, message) => {
  const refused = () => evaluateClassifier.parse(parameters);
  expect(refused).toThrow(UserError);
  expect(refused).toThrow(message);
});
