/** Training jobs on the real digits, small: the same bits for any cores and across an interruption, bad input, and what divergence says. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { UserError } from '../base/errors.ts';
import { Random } from '../base/random.ts';
import { EXACT, expectClose } from '../base/testing/closeTo.ts';
import type { Progress } from '../contract.ts';
import { adapterOf } from '../models/adapters/index.ts';
import { mlpParameters } from '../models/mlp.ts';
import { initialise } from '../models/parameters.ts';
import { loadImages } from '../tasks/imageData.ts';
import { imageTables, rowsOf } from '../tasks/imageTables.ts';
import { writeSomeDigits } from '../tasks/testing/someDigits.ts';
import { classifierStep } from '../training/classifierStep.ts';
import type { TrainingCheckpoint } from '../training/loop.ts';
import type { ClassifierModel } from '../models/classifier.ts';
import { titlesOf } from '../models/titles.ts';
import { run } from '../run.ts';
import type { Findings } from '../base/findings.ts';
import { readOff } from '../protocols/readOff.ts';
import { contextOf } from './testing/context.ts';
import { tabulate } from './tabulate.ts';
import { digestTensors, trainClassifier, type TrainResult } from './trainClassifier.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatescope-training-'));
const source = join(folder, 'digits.npz');
const COUNT = 12_000;
beforeAll(() => writeSomeDigits(source, COUNT, 2000));
afterAll(() => rmSync(folder, { recursive: true }));

const trained = (parameters: object, context = contextOf()) => trainClassifier.run(trainClassifier.parse(parameters), context);

const ADAM = { kind: 'adam', learningRate: 3e-3 };
/** 60 steps. */
const SMALL = { data: { source }, hidden: [24, 16], epochs: 1, batch: 200, optimiser: ADAM, seed: 3 };
const WIDTHS = [784, 24, 16, 10];
const baseOf = (widths: readonly number[] = WIDTHS): ClassifierModel => ({
  architecture: 'mlp',
  widths: [...widths],
  angles: [0],
  seed: 1,
  rows: 'all',
  base: { ...initialise(mlpParameters({ widths }), new Random(1)) },
});
/** The same plan for an adapter: widths are the base's. */
const on = (base: ClassifierModel, adapter: string, more: object = {}) => ({ ...SMALL, hidden: undefined, adapter, base, ...more });
const losses = ({ series }: TrainResult) => series.loss.values;

/** Of an interrupted run: in the middle of the second epoch of 94. */
const STEPS_BEFORE = 130;

/** Between any two looks of the training loop at its clock there is time enough for a checkpoint. */
async function everyStepKept(work: () => Promise<void>): Promise<void> {
  let now = 0;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => (now += 50));
  try {
    await work();
  } finally {
    clock.mockRestore();
  }
}

