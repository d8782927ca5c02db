/** Training steps: the same bits for any number of threads, equal to a plain reference, and never a hang or a half-made update. */
import type { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, test } from 'vitest';
import { Random } from '../base/random.ts';
import { EXACT, expectClose } from '../base/testing/closeTo.ts';
import { symbol } from '../graph/dimension.ts';
import { Graph } from '../graph/graph.ts';
import { program } from '../graph/program.ts';
import { initialise, type Tensors } from '../models/parameters.ts';
import { add, gather, gradient, multiply, sqrt, sum } from '../ops/index.ts';
import { classifierStep } from '../training/classifierStep.ts';
import { stepProgram } from '../training/stepProgram.ts';
import type { Feeds } from './executor.ts';
import { createPlainOptimiser } from './optimisers/plain.ts';
import type { OptimiserSpec } from './optimisers/optimiser.ts';
import { shared } from './sharedMemory.ts';
import { lives } from './stepProtocol.ts';
import { NonFiniteStep, StepRunner, type StepSpec, type Table } from './stepRunner.ts';
import { TensorFlowExecutor } from './tensorflow.ts';

/** 20 010 parameters: with 900 rows large enough for two shards. */
const WIDTHS = [180, 105, 10];
const ROWS = 900;
const COUNT = 1000;
const STEP = classifierStep({ config: { widths: WIDTHS } }, COUNT);
/** The same with one output for each gradient, for the reference. */
const APART = program({
  loss: STEP.loss,
  ...Object.fromEntries(
    gradient(
      STEP.loss,
      STEP.trained.map(({ name }) => STEP.program.inputs.get(name)!),
    ).map((slope, i) => [`gradient.${STEP.trained[i].name}`, slope]),
  ),
});
const ADAM: OptimiserSpec = { kind: 'adam', learningRate: 1e-3 };

const images = shared(new Float32Array(COUNT * WIDTHS[0]));
new Random(1).fillUniform(images, 0, 1);
const labels = shared(Int32Array.from({ length: COUNT }, (_entry, i) => (i * 7) % 10));
const buffer = (data: Float32Array | Int32Array) => data.buffer as unknown as SharedArrayBuffer;
const tableOf = (data: Float32Array): Record<string, Table> => ({
  images: { dtype: 'float32', shape: [COUNT, WIDTHS[0]], buffer: buffer(data) },
  labels: { dtype: 'int32', shape: [COUNT], buffer: buffer(labels) },
});
const begun = initialise(STEP.trained, new Random(2));

const spec = (more: Partial<StepSpec> = {}): StepSpec => ({
  program: STEP.program,
  trained: STEP.trained,
  frozen: [],
  tables: tableOf(images),
  scalars: [],
  optimiser: ADAM,
  rows: ROWS,
  threads: 1,
  ...more,
});

const open: StepRunner[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((runner) => runner.dispose()));
});

async function runnerOf(more: Partial<StepSpec> = {}, parameters: Tensors = begun): Promise<StepRunner> {
  const runner = await StepRunner.create(spec(more));
  open.push(runner);
  for (const [name, values] of Object.entries(parameters)) runner.parameter(name).set(values);
  return runner;
}

/** A runner on two threads, and its helper. */
async function helped(more: Partial<StepSpec> = {}): Promise<{ runner: StepRunner; helper: Worker }> {
  let helper: Worker | undefined;
  const see = (worker: Worker) => (helper = worker);
  process.once('worker', see);
  const runner = await runnerOf({ threads: 2, ...more });
  process.off('worker', see);
  if (!helper) throw new Error('there is no helper thread');
  return { runner, helper };
}

/** Row numbers of step `step`: sizes that are odd, small, whole. */
const SIZES = [900, 899, 1, 450, 2, 7, 3, 4, 5, 900, 333];
const rowsOf = (step: number, size = SIZES[step % SIZES.length]) =>
  Int32Array.from({ length: size }, (_entry, i) => (step * 131 + i * 7) % COUNT);

const stateOf = (runner: StepRunner) => {
  const { parameters, first, second } = runner.snapshot();
  return [...parameters, ...first, ...second];
};

