/** Contributions against double precision and against their sum; forced gates against forcing them unit by unit, and TensorFlow.js. */
import { afterAll, describe, expect, test } from 'vitest';
import { checkFindings } from '../base/findings.ts';
import { parseWith } from '../base/schema.ts';
import { mean, standardDeviation } from '../base/statistics.ts';
import { EXACT, expectClose } from '../base/testing/closeTo.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { TensorFlowExecutor } from '../execute/tensorflow.ts';
import { adapterOf } from '../models/adapters/index.ts';
import type { ClassifierModel } from '../models/classifier.ts';
import type { ImageSet } from '../tasks/dataReference.ts';
import { contributions } from './contributions.ts';
import type { Form } from './forward.ts';
import { analysisContext, labelled, smallImages, smallModel, type SmallModel } from './testing/models.ts';
import { answerIn, marginIn, reference } from './testing/reference.ts';

const onnx = new OnnxRuntimeExecutor();
const executors = [onnx, new TensorFlowExecutor()];
afterAll(() => onnx.dispose());

const UNITS = 14;
const ANGLE = 45;
const CLASSES = 3;
type Options = Parameters<typeof contributions.run>[0]['options'];

const run = (model: ClassifierModel, options: Partial<Options> = {}, executor = onnx as (typeof executors)[number], set?: ImageSet) =>
  contributions.run(
    { models: [{ label: 'mode', model }], seed: 0, options: { angle: ANGLE, form: 'soft', images: 40, ...options } },
    analysisContext(executor, set && { images: () => set }),
  );

/** The last layer as it is used: an adapter that trains the base has its own, and offsets are part of the bias. */
function lastLayer({ base, adapter }: ClassifierModel): { weight: Float32Array; bias: number[] } {
  const own = adapter?.parameters ?? {};
  const offset = own['layers.2.bias.offset'];
  return {
    weight: own['layers.2.weight'] ?? base['layers.2.weight'],
    bias: Array.from(own['layers.2.bias'] ?? base['layers.2.bias'], (bias, k) => bias + (offset?.[k] ?? 0)),
  };
}

const cases: [SmallModel, Form][] = [
  [{}, 'base'],
  [{ adapter: 'dopamine' }, 'soft'],
  [{ adapter: 'dopamine' }, 'hard'],
  [{ adapter: 'dopamine+pre-activation' }, 'hard'],
  [{ adapter: 'threshold+two-sided' }, 'soft'],
  [{ adapter: 'dopamine+context', modeAngles: [45, 0] }, 'soft'],
  [{ adapter: 'gain' }, 'soft'],
  [{ adapter: 'bias' }, 'soft'],
  [{ adapter: 'lora-r2' }, 'soft'],
  [{ adapter: 'full' }, 'soft'],
];

describe.each(cases)('%j, %s', (small, form) => {
  const model = smallModel(small);
  const asked = { form: form === 'hard' ? ('hard' as const) : ('soft' as const) };
  const gated = small.adapter !== undefined && adapterOf(small.adapter).gated;
  const set = smallImages('test', ANGLE);
  const { weight, bias } = lastLayer(model);

  test('each unit of the last hidden layer gives its output times its weight, and with the bias they are the logits', async () => {
    const rows = Array.from({ length: 40 }, (_entry, i) => reference(model, form, set, i, ANGLE));
    for (const executor of executors) {
      const { measures, facts, axes } = checkFindings(await run(model, asked, executor));
      expect(axes.lastUnit.values).toEqual(['L1U0', 'L1U1', 'L1U2', 'L1U3', 'L1U4', 'L1U5']);
      const perUnit = (of: typeof rows) =>
        Array.from({ length: 6 * CLASSES }, (_entry, i) => mean(of.map(({ out }) => out[8 + Math.floor(i / CLASSES)])) * weight[i]);
      const ofClass = [0, 1, 2].map((label) => rows.filter((_row, i) => set.labels[i] === label));
      // Outputs are float32.
      const tolerance = { relative: 5e-6, absolute: 0 };
      expectClose(measures.contribution.data, ofClass.flatMap(perUnit), tolerance, 'contribution');
      expectClose(measures.contributionOverall.data, perUnit(rows), tolerance, 'overall');
      expectClose(measures.bias.data, bias, tolerance, 'bias');
      const sums = ofClass.flatMap((_of, c) =>
        bias.map((own, k) => {
          let total = own;
          for (let unit = 0; unit < 6; unit++) total += measures.contribution.data[(c * 6 + unit) * CLASSES + k];
          return total;
        }),
      );
      expectClose(measures.logits.data, sums, tolerance, 'the logits are the sum');
      expectClose(measures.logits.data, ofClass.flatMap((of) => [0, 1, 2].map((k) => mean(of.map(({ logits }) => logits[k])))), tolerance, 'logits'); // prettier-ignore
      const largest = rows.reduce((most, { logits }) => Math.max(most, ...logits.map(Math.abs)), 0);
      expect(facts['completeness.error']).toBeLessThan(1e-6 * largest);
    }
  });

  test('forcing a unit does what forcing it image by image does', async () => {
    const clean = Array.from({ length: 40 }, (_entry, i) => reference(model, form, set, i, ANGLE));
    const { labels } = set;
    const site = gated ? 'decision' : 'output';
    const expected = [1, 0].map((value) =>
      Array.from({ length: UNITS }, (_entry, unit) => {
        if (value === 1 && !gated) return { margin: NaN, marginError: NaN, accuracy: NaN, flips: NaN, state: NaN };
        const forced = clean.map((_row, i) => reference(model, form, set, i, ANGLE, { site, unit, value }));
        const changes = forced.map((row, i) => marginIn(row, labels[i]) - marginIn(clean[i], labels[i]));
        const right = (rows: typeof clean) => rows.filter((row, i) => answerIn(row) === labels[i]).length;
        return {
          margin: mean(changes),
          marginError: standardDeviation(changes) / Math.sqrt(40),
          accuracy: (100 * (right(forced) - right(clean))) / 40,
          flips: forced.filter((row, i) => answerIn(row) !== answerIn(clean[i])).length / 40,
          state: Number(changes.some((change) => change !== 0)),
        };
      }),
    );
    const scale = mean(clean.map((row, i) => Math.abs(marginIn(row, labels[i]))));
    for (const executor of executors) {
      const { measures, axes } = await run(model, asked, executor);
      expect(axes.forced.values).toEqual(['open', 'shut']);
      for (const name of ['margin', 'marginError', 'accuracy', 'flips', 'state'] as const)
        expectClose(
          measures[name].data,
          expected.flatMap((units) => units.map((unit) => unit[name])),
          name.startsWith('margin') ? { relative: 0, absolute: 1e-5 * scale } : EXACT,
          `${executor.name}: ${name}`,
        );
      expect(measures.margin.data.slice(UNITS).some((change) => Math.abs(change) > 0.01 * scale)).toBe(true);
    }
  });
});

