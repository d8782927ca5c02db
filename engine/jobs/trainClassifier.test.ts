/** Training jobs on the real digits, small: the same bits for any cores and across an interruption, bad input, and what divergence says. */
import { afterEach, describe, expect, test } from 'vitest';
import { UserError } from '../base/errors.ts';
import { Random } from '../base/random.ts';
import { EXACT, expectClose } from '../base/testing/closeTo.ts';
import type { Progress } from '../contract.ts';
import { adapterOf } from '../models/adapters/index.ts';
import { mlpParameters } from '../models/mlp.ts';
import { initialise } from '../models/parameters.ts';
import { digitTables, trainingRows } from '../tasks/digitTables.ts';
import { classifierStep } from '../training/classifierStep.ts';
import type { TrainingCheckpoint } from '../training/loop.ts';
import { evaluateClassifier } from './evaluateClassifier.ts';
import { contextOf } from './testing/context.ts';
import { tabulate } from './tabulate.ts';
import { digestTensors, trainClassifier } from './trainClassifier.ts';

const trained = (parameters: object, context = contextOf()) => trainClassifier.run(trainClassifier.parse(parameters), context);

const ADAM = { kind: 'adam', learningRate: 3e-3 };
/** 60 steps. */
const SMALL = { widths: [784, 24, 16, 10], epochs: 1, batch: 1000, optimiser: ADAM, seed: 3 };
const baseOf = (widths: readonly number[]) => initialise(mlpParameters({ widths }), new Random(1));

