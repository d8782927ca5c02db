/** Tabulating what training cannot change: what is tabulated, that steps agree with the whole computation, and slopes with differences. */
import { afterAll, describe, expect, test } from 'vitest';
import { Random } from '../base/random.ts';
import { expectClose } from '../base/testing/closeTo.ts';
import { evaluateOnce, type Feeds } from '../execute/executor.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { shared } from '../execute/sharedMemory.ts';
import { StepRunner, type Table } from '../execute/stepRunner.ts';
import { program } from '../graph/program.ts';
import { adapterOf } from '../models/adapters/index.ts';
import { initialise } from '../models/parameters.ts';
import { gradient } from '../ops/index.ts';
import { classifierStep, type ClassifierStep } from './classifierStep.ts';

const WIDTHS = [20, 16, 12, 10];
const COUNT = 90;
const BATCH = 16;

const executor = new OnnxRuntimeExecutor({ cacheBytes: 0 });
afterAll(() => executor.dispose());

const images = shared(new Float32Array(COUNT * WIDTHS[0]));
new Random(1).fillUniform(images, 0, 1);
const labels = shared(Int32Array.from({ length: COUNT }, (_entry, i) => (i * 3) % 10));
/** Rows are in one of two modes. */
const modes = shared(Int32Array.from({ length: COUNT }, (_entry, i) => (i >> 2) % 2));
const buffer = (data: Float32Array | Int32Array) => data.buffer as unknown as SharedArrayBuffer;
const data: Record<string, Table> = {
  images: { dtype: 'float32', shape: [COUNT, WIDTHS[0]], buffer: buffer(images) },
  labels: { dtype: 'int32', shape: [COUNT], buffer: buffer(labels) },
  modes: { dtype: 'int32', shape: [COUNT], buffer: buffer(modes) },
};

const stepOf = (id: string, options: { sparsity?: number; cached?: boolean }) =>
  classifierStep({ config: { widths: WIDTHS }, adapter: adapterOf(id), modes: 2 }, COUNT, { temperatureScale: [1, 0.7], ...options });

/** Parameters a little away from where they begin, so that LoRA's B is not 0. */
function parametersOf({ trained, frozen }: ClassifierStep): Record<string, Float32Array> {
  const values = initialise([...frozen, ...trained], new Random(2));
  for (const { name } of trained) {
    const noise = new Float32Array(values[name].length);
    new Random(3).fork(name).fillNormal(noise, 0, 0.1);
    values[name].forEach((value, i) => (values[name][i] = value + noise[i]));
  }
  return values;
}

function feedsOf(step: ClassifierStep, rows: Int32Array): Record<string, Feeds[string]> {
  const values = parametersOf(step);
  return {
    index: { data: rows, shape: [rows.length] },
    images: { data: images, shape: [COUNT, WIDTHS[0]] },
    labels: { data: labels, shape: [COUNT] },
    modes: { data: modes, shape: [COUNT] },
    temperature: { data: Float32Array.of(0.5), shape: [] },
    ...Object.fromEntries([...step.trained, ...step.frozen].map(({ name, shape }) => [name, { data: values[name], shape }])),
  };
}

/** Tables of the whole data, in one run. */
function tabulated(step: ClassifierStep): Record<string, Table> {
  const { tables, rows } = step.prefix;
  if (!tables) return {};
  const results = evaluateOnce(
    executor,
    tables,
    feedsOf(
      step,
      Int32Array.from({ length: COUNT }, (_entry, i) => i),
    ),
  );
  return Object.fromEntries(
    [...rows].map(([name, row]) => [
      name,
      { dtype: 'float32', shape: [COUNT, ...row], buffer: buffer(shared(results[name].data as Float32Array)) },
    ]),
  );
}