test('more than a chunk of images, and no more than there are', async () => {
  const model = smallModel({ adapter: 'dopamine' });
  const { measures, facts } = await run(model, { images: 5000 });
  const set = smallImages('test', ANGLE);
  expect(facts.images).toBe(620);
  const shut = Array.from({ length: 620 }, (_entry, i) => {
    const margin = (value?: number) =>
      marginIn(
        reference(model, 'soft', set, i, ANGLE, value === undefined ? undefined : { site: 'decision', unit: 2, value }),
        set.labels[i],
      );
    return margin(0) - margin();
  });
  expectClose([measures.margin.data[UNITS + 2]], [mean(shut)], { relative: 1e-5, absolute: 1e-6 }, 'L0U2 shut');
});

test('facts say what was forced and what the numbers rest on; gates that are not there are not open', async () => {
  const gated = await run(smallModel({ adapter: 'dopamine' }), { form: 'hard' });
  expect(gated.facts).toMatchObject({
    device: 'onnxruntime-cpu',
    part: 'test',
    images: 40,
    angles: '45°',
    model: 'mode',
    form: 'hard',
    forcedAt: 'decision',
    denominator: '40 images',
  });
  expect(gated.measures.margin.definition).toMatch(/open: the decision of the unit's gate set to 1; shut: set to 0/);
  const plain = await run(smallModel({}));
  expect(plain.facts).toMatchObject({ form: 'no gates', forcedAt: 'output' });
  expect(plain.measures.margin.definition).toMatch(/open: NaN, since nothing here has gates/);
});

test('a hard gate that is open everywhere is proved to change nothing when it is opened', async () => {
  const model = smallModel({ adapter: 'dopamine' });
  model.adapter!.parameters['layers.0.gate.threshold'].fill(-1);
  const { measures } = await run(model, { form: 'hard' });
  expectClose(measures.state.data.slice(0, 8), new Array(8).fill(0), EXACT, 'state, open');
  expectClose(measures.margin.data.slice(0, 8), new Array(8).fill(0), EXACT, 'margin, open');
  expect(measures.state.data.slice(UNITS, UNITS + 6)).toEqual(Float64Array.of(1, 1, 1, 1, 1, 1));
});

test('a class without images has no contributions', async () => {
  const set = smallImages('test', ANGLE);
  const labels = set.labels.map((label) => label % 2);
  const { measures } = await run(smallModel({}), {}, onnx, { ...set, labels });
  expect(measures.contribution.data.slice(0, 36).every(Number.isFinite)).toBe(true);
  expectClose(measures.contribution.data.slice(36), new Array(18).fill(NaN), EXACT, 'third class');
  expect(measures.contributionOverall.data.every(Number.isFinite)).toBe(true);
});

test('options have defaults and refuse the rest; a model without hidden layers has no units', async () => {
  expect(contributions.options.parse({})).toEqual({ angle: 45, form: 'soft', images: 2000 });
  expect(() => parseWith(contributions.options, 'contributions', { images: 0 })).toThrow(
    'contributions: images must be an integer in [2, 1000000], got 0',
  );
  const { model } = labelled('flat', {});
  const flat = { ...model, widths: [36, 3], base: { 'layers.0.weight': new Float32Array(108), 'layers.0.bias': new Float32Array(3) } };
  await expect(run(flat)).rejects.toThrow('contributions: mode must have hidden layers');
});