describe('a small run of the whole way', () => {
  test('foundation, dopamine, evaluation: better on the mode it is for, the base untouched', async () => {
    const reports: Progress[] = [];
    const progress = (report: Progress) => void reports.push(report);
    const plan = { ...SMALL, batch: 250, epochs: 1 };
    const base = await trained({ ...plan, stage: 'foundation', angles: [0, 45] }, contextOf({ progress }));
    expect(base.count).toBe(784 * 24 + 24 + 24 * 16 + 16 + 16 * 10 + 10);
    expect(base.losses).toHaveLength(240);
    expect(base.losses[0]).toBeCloseTo(Math.log(10), 0);
    const adapted = await trained({
      ...plan,
      stage: 'dopamine',
      angles: [45],
      adapter: 'dopamine',
      base: base.parameters,
      optimiser: { kind: 'adam', learningRate: 1e-2 },
    });
    expect(adapted.count).toBe(80);
    expect(Object.keys(adapted.parameters).sort()).toEqual([0, 1].flatMap((i) => [`layers.${i}.gate.gain`, `layers.${i}.gate.threshold`]));
    expect(adapted.frozenDigest).toBe(base.digest);
    expect(digestTensors(base.parameters)).toBe(base.digest);

    const forms = [
      { name: 'before' },
      ...(['soft', 'hard'] as const).map((form) => ({ name: form, adapter: 'dopamine', parameters: adapted.parameters, form })),
      { name: 'after' },
    ];
    const { count, correct } = await evaluateClassifier.run(
      evaluateClassifier.parse({ widths: plan.widths, angles: [0, 45], base: base.parameters, forms }),
      contextOf({ progress }),
    );
    expect(count).toBe(10_000);
    expect(correct.before[1]).toBeGreaterThan(8000);
    expect(correct.soft[1]).toBeGreaterThan(correct.before[1]);
    expect(Math.abs(correct.hard[1] - correct.soft[1])).toBeLessThan(200);
    expect(correct.after).toEqual(correct.before);
    expect(reports.at(-1)).toEqual({ stage: 'test images, done', done: 20_000, total: 20_000, remaining: 0 });
  });

  test('one core and two give the same bits, for a base large enough for two shards', async () => {
    const plan = { ...SMALL, widths: [784, 64, 32, 10], batch: 2000 };
    const [one, two] = [await trained(plan), await trained(plan, contextOf({ threads: 2 }))];
    expect(two.digest).toBe(one.digest);
    expectClose(two.losses, one.losses, EXACT, 'losses');
  });

  test.each(['dopamine', 'lora-r2', 'full'])('%s: interrupted and resumed, the bits are those of one run', async (adapter) => {
    const plan = {
      ...SMALL,
      batch: 64,
      adapter,
      base: baseOf(SMALL.widths),
      checkpointSeconds: 0,
      temperature: { kind: 'geometric', start: 0.5, end: 0.05 },
      sparsity: 1e-3,
    };
    const whole = await trained(plan);
    let resume: unknown;
    const interrupted = contextOf({
      checkpoint: async (state) => {
        resume = structuredClone(state);
        throw new Error('killed');
      },
    });
    await expect(trained(plan, interrupted)).rejects.toThrow('killed');
    const { step } = resume as TrainingCheckpoint;
    expect(step).toBeGreaterThan(0);
    expect(step).toBeLessThan(938);
    const rest = await trained(plan, contextOf({ resume }));
    expect(rest.digest).toBe(whole.digest);
    expectClose(rest.losses, whole.losses, EXACT, 'losses');
  });

  test('seed and stage draw other numbers; held-out images depend on the seed alone', async () => {
    const digest = async (more: object) => (await trained({ ...SMALL, batch: 20_000, ...more })).digest;
    const digests = [await digest({}), await digest({ seed: 4 }), await digest({ stage: 'other' }), await digest({ rows: 'remaining' })];
    expect(new Set(digests).size).toBe(4);
    expect(await digest({})).toBe(digests[0]);
    const rows = trainingRows('heldOut', new Random(3).fork('heldOut'));
    for (const stage of ['foundation', 'dopamine']) {
      // Were a held-out image read, the poison in it would stop the run.
      const tables = digitTables('train', [7], new Random(0));
      const images = new Float32Array(tables.images);
      const before = images.slice(rows[9] * 784, rows[9] * 784 + 1);
      images[rows[9] * 784] = NaN;
      try {
        await trained({ ...SMALL, stage, batch: 20_000, angles: [7], rows: 'remaining' });
        await expect(trained({ ...SMALL, stage, batch: 20_000, angles: [7] })).rejects.toThrow(`input images, row ${rows[9]}`);
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
  function poison(angle: number, row: number): void {
    const images = new Float32Array(digitTables('train', [angle], new Random(0)).images);
    const place = row * 784 + 300;
    const before = images[place];
    images[place] = NaN;
    mend = () => (images[place] = before);
  }

  test.each(['dopamine', 'lora-r2', undefined])('a poisoned image is named, adapter %s', async (adapter) => {
    poison(11, 4321);
    const kept: TrainingCheckpoint[] = [];
    const failure = (await trained(
      { ...SMALL, angles: [11], ...(adapter !== undefined && { adapter, base: baseOf(SMALL.widths), stage: `poisoned ${adapter}` }) },
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
    const base = baseOf(SMALL.widths);
    // Gains that are multiplied with gains, at slopes of 1e18, until a layer overflows.
    base['layers.0.weight'].forEach((value, i, all) => (all[i] = 1e9 * value));
    base['layers.1.weight'].forEach((value, i, all) => (all[i] = 1e9 * value));
    const failure = (await trained(
      { ...SMALL, adapter: 'dopamine', base, optimiser: { kind: 'sgd', learningRate: 1000 } },
      contextOf({ checkpoint: async (state) => void kept.push(state as TrainingCheckpoint) }),
    ).catch((error: unknown) => error)) as UserError;
    expect(failure.message).toMatch(
      /^training \(training\): step \d+ must give finite numbers \(first not finite: layers\.\d[^;]*\/\w+\.\d+\)?; the state after step \d+ is kept/,
    );
    expect(kept).toHaveLength(1);
    expect(kept[0].state.parameters.every(Number.isFinite)).toBe(true);
  });

  test('a base that is not finite is named', async () => {
    const base = baseOf(SMALL.widths);
    base['layers.1.bias'][3] = Infinity;
    await expect(trained({ ...SMALL, adapter: 'dopamine', base })).rejects.toThrow('first not finite: input layers.1.bias;');
  });

  test('a folder without the files', async () => {
    await expect(trained({ ...SMALL, data: '/nowhere' })).rejects.toBeInstanceOf(UserError);
  });
});

test('tables of the frozen product are, row by row, what the base gives: also where the rows are no multiple of a chunk', async () => {
  const count = 1234;
  const widths = [7, 5, 10];
  const step = classifierStep({ config: { widths }, adapter: adapterOf('dopamine') }, count);
  const images = new Float32Array(new SharedArrayBuffer(4 * count * 7));
  new Random(1).fillUniform(images, 0, 1);
  const frozen = baseOf(widths);
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
  [{ ...GOOD, widths: [100, 10] }, 'trainClassifier: widths must begin with 784, the pixels of an image, got [100, 10]'],
  [{ ...GOOD, widths: [784, 5] }, 'trainClassifier: widths must end with at least 10, the classes, got [784, 5]'],
  [{ ...GOOD, widths: [784] }, 'trainClassifier: widths must be at least two widths, got [784]'],
  [{ ...GOOD, widths: [784, 0, 10] }, 'trainClassifier: widths.1 must be an integer in [1, 65536], got 0'],
  [{ ...GOOD, angles: [] }, 'trainClassifier: angles must be at least one angle, got []'],
  [{ ...GOOD, angles: [400] }, 'trainClassifier: angles.0 must be a number in [-360, 360], got 400'],
  [{ ...GOOD, angles: 45 }, 'trainClassifier: angles must be a list of angles, got 45'],
  [{ ...GOOD, rows: 'some' }, 'trainClassifier: rows must be "all" or "remaining", got "some"'],
  [{ ...GOOD, stage: 5 }, 'trainClassifier: stage must be a text, got 5'],
  [{ ...GOOD, data: 5 }, 'trainClassifier: data must be a text, got 5'],
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
  [{ ...GOOD, adapter: 'lora', base: {} }, 'adapter: id must be dopamine, lora-r<rank>, full, got "lora"'],
  [{ ...GOOD, adapter: 'dopamine' }, 'trainClassifier: base must be given with an adapter, and only then, got undefined'],
  [
    { ...GOOD, base: baseOf([784, 10]) },
    'trainClassifier: base must be given with an adapter, and only then, got [layers.0.weight, layers.0.bias]',
  ],
  [
    { ...GOOD, adapter: 'full', base: { 'layers.0.weight': [1, 2] } },
    'trainClassifier: base.layers.0.weight must be a Float32Array, got [1, 2]',
  ],
  [{ ...GOOD, batchSize: 5 }, 'trainClassifier: fields must be known, got [batchSize]'],
])('parameters out of range are refused: %#', (parameters, message) => {
  const refused = () => trainClassifier.parse(parameters);
  expect(refused).toThrow(UserError);
  expect(refused).toThrow(message);
});

test.each(['dopamine', 'full'])('a base of wrong sizes is refused before anything is computed: %s', async (adapter) => {
  const widths = [784, 24, 16, 10];
  const { 'layers.1.bias': _gone, ...part } = baseOf(widths);
  await expect(trained({ ...GOOD, widths, adapter, base: part })).rejects.toThrow(
    'trainClassifier: base.layers.1.bias must hold 16 numbers, got undefined',
  );
  await expect(trained({ ...GOOD, widths, adapter, base: baseOf([784, 25, 16, 10]) })).rejects.toThrow(
    'trainClassifier: base.layers.0.weight must hold 18816 numbers, got 19600',
  );
});