/** Losses and last parameters of two epochs. */
async function trained(step: ClassifierStep): Promise<{ losses: number[]; parameters: number[] }> {
  const runner = await StepRunner.create({
    program: step.program,
    trained: step.trained,
    frozen: step.frozen,
    tables: { ...data, ...tabulated(step) },
    scalars: ['temperature'],
    optimiser: { kind: 'adam', learningRate: 1e-2 },
    rows: BATCH,
    threads: 1,
  });
  for (const [name, values] of Object.entries(parametersOf(step))) runner.parameter(name).set(values);
  runner.setScalar('temperature', 0.5);
  const losses: number[] = [];
  for (let epoch = 0; epoch < 2; epoch++) {
    const order = Int32Array.from(new Random(epoch).permutation(COUNT));
    for (let begin = 0; begin < COUNT; begin += BATCH) losses.push(runner.step(order.slice(begin, begin + BATCH), losses.length + 1, 1e-2));
  }
  const parameters = step.trained.flatMap(({ name }) => [...runner.parameter(name)]);
  await runner.dispose();
  return { losses, parameters };
}

const CASES = [
  ['dopamine', 0],
  ['dopamine', 0.01],
  ['dopamine+two-sided+context', 0.01],
  ['threshold+pre-activation', 0],
  ['gain', 0],
  ['lora-r3', 0],
] as const;

describe.each(CASES)('%s with sparsity %s', (id, sparsity) => {
  test('an epoch with tables gives the losses of an epoch without, to 1e-5', async () => {
    const [cached, whole] = await Promise.all([true, false].map((on) => trained(stepOf(id, { sparsity, cached: on }))));
    expectClose(cached.losses, whole.losses, { relative: 1e-5, absolute: 0 }, 'losses');
    // Adam divides by the root of a mean square, which for slopes near 0 makes rounding visible.
    expectClose(cached.parameters, whole.parameters, { relative: 1e-4, absolute: 1e-5 }, 'parameters');
  });

  test('the slopes of the whole computation are finite differences, and those with tables are the same', () => {
    const rows = Int32Array.of(3, 17, 17, 42, 88);
    const slopes = [false, true].map((cached) => {
      const step = stepOf(id, { sparsity, cached });
      const own = step.trained.map(({ name }) => step.program.inputs.get(name)!);
      const found = gradient(step.loss, own);
      const feeds: Record<string, Feeds[string]> = feedsOf(step, rows);
      for (const [name, { shape, buffer: bytes }] of Object.entries(tabulated(step)))
        feeds[name] = { data: new Float32Array(bytes), shape };
      return {
        step,
        feeds,
        results: evaluateOnce(executor, program(Object.fromEntries(found.map((value, i) => [`of ${step.trained[i].name}`, value]))), feeds),
      };
    });
    const [{ step, feeds, results }, tables] = slopes;
    const executable = executor.compile(program({ loss: step.loss }));
    const lossAt = (name: string, i: number, move: number) => {
      const moved = Float32Array.from(feeds[name].data);
      moved[i] += move;
      return executable.run({ ...feeds, [name]: { ...feeds[name], data: moved } }).loss.data[0];
    };
    for (const { name } of step.trained) {
      const h = 2 ** -7;
      const slope = (i: number, move: number) => (lossAt(name, i, move) - lossAt(name, i, -move)) / (2 * move);
      const expected = Float64Array.from(feeds[name].data, (_entry, i) => (4 * slope(i, h / 2) - slope(i, h)) / 3);
      // A loss of about 12 rounded to float32 (1e-6) over 2h/2 = 1/128, times 4/3; a ReLU's kink within h of a unit may add as much again.
      expectClose(results[`of ${name}`].data, expected, { relative: 2e-3, absolute: 1e-3 }, `${name}: differences`);
      expectClose(
        tables.results[`of ${name}`].data,
        results[`of ${name}`].data,
        { relative: 1e-5, absolute: 1e-6 },
        `${name}: with tables`,
      );
    }
    executable.dispose();
  });
});