describe('a small run of the whole way', () => {
  test('foundation, dopamine, evaluation: better on the mode it is for, the base untouched', async () => {
    const reports: Progress[] = [];
    const progress = (report: Progress) => void reports.push(report);
    const plan = { batch: 250, epochs: 5 };
    const foundation = await trained({ ...SMALL, ...plan, stage: 'foundation', angles: [0, 45] }, contextOf({ progress }));
    expect(foundation.count).toBe(784 * 24 + 24 + 24 * 16 + 16 + 16 * 10 + 10);
    expect(losses(foundation)).toHaveLength(240);
    expect(losses(foundation)[0]).toBeCloseTo(Math.log(10), 0);
    expect(foundation.model).toMatchObject({ architecture: 'mlp', widths: WIDTHS, angles: [0, 45], seed: 3 });
    const optimiser = { kind: 'adam', learningRate: 1e-2 };
    const adapted = await trained(on(foundation.model, 'dopamine', { ...plan, stage: 'dopamine', angles: [45], optimiser }));
    expect(adapted.count).toBe(80);
    const { adapter, ...base } = adapted.model;
    expect(base).toEqual(foundation.model);
    expect(adapter).toMatchObject({ id: 'dopamine', angles: [45], temperature: [0.2, 0.2].map(Math.fround) });
    expect(Object.keys(adapter!.parameters).sort()).toEqual([0, 1].flatMap((i) => [`layers.${i}.gate.gain`, `layers.${i}.gate.threshold`]));
    expect(adapted.frozenDigest).toBe(foundation.digest);
    expect(digestTensors(adapted.model.base)).toBe(foundation.digest);

    const models = [foundation.model, adapted.model].map((model) => ({ model }));
    const [before, mode] = titlesOf(models.map(({ model }) => model));
    const findings = (await run(
      { kind: 'accuracy', parameters: { models, data: { source }, options: { angles: [0, 45] } } },
      contextOf({ progress }),
    )) as Findings;
    const right = (model: string, form: string, angle: number) => readOff(findings, 'accuracy', { model, form, angle });
    expect(right(before, 'base', 45)).toBeGreaterThan(80);
    expect(right(mode, 'soft', 45)).toBeGreaterThan(right(before, 'base', 45));
    expect(Math.abs(right(mode, 'hard', 45) - right(mode, 'soft', 45))).toBeLessThan(2);
    expect(right(mode, 'base', 45)).toBe(right(before, 'base', 45));
    expect(reports.length).toBeGreaterThan(0);
  });

  test('one core and two give the same bits, for a base large enough for two shards', async () => {
    const plan = { ...SMALL, hidden: [64, 32], epochs: 5, batch: 2000 };
    const [one, two] = [await trained(plan), await trained(plan, contextOf({ threads: 2 }))];
    expect(two.digest).toBe(one.digest);
    expectClose(losses(two), losses(one), EXACT, 'losses');
  });

  test.each(['dopamine', 'threshold+two-sided+straight-through', 'dopamine+context', 'gain', 'bias', 'lora-r2', 'full'])(
    '%s: interrupted and resumed, the bits are those of one run',
    async (adapter) => {
      const plan = on(baseOf(), adapter, {
        batch: 128,
        epochs: 2,
        angles: [0, 30],
        checkpointSeconds: 0,
        ...(adapterOf(adapter).gated && { sparsity: 1e-3, temperature: { kind: 'geometric', start: 0.5, end: 0.05 } }),
      });
      const whole = await trained(plan);
      let resume: unknown;
      const interrupted = contextOf({
        checkpoint: async (state) => {
          if ((state as TrainingCheckpoint).step < STEPS_BEFORE) return;
          resume = structuredClone(state);
          throw new Error('killed');
        },
      });
      await everyStepKept(() => expect(trained(plan, interrupted)).rejects.toThrow('killed'));
      expect(losses(whole)).toHaveLength(188);
      expect((resume as TrainingCheckpoint).step).toBe(STEPS_BEFORE);
      const rest = await trained(plan, contextOf({ resume }));
      expect(rest.digest).toBe(whole.digest);
      expectClose(losses(rest), losses(whole), EXACT, 'losses');
    },
  );

  test('the seed draws other numbers, the stage none; held-out images depend on the seed of the foundation alone', async () => {
    const digest = async (more: object) => (await trained({ ...SMALL, batch: 4000, ...more })).digest;
    const digests = [await digest({}), await digest({ seed: 4 }), await digest({ rows: 'remaining' })];
    expect(new Set(digests).size).toBe(3);
    for (const stage of ['training', 'other']) expect(await digest({ stage })).toBe(digests[0]);
    const data = await loadImages(source);
    const rows = rowsOf(data, 'heldOut', new Random(3).fork('heldOut'));
    const base = { ...baseOf(), seed: 3, rows: 'remaining' as const };
    for (const plan of [SMALL, on(base, 'dopamine', { seed: 8 })]) {
      // Were a held-out image read, the poison in it would stop the run.
      const tables = imageTables(data, 'train', [7], new Random(0));
      const images = new Float32Array(tables.images);
      const before = images.slice(rows[9] * 784, rows[9] * 784 + 1);
      images[rows[9] * 784] = NaN;
      try {
        await trained({ ...plan, batch: 4000, angles: [7], rows: 'remaining' });
        await expect(trained({ ...plan, batch: 4000, angles: [7] })).rejects.toThrow(`input images, row ${rows[9]}`);
      } finally {
        images.set(before, rows[9] * 784);
      }
    }
  });
});

