/** What a training measures: against plain double precision, against the finished model, across an interruption; and that it changes nothing. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { reference, references, rightOf } from '../analyses/testing/reference.ts';
import { EXACT, expectClose } from '../base/testing/closeTo.ts';
import { Random } from '../base/random.ts';
import type { Progress } from '../contract.ts';
import { adapterOf } from '../models/adapters/index.ts';
import { initialise } from '../models/parameters.ts';
import { loadImages } from '../tasks/imageData.ts';
import { imageTables } from '../tasks/imageTables.ts';
import { firstImages, imagesAt } from '../tasks/someImages.ts';
import { writeSomeDigits } from '../tasks/testing/someDigits.ts';
import type { TrainingCheckpoint } from '../training/loop.ts';
import { contextOf } from './testing/context.ts';
import { trainClassifier, type TrainResult } from './trainClassifier.ts';

const trained = (parameters: object, context = contextOf()) => trainClassifier.run(trainClassifier.parse(parameters), context);
const folder = mkdtempSync(join(tmpdir(), 'gatescope-measuring-'));
afterAll(() => rmSync(folder, { recursive: true }));
const source = join(folder, 'digits.npz');
await writeSomeDigits(source, 12_000, 1000);
/** 12 steps. */
const PLAN = { data: { source }, epochs: 1, batch: 1000, optimiser: { kind: 'adam', learningRate: 3e-2 }, seed: 3 };
const base = (await trained({ ...PLAN, epochs: 5, seed: 4, hidden: [12, 10] })).model;
const adapting = (adapter: string, more: object = {}) => ({ ...PLAN, adapter, base, angles: [45], ...more });
/** Few, since double precision is slow; enough that gates of all states are among them. */
const IMAGES = 120;
const measure = { every: 5, images: IMAGES, angles: [0, 45] };
const names = ({ series }: TrainResult) => Object.keys(series);
const values = ({ series }: TrainResult, name: string) => series[name].values;

const soft = ['accuracy 0°', 'accuracy 45°'];
const gated = [...soft, 'hard accuracy 0°', 'hard accuracy 45°', 'soft − hard', 'gates open'];

describe.each<[string, object, string[]]>([
  ['a foundation', { ...PLAN, hidden: [12, 10], angles: [0, 45] }, soft],
  ['dopamine', adapting('dopamine', { temperature: { kind: 'geometric', start: 0.5, end: 0.05, scale: [1, 2] } }), gated],
  ['a mode for each angle', adapting('threshold+context', { angles: [0, 45] }), gated],
  ['gates in the place of the ReLU', adapting('dopamine+two-sided+straight-through'), gated],
  ['gains', adapting('gain'), soft],
  ['LoRA', adapting('lora-r2'), soft],
  ['full fine-tuning', adapting('full'), soft],
])('%s', (_what, plan, expected) => {
  test('trains to the same bits with and without, and has a series for every figure', async () => {
    const [plain, measured] = [await trained(plan), await trained({ ...plan, measure })];
    expect(measured.digest).toBe(plain.digest);
    expect(measured.model).toEqual(plain.model);
    expect(names(measured)).toEqual([...names(plain), ...expected]);
    for (const name of names(plain)) expectClose(values(measured, name), values(plain, name), EXACT, name);
    for (const name of expected) {
      const series = values(measured, name);
      expect(Array.from(series.keys()).filter((step) => !Number.isNaN(series[step]))).toEqual([0, 5, 10, 12]);
      expect(series).toHaveLength(13);
    }
  });

  test('what is measured last is what plain double precision finds of the finished model', async () => {
    const result = await trained({ ...plan, measure });
    const { model } = result;
    const data = await loadImages(source);
    const form = model.adapter ? 'soft' : 'base';
    const own = model.adapter?.angles ?? [];
    const last = (name: string) => values(result, name)[12];
    const [gaps, open]: number[][] = [[], []];
    for (const angle of [0, 45]) {
      const set = firstImages(data, IMAGES, angle);
      const right = (as: 'base' | 'soft' | 'hard') => (100 * rightOf(model, as, set, angle)) / IMAGES;
      expect(last(`accuracy ${angle}°`)).toBeCloseTo(right(form), 4);
      if (!expected.includes('gates open')) continue;
      expect(last(`hard accuracy ${angle}°`)).toBeCloseTo(right('hard'), 4);
      if (!own.includes(angle)) continue;
      gaps.push(right('soft') - right('hard'));
      open.push(...references(model, 'soft', set, angle).flatMap(({ active }) => active.map(Number)));
    }
    if (!expected.includes('gates open')) return;
    const mean = (of: number[]) => of.reduce((a, b) => a + b, 0) / of.length;
    expect(last('soft − hard')).toBeCloseTo(mean(gaps), 4);
    expect(last('gates open')).toBeCloseTo(100 * mean(open), 4);
    expect(last('gates open')).toBeGreaterThan(5);
    expect(last('gates open')).toBeLessThan(99);
  });
});