describe('threads', () => {
  test.each<OptimiserSpec>([
    ADAM,
    { kind: 'adamw', learningRate: 1e-3 },
    { kind: 'sgd', learningRate: 0.1 },
    { kind: 'sgd', learningRate: 0.1, momentum: 0.9, nesterov: true },
  ])('one and two give the same bits, whatever the number of rows: %j', async (optimiser) => {
    const one = await runnerOf({ optimiser });
    const { runner: two } = await helped({ optimiser });
    expect([one.shards, two.shards]).toEqual([2, 2]);
    for (let step = 0; step < SIZES.length; step++) {
      const rows = rowsOf(step);
      expect(two.step(rows, step + 1, 1e-3)).toBe(one.step(rows, step + 1, 1e-3));
    }
    expectClose(stateOf(two), stateOf(one), EXACT, 'parameters and moments');
  });

  test('a step too small for two shards has one, and no helper', async () => {
    const seen: Worker[] = [];
    const see = (worker: Worker) => seen.push(worker);
    process.on('worker', see);
    const runner = await runnerOf({ rows: 128, threads: 2 });
    process.off('worker', see);
    expect(runner.shards).toBe(1);
    expect(seen).toHaveLength(0);
  });
});

/** The plain road: gradients by TensorFlow.js, then the plain twin of Adam. */
function reference() {
  const executable = new TensorFlowExecutor().compile(APART);
  const offsets = new Map<string, number>();
  let count = 0;
  for (const { name, shape } of STEP.trained) {
    offsets.set(name, count);
    count += shape.reduce((a, b) => a * b, 1);
  }
  const padded = Math.ceil(count / 4) * 4;
  const memory = { buffer: new ArrayBuffer(16 * padded) };
  const view = (region: number) => new Float32Array(memory.buffer, 4 * padded * region, padded);
  const part = (region: number, name: string) => view(region).subarray(offsets.get(name), offsets.get(name)! + begun[name].length);
  for (const name of offsets.keys()) part(0, name).set(begun[name]);
  const optimiser = createPlainOptimiser(memory, ADAM);
  return {
    step(rows: Int32Array, t: number): number {
      const feeds: Feeds = {
        images: { data: images, shape: [COUNT, WIDTHS[0]] },
        labels: { data: labels, shape: [COUNT] },
        index: { data: rows, shape: [rows.length] },
        ...Object.fromEntries(STEP.trained.map(({ name, shape }) => [name, { data: part(0, name).slice(), shape }])),
      };
      const results = executable.run(feeds);
      for (const name of offsets.keys()) part(1, name).set(results[`gradient.${name}`].data);
      optimiser.step(
        { parameters: 0, gradients: [4 * padded], first: 8 * padded, second: 12 * padded, count: padded },
        t,
        1e-3,
        undefined,
        1 / rows.length,
      );
      return results.loss.data[0] / rows.length;
    },
    gradient: (name: string) => part(1, name),
  };
}

test('20 steps of Adam are those of TensorFlow.js and the plain twin: losses and first gradients to 1e-5', async () => {
  const { runner } = await helped();
  const plain = reference();
  for (let step = 0; step < 20; step++) {
    const rows = rowsOf(step, step < 3 ? ROWS : 1 + ((step * 37) % 120));
    const [mine, theirs] = [runner.step(rows, step + 1, 1e-3), plain.step(rows, step + 1)];
    expect(Math.abs(mine - theirs) / theirs).toBeLessThan(1e-5);
    if (step > 0) continue;
    for (const { name } of STEP.trained) {
      const [found, expected] = [runner.gradient(name), plain.gradient(name)];
      const norm = (values: Float32Array) => Math.sqrt(values.reduce((total, value) => total + value * value, 0));
      expect(norm(found.map((value, i) => value - expected[i])) / norm(expected)).toBeLessThan(1e-5);
    }
  }
});

test('the gradient after a batch of one shard does not hold what the second one left', async () => {
  const runner = await runnerOf();
  const fresh = await runnerOf({ rows: 3 });
  runner.evaluate(rowsOf(0));
  runner.evaluate(rowsOf(1, 3));
  fresh.evaluate(rowsOf(1, 3));
  for (const { name } of STEP.trained) expectClose(runner.gradient(name), fresh.gradient(name), EXACT, name);
});

test('going back to a snapshot gives the same steps again; another size of state is refused', async () => {
  const { runner } = await helped();
  const go = () => Array.from({ length: 4 }, (_entry, i) => runner.step(rowsOf(i), 6 + i, 1e-3));
  for (let i = 0; i < 5; i++) runner.step(rowsOf(i), i + 1, 1e-3);
  const snapshot = runner.snapshot();
  const losses = go();
  const state = stateOf(runner);
  runner.restore(snapshot);
  expect(go()).toEqual(losses);
  expectClose(stateOf(runner), state, EXACT, 'state');
  expect(() => runner.restore({ ...snapshot, first: new Float32Array(3) })).toThrow(/step: state must hold \d+ numbers, got 3/);
});