describe('what goes wrong', () => {
  let mend: (() => void) | undefined;
  afterEach(() => mend?.());

  /** Makes one pixel of the cached training images NaN. */
  async function poison(angle: number, row: number): Promise<void> {
    const images = new Float32Array(imageTables(await loadImages(source), 'train', [angle], new Random(0)).images);
    const place = row * 784 + 300;
    const before = images[place];
    images[place] = NaN;
    mend = () => (images[place] = before);
  }

  test.each(['dopamine', 'lora-r2', undefined])('a poisoned image is named, adapter %s', async (adapter) => {
    await poison(11, 4321);
    const kept: TrainingCheckpoint[] = [];
    const failure = (await trained(
      {
        ...(adapter === undefined ? SMALL : on(baseOf(), adapter, { stage: `poisoned ${adapter}` })),
        angles: [11],
        checkpointSeconds: 86_400,
      },
      contextOf({ checkpoint: async (state) => void kept.push(state as TrainingCheckpoint) }),
    ).catch((error: unknown) => error)) as UserError;
    expect(failure).toBeInstanceOf(UserError);
    expect(failure.message).toMatch(
      /step \d+ must give finite numbers \(first not finite: input images, row 4321; the state after step \d+ is kept/,
    );
    expect(kept).toHaveLength(1);
    expect(kept[0].state.parameters.every(Number.isFinite)).toBe(true);
    expect(failure.field).toBe(`training (${adapter === undefined ? 'training' : `poisoned ${adapter}`}): step ${kept[0].step + 1}`);
  });

  test('a rate that diverges: the step, the site and a finite last state', async () => {
    const kept: TrainingCheckpoint[] = [];
    const model = baseOf();
    const { base } = model;
    // Gains that are multiplied with gains, at slopes of 1e18, until a layer overflows.
    base['layers.0.weight'].forEach((value, i, all) => (all[i] = 1e9 * value));
    base['layers.1.weight'].forEach((value, i, all) => (all[i] = 1e9 * value));
    const failure = (await trained(
      on(model, 'dopamine', { optimiser: { kind: 'sgd', learningRate: 1000 }, checkpointSeconds: 86_400 }),
      contextOf({ checkpoint: async (state) => void kept.push(state as TrainingCheckpoint) }),
    ).catch((error: unknown) => error)) as UserError;
    expect(failure.message).toMatch(
      /^training \(training\): step \d+ must give finite numbers \(first not finite: layers\.\d[^;]*\/\w+\.\d+\)?; the state after step \d+ is kept/,
    );
    expect(kept).toHaveLength(1);
    expect(kept[0].state.parameters.every(Number.isFinite)).toBe(true);
  });

  test('a base that is not finite is named', async () => {
    const model = baseOf();
    model.base['layers.1.bias'][3] = Infinity;
    await expect(trained(on(model, 'dopamine'))).rejects.toThrow('first not finite: input layers.1.bias;');
  });

  test('a folder without the files', async () => {
    await expect(trained({ ...SMALL, data: { source: '/nowhere' } })).rejects.toBeInstanceOf(UserError);
  });
});

test('every option counts: pressure closes gates, a colder layer decides more sharply, several modes share one network', async () => {
  const plan = { batch: 250, epochs: 5 };
  const base = (await trained({ ...SMALL, ...plan, stage: 'foundation', angles: [0, 45] })).model;
  const mode = async (adapter: string, more: object = {}) =>
    (await trained(on(base, adapter, { ...plan, angles: [45], optimiser: { kind: 'adam', learningRate: 1e-2 }, ...more }))).model;
  const sum = (values: Float32Array) => values.reduce((a, b) => a + b, 0);
  const threshold = (model: ClassifierModel) => sum(model.adapter!.parameters['layers.0.gate.threshold']);
  const plain = await mode('dopamine');
  expect(threshold(await mode('dopamine', { sparsity: 0.3 }))).toBeGreaterThan(threshold(plain) + 1);
  const cold = await mode('dopamine', { temperature: { start: 0.2, scale: [0.1, 1] } });
  expect(cold.adapter!.temperature).toEqual([Math.fround(Math.fround(0.2) * Math.fround(0.1)), Math.fround(0.2)]);
  expect(threshold(cold)).not.toBe(threshold(plain));
  for (const id of ['dopamine+pre-activation', 'dopamine+two-sided', 'dopamine+straight-through'])
    expect(threshold(await mode(id))).not.toBe(threshold(plain));
  const { parameters } = (await mode('threshold+context', { angles: [0, 45] })).adapter!;
  const context = parameters['layers.0.gate.context'];
  expect(context).toHaveLength(2 * 24);
  expect(context.slice(0, 24)).not.toEqual(context.slice(24)); // each mode has moved its own
});

test('tables of the frozen product are, row by row, what the base gives: also where the rows are no multiple of a chunk', async () => {
  const count = 1234;
  const widths = [7, 5, 10];
  const step = classifierStep({ config: { widths }, adapter: adapterOf('dopamine') }, count);
  const images = new Float32Array(new SharedArrayBuffer(4 * count * 7));
  new Random(1).fillUniform(images, 0, 1);
  const frozen = baseOf(widths).base;
  const tables = await tabulate(
    step.prefix,
    { count, data: { images: { dtype: 'float32', shape: [count, 7], buffer: images.buffer } }, frozen, key: 'test' },
    contextOf(),
  );
  const expected = Float64Array.from({ length: count * 5 }, (_entry, at) => {
    const [row, unit] = [Math.floor(at / 5), at % 5];
    let total = frozen['layers.0.bias'][unit];
    for (let i = 0; i < 7; i++) total += images[row * 7 + i] * frozen['layers.0.weight'][i * 5 + unit];
    return total;
  });
  expectClose(new Float32Array(Object.values(tables)[0].buffer), expected, { relative: 1e-6, absolute: 1e-7 }, 'table', [count, 5]);
});

const GOOD = { optimiser: ADAM, seed: 0 };

test.each<[object, string]>([
  [{ ...GOOD, epochs: 0 }, 'trainClassifier: epochs must be an integer in [1, 1000], got 0'],
  [{ ...GOOD, epochs: 1.5 }, 'trainClassifier: epochs must be an integer in [1, 1000], got 1.5'],
  [{ ...GOOD, epochs: NaN }, 'trainClassifier: epochs must be an integer in [1, 1000], got NaN'],
  [{ ...GOOD, epochs: '2' }, 'trainClassifier: epochs must be an integer in [1, 1000], got "2"'],
  [{ ...GOOD, batch: 0 }, 'trainClassifier: batch must be an integer in [1, 65536], got 0'],
  [{ ...GOOD, batch: 1e9 }, 'trainClassifier: batch must be an integer in [1, 65536], got 1000000000'],
  [{ ...GOOD, seed: -1 }, 'trainClassifier: seed must be an integer in [0, 9007199254740991], got -1'],
  [{ ...GOOD, seed: 0.5 }, 'trainClassifier: seed must be an integer in [0, 9007199254740991], got 0.5'],
  [{ optimiser: ADAM }, 'trainClassifier: seed must be an integer in [0, 9007199254740991], got undefined'],
  [{ seed: 0 }, 'trainClassifier: optimiser must be'],
  [
    { ...GOOD, optimiser: { kind: 'lion', learningRate: 1 } },
    'trainClassifier: optimiser.kind must be "adam", "adamw" or "sgd", got "lion"',
  ],
  [{ ...GOOD, optimiser: { kind: 'adam', learningRate: 0 } }, 'trainClassifier: optimiser.learningRate must be above 0, got 0'],
  [
    { ...GOOD, optimiser: { kind: 'adam', learningRate: 1e4 } },
    'trainClassifier: optimiser.learningRate must be a number in [0, 1000], got 10000',
  ],
  [
    { ...GOOD, optimiser: { kind: 'adam', learningRate: 1, beta1: 2 } },
    'trainClassifier: optimiser.beta1 must be a number in [0, 0.999999], got 2',
  ],
  [{ ...GOOD, hidden: [0] }, 'trainClassifier: hidden.0 must be an integer in [1, 65536], got 0'],
  [{ ...GOOD, hidden: 5 }, 'trainClassifier: hidden must be a list of widths, got 5'],
  [on(baseOf(), 'dopamine', { hidden: [5] }), 'trainClassifier: hidden must not be given with a base, which has its own, got [5]'],
  [{ ...GOOD, angles: [] }, 'trainClassifier: angles must be at least one angle, got []'],
  [{ ...GOOD, angles: [400] }, 'trainClassifier: angles.0 must be a number in [-360, 360], got 400'],
  [{ ...GOOD, angles: 45 }, 'trainClassifier: angles must be a list of angles, got 45'],
  [{ ...GOOD, rows: 'some' }, 'trainClassifier: rows must be "all" or "remaining", got "some"'],
  [{ ...GOOD, stage: 5 }, 'trainClassifier: stage must be a text, got 5'],
  [{ ...GOOD, data: { source: 5 } }, 'trainClassifier: data.source must be a text, got 5'],
  [{ ...GOOD, data: { source: '' } }, 'trainClassifier: data.source must name a data set, a folder or an npz file, got ""'],
  [{ ...GOOD, sparsity: 1 }, 'trainClassifier: sparsity must be 0 where there are no gates, got 1'],
  [on(baseOf(), 'gain', { sparsity: 1 }), 'trainClassifier: sparsity must be 0 where there are no gates (gain), got 1'],
  [
    on(baseOf(), 'dopamine', { temperature: { scale: [1] } }),
    'trainClassifier: temperature.scale must be 2 factors, one for each hidden layer, got [1]',
  ],
  [
    on(baseOf(), 'lora-r1', { temperature: { start: 0.3 } }),
    'trainClassifier: temperature.start must not be given where there are no gates (lora-r1), got 0.3',
  ],
  [
    on(baseOf(), 'dopamine', { temperature: { end: 0.1 } }),
    'trainClassifier: temperature.end must not be given unless the kind is "geometric" or "linear", got 0.1',
  ],
  [on(baseOf(), 'dopamine', { rows: 'remaining' }), 'trainClassifier: rows must be "all": the base was shown every image, got "remaining"'],
  [
    on(baseOf([784, 10]), 'dopamine'),
    'trainClassifier: adapter must have something to train: the base has no hidden layer, got "dopamine"',
  ],
  [{ ...GOOD, angles: [45, 0, 45] }, 'trainClassifier: angles must name each angle once, got [45, 0, 45]'],
  [{ ...GOOD, stage: 'a\nb' }, 'trainClassifier: stage must hold no control characters, got "a\\nb"'],
  [{ ...GOOD, stage: '' }, 'trainClassifier: stage must not be empty, got ""'],
  [{ ...GOOD, sparsity: -1 }, 'trainClassifier: sparsity must be a number in [0, 1000000], got -1'],
  [
    { ...GOOD, temperature: { kind: 'constant', start: 0 } },
    'trainClassifier: temperature.start must be a number in [0.000001, 1000000], got 0',
  ],
  [
    { ...GOOD, temperature: { kind: 'constant', start: -0.2 } },
    'trainClassifier: temperature.start must be a number in [0.000001, 1000000], got -0.2',
  ],
  [
    { ...GOOD, temperature: { kind: 'linear', start: 1, end: 0 } },
    'trainClassifier: temperature.end must be a number in [0.000001, 1000000], got 0',
  ],
  [
    { ...GOOD, temperature: { kind: 'linear', start: 1 } },
    'trainClassifier: temperature.end must be given unless the kind is "constant", got undefined',
  ],
  [
    { ...GOOD, temperature: { kind: 'cosine', start: 1 } },
    'trainClassifier: temperature.kind must be "constant", "geometric" or "linear", got "cosine"',
  ],
  [{ ...GOOD, temperature: 0.2 }, 'trainClassifier: temperature must be an annealing: kind, start and end, got 0.2'],
  [
    { ...GOOD, adapter: 'lora', base: baseOf() },
    'trainClassifier: adapter must be dopamine, threshold, gain, bias, full or lora-r<rank>, got "lora"',
  ],
  [{ ...GOOD, adapter: 'dopamine' }, 'trainClassifier: base must be given with an adapter, and only then, got undefined'],
  [{ ...GOOD, base: baseOf() }, 'trainClassifier: base must be given with an adapter, and only then, got "a model"'],
  [
    on({ ...baseOf(), adapter: { id: 'gain', angles: [0], seed: 1, rows: 'all', sparsity: 0, temperature: [], parameters: {} } }, 'full'),
    'trainClassifier: base must be a foundation, got "a model with gain"',
  ],
  [
    on({ ...baseOf(), base: { 'layers.0.weight': [1, 2] as never } }, 'full'),
    'trainClassifier: base.base.layers.0.weight must be a Float32Array, got [1, 2]',
  ],
  [{ ...GOOD, batchSize: 5 }, 'trainClassifier: fields must be known, got [batchSize]'],
])('parameters out of range are refused: %#', (parameters, message) => {
  const refused = () => trainClassifier.parse(parameters);
  expect(refused).toThrow(UserError);
  expect(refused).toThrow(message);
});

test.each(['dopamine', 'full'])('a base of wrong sizes is refused before anything is computed: %s', (adapter) => {
  const model = baseOf();
  const { 'layers.1.bias': _gone, ...part } = model.base;
  const refused = (base: ClassifierModel) => expect(() => trainClassifier.parse(on(base, adapter)));
  refused({ ...model, base: part }).toThrow('trainClassifier: base: base.layers.1.bias must hold 16 numbers, got undefined');
  refused({ ...model, base: baseOf([784, 25, 16, 10]).base }).toThrow(
    'trainClassifier: base: base.layers.0.weight must hold 18816 numbers, got 19600',
  );
});

test('a base made for other images is refused', async () => {
  await expect(trained(on(baseOf([100, 5, 10]), 'dopamine'))).rejects.toThrow(
    'trainClassifier: base must take images of 28 × 28 in 10 classes, as digits has, got [100, 5, 10]',
  );
});

test('what means the same is the same request', () => {
  const parsed = (more: object) => trainClassifier.parse({ ...GOOD, ...more });
  expect(parsed({ hidden: [256, 128] })).toEqual(parsed({}));
  const mode = (temperature: object) => trainClassifier.parse(on(baseOf(), 'dopamine', { temperature }));
  expect(mode({ scale: [1, 1] })).toEqual(mode({}));
});