test('what is measured on the way is of the model that a shorter training ends in', async () => {
  const longer = await trained(adapting('dopamine', { epochs: 2, measure }));
  const shorter = await trained(adapting('dopamine', { measure: { ...measure, every: 1 } }));
  for (const name of gated) {
    expect(values(longer, name)[5]).toBe(values(shorter, name)[5]);
    expect(values(shorter, name).every((value) => !Number.isNaN(value))).toBe(true);
  }
  expect(new Set(values(shorter, 'accuracy 45°')).size).toBeGreaterThan(3);
  // Before the first step an adapter of thresholds 0 and gains 1 has the gates it begins with.
  const begun = {
    ...longer.model,
    adapter: { ...longer.model.adapter!, parameters: { ...initialise(adapterOf('dopamine').parameters(base), new Random(0)) } },
  };
  const set = firstImages(await loadImages(source), IMAGES, 45);
  expect(values(longer, 'accuracy 45°')[0]).toBeCloseTo((100 * rightOf(begun, 'soft', set, 45)) / IMAGES, 4);
  expect(reference(begun, 'soft', set, 0, 45).logits).toHaveLength(10);
});

test('where no angle of the mode is measured, the gap and the open gates are over all that are', async () => {
  const result = await trained(adapting('dopamine', { angles: [90], measure }));
  const at = (name: string) => values(result, name)[12];
  const gap = (angle: number) => at(`accuracy ${angle}°`) - at(`hard accuracy ${angle}°`);
  expect(at('soft − hard')).toBeCloseTo((gap(0) + gap(45)) / 2, 4);
});

test('interrupted and resumed, every series has the bits of one run; nothing is measured twice', async () => {
  const plan = adapting('dopamine', { batch: 128, epochs: 5, checkpointSeconds: 0, measure: { ...measure, every: 7, images: 700 } });
  const whole = await trained(plan);
  let resume: unknown;
  const interrupted = contextOf({
    checkpoint: async (state) => {
      resume = structuredClone(state);
      if ((state as TrainingCheckpoint).step > 20) throw new Error('killed');
    },
  });
  await expect(trained(plan, interrupted)).rejects.toThrow('killed');
  const { step, measured } = resume as TrainingCheckpoint;
  expect(step).toBeLessThan(470);
  expect(Object.keys(measured!)).toEqual(gated);
  expect(measured!['gates open']).toHaveLength(step);
  const reports: Progress[] = [];
  const rest = await trained(plan, contextOf({ resume, progress: (report) => void reports.push(report) }));
  for (const name of names(whole)) expectClose(values(rest, name), values(whole, name), EXACT, name);
  const first = reports.find(({ done, total }) => total === 470 && done > 0)!;
  expect(first.measuredAt).toBeLessThanOrEqual(first.done);
});

test('progress says the latest figures by the names of their series, and after how many steps they were taken', async () => {
  const reports: Progress[] = [];
  const result = await trained(adapting('dopamine', { measure }), contextOf({ progress: (report) => void reports.push(report) }));
  const steps = reports.filter(({ total }) => total === 12);
  for (const at of [0, 5, 10, 12]) {
    const report = steps.find(({ measuredAt, done }) => measuredAt === at && done === at)!;
    for (const name of gated) expect(report.figures![name]).toBe(values(result, name)[at]);
  }
  expect(Object.keys(steps[0].figures!)).toEqual(gated);
  expect(steps.at(-1)!.figures).toEqual({
    loss: values(result, 'loss')[11],
    temperature: 0.2,
    ...Object.fromEntries(gated.map((name) => [name, values(result, name)[12]])),
  });
});

test.each<[object, string]>([
  [{ every: 0 }, 'trainClassifier: measure.every must be an integer in [1, 1000000], got 0'],
  [{ images: 0.5 }, 'trainClassifier: measure.images must be an integer in [1, 1000000], got 0.5'],
  [{ angles: [] }, 'trainClassifier: measure.angles must be at least 1 angles, got []'],
  [{ angles: [45, 45] }, 'trainClassifier: measure.angles must name each angle once, got [45, 45]'],
])('measures that cannot be are refused: %j', (given, message) => {
  expect(() => trainClassifier.parse({ ...PLAN, measure: given })).toThrow(message);
});

test('measures have defaults once they are asked for, and are absent until then', () => {
  expect(trainClassifier.parse({ ...PLAN, measure: {} }).measure).toEqual({ every: 50, images: 2000, angles: [0, 45] });
  expect(Object.hasOwn(trainClassifier.parse(PLAN), 'measure')).toBe(false);
});

test('a few images are those of the table of all', async () => {
  const data = await loadImages('mnist');
  const table = imageTables(data, 'test', [30], new Random(0));
  const pixels = new Float32Array(table.images);
  expectClose(firstImages(data, 3, 30).images, pixels.subarray(0, 3 * 784), EXACT, 'first');
  const some = imagesAt('place', data, 'test', [7, 2], 30);
  expectClose(some.images.subarray(784), pixels.subarray(2 * 784, 3 * 784), EXACT, 'third');
  expect(some.labels).toEqual(Int32Array.of(data.test.labels[7], data.test.labels[2]));
  expect(() => imagesAt('place', data, 'test', [10_000], 0)).toThrow(
    'place must be integers in [0, 9999], numbers of the test images, got 10000',
  );
});