describe('what is not finite', () => {
  const poisoned = (row: number, value: number) => {
    const copy = shared(images.slice());
    copy[row * WIDTHS[0] + 3] = value;
    return tableOf(copy);
  };

  test.each([
    ['NaN in the first shard', 0, NaN],
    ['NaN in the second shard', 899, NaN],
    ['infinity in the first shard', 0, Infinity],
    ['infinity in the second shard', 899, -Infinity],
  ])('%s: the step is refused with everything as it was, and the next one works', async (_what, row, value) => {
    const { runner } = await helped({ tables: poisoned(row, value) });
    const good = Int32Array.from({ length: 100 }, (_entry, i) => i + 100);
    runner.step(good, 1, 1e-3);
    const before = stateOf(runner);
    expect(() =>
      runner.step(
        Int32Array.from({ length: ROWS }, (_entry, i) => i),
        2,
        1e-3,
      ),
    ).toThrow(NonFiniteStep);
    expectClose(stateOf(runner), before, EXACT, 'state');
    expect(runner.step(good, 2, 1e-3)).toBeGreaterThan(0);
    expect(runner.finite()).toBe(true);
  });

  test('a gradient that is infinite though the loss is 0', async () => {
    const graph = new Graph();
    const index = graph.input('index', [symbol('rows')], 'int32');
    const weight = graph.input('weight', [1]);
    const loss = sum(sqrt(multiply(gather(graph.input('x', [8]), index), weight)));
    const runner = await StepRunner.create({
      ...spec({ rows: 8 }),
      program: stepProgram(loss, [{ name: 'weight', shape: [1] }], { weight }),
      trained: [{ name: 'weight', shape: [1] }],
      tables: { x: { dtype: 'float32', shape: [8], buffer: buffer(shared(new Float32Array(8).fill(1))) } },
    });
    open.push(runner);
    expect(() => runner.step(Int32Array.of(1, 2), 1, 0.1)).toThrow('the gradient is not finite');
    expect(runner.parameter('weight')[0]).toBe(0);
    runner.parameter('weight')[0] = Infinity;
    expect(runner.finite()).toBe(false);
  });
});

describe('failures', () => {
  /** The last row of the shards is outside the table. */
  const wrongRows = (first: boolean, second: boolean) => {
    const rows = rowsOf(0);
    if (first) rows[0] = COUNT;
    if (second) rows[ROWS - 1] = COUNT + 5;
    return rows;
  };

  test.each([
    [false, true, /in the helper thread: .*out of data bounds/],
    [true, false, /^(?!.*helper).*out of data bounds/],
    [true, true, /^(?!.*helper).*out of data bounds/],
  ])('in the lead %s, in the helper %s: said with its message, and later answers are not confused', async (first, second, message) => {
    const { runner } = await helped();
    const clean = await runnerOf();
    for (let time = 0; time < 3; time++) {
      expect(() => runner.step(wrongRows(first, second), 1 + time, 1e-3)).toThrow(message);
      expect(runner.step(rowsOf(time), 1 + time, 1e-3)).toBe(clean.step(rowsOf(time), 1 + time, 1e-3));
    }
    expectClose(stateOf(runner), stateOf(clean), EXACT, 'state');
  });

  test('a rate or step out of range changes nothing, on either thread', async () => {
    const { runner } = await helped();
    runner.step(rowsOf(0), 1, 1e-3);
    const before = stateOf(runner);
    expect(() => runner.step(rowsOf(0), 2, -1)).toThrow('optimiser.step: learningRate must be a number in [0, 1000], got -1');
    expect(() => runner.step(rowsOf(0), 0, 1e-3)).toThrow('optimiser.step: t must be an integer from 1, got 0');
    expectClose(stateOf(runner), before, EXACT, 'state');
    expect(() => runner.step(wrongRows(false, true), 2, 1e-3)).toThrow(/in the helper thread: .*out of data bounds/);
  });

  test('a helper that has died, or dies while it is waited for, is an error within a second and not a hang', async () => {
    const dead = await helped();
    expect(lives(dead.helper)).toBe(true);
    await dead.helper.terminate();
    expect(lives(dead.helper)).toBe(false);
    const dying = await helped();
    void dying.helper.terminate(); // its end is seen only by the event loop, which the step below blocks
    for (const { runner } of [dead, dying]) {
      const began = performance.now();
      expect(() => runner.step(rowsOf(0), 1, 1e-3)).toThrow('the helper thread has died');
      expect(() => runner.step(rowsOf(0), 1, 1e-3)).toThrow('the helper thread has died');
      expect(performance.now() - began).toBeLessThan(2000);
      await runner.dispose();
    }
  });

  test('dispose ends the thread, may be called twice, and ends all steps on it', async () => {
    const { runner, helper } = await helped();
    runner.step(rowsOf(0), 1, 1e-3);
    await Promise.all([runner.dispose(), runner.dispose()]);
    await runner.dispose();
    expect(lives(helper)).toBe(false);
    expect(() => runner.step(rowsOf(0), 2, 1e-3)).toThrow('disposed of');
  });
});