test('slopes of bias offsets are those of the biases in a full fine-tune of the same network', () => {
  // Not by differences: an offset moves five rows of a layer at once, and one of them always meets a kink.
  const rows = Int32Array.of(3, 17, 17, 42, 88);
  const offsets = stepOf('bias', {});
  const whole = stepOf('full', {});
  const own = parametersOf(offsets);
  const feeds = feedsOf(offsets, rows);
  const summed: Record<string, Feeds[string]> = { ...feeds };
  const results = [offsets, whole].map((step, i) => {
    const of = (layer: number) => step.program.inputs.get(`layers.${layer}.bias${i === 0 ? '.offset' : ''}`)!;
    for (const layer of [0, 1, 2]) {
      const { data, shape } = feeds[`layers.${layer}.bias`];
      summed[`layers.${layer}.bias`] = {
        data: Float32Array.from(data, (value, j) => value + own[`layers.${layer}.bias.offset`][j]),
        shape,
      };
    }
    const tables = i === 0 ? tabulated(step) : {};
    const fed = Object.fromEntries(
      Object.entries(tables).map(([name, { shape, buffer: bytes }]) => [name, { data: new Float32Array(bytes), shape }]),
    );
    const slopes = gradient(step.loss, [0, 1, 2].map(of));
    return evaluateOnce(executor, program(Object.fromEntries(slopes.map((value, layer) => [`of ${layer}`, value]))), {
      ...(i === 0 ? feeds : summed),
      ...fed,
    });
  });
  for (const layer of [0, 1, 2])
    expectClose(results[0][`of ${layer}`].data, results[1][`of ${layer}`].data, { relative: 1e-5, absolute: 1e-6 }, `layer ${layer}`);
});

describe('what is tabulated', () => {
  const inputs = (step: ClassifierStep) => [...step.program.inputs.keys()];
  const operations = (step: ClassifierStep) => step.prefix.tables!.nodes.map(({ operation }) => operation.name);

  test.each([0, 0.01])('dopamine, sparsity %s: the first product, once; neither images nor its weights are read in a step', (sparsity) => {
    const step = stepOf('dopamine', { sparsity });
    expect([...step.prefix.rows.values()]).toEqual([[16]]);
    expect(operations(step)).toEqual(['gather', 'matmul']);
    expect([...step.prefix.tables!.inputs.keys()].sort()).toEqual(['images', 'index', 'layers.0.bias', 'layers.0.weight']);
    for (const gone of ['images', 'layers.0.weight', 'layers.0.bias']) expect(inputs(step)).not.toContain(gone);
    expect(step.program.nodes.filter(({ operation }) => operation.name === 'matmul').length).toBe(
      stepOf('dopamine', { sparsity, cached: false }).program.nodes.filter(({ operation }) => operation.name === 'matmul').length - 1,
    );
  });

  test('LoRA: the base product of the first layer; the images are still read, for x·A', () => {
    const step = stepOf('lora-r3', {});
    expect([...step.prefix.rows.values()]).toEqual([[16]]);
    expect(operations(step)).toEqual(['gather', 'matmul']);
    expect(inputs(step)).toContain('images');
    for (const gone of ['layers.0.weight', 'layers.0.bias']) expect(inputs(step)).not.toContain(gone);
  });

  test('nothing for a full fine-tune, nor where it is not wanted', () => {
    for (const step of [stepOf('full', {}), stepOf('dopamine', { cached: false }), classifierStep({ config: { widths: WIDTHS } }, COUNT)]) {
      expect(step.prefix.tables).toBeUndefined();
      expect(step.prefix.rows.size).toBe(0);
      expect(inputs(step)).toContain('images');
    }
  });
});

test.each([-1, NaN, Infinity])('a sparsity of %s is refused', (sparsity) => {
  expect(() => stepOf('dopamine', { sparsity })).toThrow(`training: sparsity must be a number ≥ 0, got ${sparsity}`);
});