describe('scalars and gradients of one value', () => {
  /** loss = Σ k·x·(u + v): u and v have one gradient between them, w has none. */
  async function two(scale: readonly string[] = ['k']): Promise<StepRunner> {
    const graph = new Graph();
    const index = graph.input('index', [symbol('rows')], 'int32');
    const [u, v, w] = ['u', 'v', 'w'].map((name) => graph.input(name, []));
    const x = gather(graph.input('x', [4]), index);
    const loss = sum(multiply(multiply(x, graph.input('k', [])), add(u, v)));
    const trained = ['u', 'v', 'w'].map((name) => ({ name, shape: [] }));
    const runner = await StepRunner.create({
      ...spec({ rows: 4, optimiser: { kind: 'sgd', learningRate: 1 } }),
      program: stepProgram(loss, trained, { u, v, w }),
      trained,
      tables: { x: { dtype: 'float32', shape: [4], buffer: buffer(shared(Float32Array.of(1, 2, 3, 4))) } },
      scalars: scale,
    });
    open.push(runner);
    return runner;
  }

  test('a scalar counts from the next step on; parameters that share a gradient or have none are updated right', async () => {
    const runner = await two();
    runner.parameter('u')[0] = 5;
    runner.parameter('w')[0] = 7;
    for (const [t, k] of [1, 2, 0.5].entries()) {
      runner.setScalar('k', k);
      const sumBefore = runner.parameter('u')[0] + runner.parameter('v')[0];
      expect(runner.step(Int32Array.of(1, 3), t + 1, 0.25)).toBe(k * 3 * sumBefore);
      expect([...runner.gradient('u'), ...runner.gradient('v'), ...runner.gradient('w')]).toEqual([6 * k, 6 * k, 0]);
    }
    expect([runner.parameter('u')[0], runner.parameter('v')[0], runner.parameter('w')[0]]).toEqual([5 - 3.5 * 0.75, -3.5 * 0.75, 7]);
  });

  test('wrong names say which', async () => {
    const runner = await two();
    expect(() => runner.setScalar('temperature', 1)).toThrow('step: scalar must be one of k, got "temperature"');
    expect(() => runner.parameter('x')).toThrow('step: parameter must be one of the step, got "x"');
    expect(() => runner.gradient('k')).toThrow('step: gradient must be of a trained parameter, got "k"');
    await expect(two([])).rejects.toThrow('step: input must be a parameter, a table, a scalar or `index`, got "k"');
  });
});

test.each<[Partial<StepSpec>, string]>([
  [{ rows: 0 }, 'step: rows must be a positive integer, got 0'],
  [{ rows: 1.5 }, 'step: rows must be a positive integer, got 1.5'],
  [{ tables: {} }, 'step: input must be a parameter, a table, a scalar or `index`, got "images"'],
  [{ trained: [...STEP.trained, { name: 'more', shape: [2] }] }, 'step: output packed must be float32['],
  [{ trained: [...STEP.trained, { name: 'more', shape: [5000] }] }, 'step: output gradient.more must be float32[5000], got undefined'],
  [{ program: APART }, 'step: output packed must be float32['],
  [
    { tables: { ...tableOf(images), labels: { dtype: 'float32', shape: [COUNT], buffer: buffer(images) } } },
    'step: input labels must be int32[1000], got "float32[1000]"',
  ],
  [
    { tables: { ...tableOf(images), images: { dtype: 'float32', shape: [COUNT, 5], buffer: buffer(images) } } },
    'step: input images must be float32[1000, 180], got "float32[1000, 5]"',
  ],
  [{ optimiser: { kind: 'adam', learningRate: -1 } }, 'optimiser: learningRate must be a number in [0, 1000], got -1'],
])('what does not fit is refused: %#', async (more, message) => {
  await expect(StepRunner.create(spec({ threads: 2, ...more }))).rejects.toThrow(message);
});

test('as many rows as the step was made for, and at least one', async () => {
  const runner = await runnerOf();
  expect(() => runner.step(new Int32Array(0), 1, 1e-3)).toThrow('step: rows must be 1 to 900 row numbers, got 0');
  expect(() => runner.step(new Int32Array(901), 1, 1e-3)).toThrow('step: rows must be 1 to 900 row numbers, got 901');
});
