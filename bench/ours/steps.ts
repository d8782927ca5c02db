/** Training steps of an MLP and of a transformer, by the product's step runner. */
import { symbol } from '../../engine/graph/dimension.ts';
import { Graph } from '../../engine/graph/graph.ts';
import { StepRunner, type Table } from '../../engine/execute/stepRunner.ts';
import { shared } from '../../engine/execute/sharedMemory.ts';
import { mlp, mlpParameters } from '../../engine/models/mlp.ts';
import { parameterInputs } from '../../engine/models/parameters.ts';
import { causalMask, transformer, transformerParameters } from '../../engine/models/transformer.ts';
import { gather, sum } from '../../engine/ops/index.ts';
import { stepProgram } from '../../engine/training/stepProgram.ts';
import { crossEntropy } from '../../engine/training/objectives/crossEntropy.ts';
import type { OurSide } from '../ours.ts';
import type { MlpConfig, SuiteConfig, TransformerConfig } from '../suites.ts';

export type Tensors = ReadonlyMap<string, Float32Array | Int32Array>;

export async function stepSide(config: SuiteConfig, tensors: Tensors, threads: number, agreement: number): Promise<OurSide> {
  const { runner, batch, batches } =
    config.kind === 'mlp'
      ? await mlpRunner(config, tensors, threads)
      : await transformerRunner(config as TransformerConfig, tensors, threads);
  const { learningRate } = config as MlpConfig;
  const rows = Array.from({ length: batches }, (_entry, b) => Int32Array.from({ length: batch }, (_row, i) => b * batch + i));
  const initial = runner.snapshot();
  const steps = (count: number): number[] =>
    Array.from({ length: count }, (_entry, i) => runner.step(rows[i % batches], i + 1, learningRate, false));
  const losses = steps(agreement);
  return {
    ready: { losses, shards: runner.shards },
    async round(work) {
      runner.restore(initial);
      const began = performance.now();
      const last = steps(work).at(-1)!;
      return Promise.resolve({ seconds: (performance.now() - began) / 1000, last });
    },
    end: () => runner.dispose(),
  };
}

const table = (data: Float32Array | Int32Array, shape: number[]): Table => ({
  dtype: data instanceof Float32Array ? 'float32' : 'int32',
  shape,
  buffer: shared(data).buffer as SharedArrayBuffer,
});

async function mlpRunner({ widths, batch, batches }: MlpConfig, tensors: Tensors, threads: number) {
  const graph = new Graph();
  const trained = mlpParameters({ widths });
  const parameters = parameterInputs(graph, trained);
  const count = batch * batches;
  const index = graph.input('index', [symbol('rows')], 'int32');
  const x = gather(graph.input('inputs', [count, widths[0]]), index);
  const labels = gather(graph.input('targets', [count], 'int32'), index);
  const loss = sum(crossEntropy(mlp({ widths }, parameters, x), labels));
  const runner = await StepRunner.create({
    program: stepProgram(loss, trained, parameters),
    trained,
    frozen: [],
    tables: { inputs: table(tensors.get('inputs')!, [count, widths[0]]), targets: table(tensors.get('targets')!, [count]) },
    scalars: [],
    optimiser: { kind: 'adam', learningRate: 1e-3 },
    rows: batch,
    threads,
  });
  widths.slice(1).forEach((_width, layer) => {
    runner.parameter(`layers.${layer}.weight`).set(tensors.get(`w${layer}`)!);
    runner.parameter(`layers.${layer}.bias`).set(tensors.get(`b${layer}`)!);
  });
  return { runner, batch, batches };
}

async function transformerRunner(config: TransformerConfig, tensors: Tensors, threads: number) {
  const batch = config.batch!;
  const batches = config.batches!;
  const { positions: T } = config;
  const model = {
    vocabulary: config.vocabulary,
    positions: T,
    width: config.width,
    heads: config.heads,
    layers: config.layers,
    mlp: config.mlp,
  };
  const graph = new Graph();
  const trained = transformerParameters(model);
  const parameters = parameterInputs(graph, trained);
  const count = batch * batches;
  const index = graph.input('index', [symbol('rows')], 'int32');
  const tokens = gather(graph.input('tokens', [count, T], 'int32'), index);
  const labels = gather(graph.input('targets', [count, T], 'int32'), index);
  const logits = transformer(model, parameters, {
    tokens,
    positions: graph.input('positions', [T], 'int32'),
    mask: graph.input('mask', [T, T]),
  });
  const runner = await StepRunner.create({
    program: stepProgram(sum(crossEntropy(logits, labels)), trained, parameters),
    trained,
    frozen: [],
    tables: {
      tokens: table(tensors.get('tokens')!, [count, T]),
      targets: table(tensors.get('targets')!, [count, T]),
      positions: table(
        Int32Array.from({ length: T }, (_entry, i) => i),
        [T],
      ),
      mask: table(causalMask(T), [T, T]),
    },
    scalars: [],
    optimiser: { kind: 'adam', learningRate: 1e-3 },
    rows: batch,
    terms: T,
    threads,
  });
  for (const [name, values] of Object.entries(transformerWeights(config, tensors))) runner.parameter(name).set(values);
  return { runner, batch, batches };
}

/** The exchange's weights under our names: its joint query, key and value matrix is cut in three. */
export function transformerWeights({ width, layers }: TransformerConfig, tensors: Tensors): Record<string, Float32Array> {
  const own: Record<string, Float32Array> = {};
  for (const [name, data] of tensors) if (data instanceof Float32Array && !name.includes('QKV')) own[name] = data;
  for (let layer = 0; layer < layers; layer++)
    ['Q', 'K', 'V'].forEach((letter, part) => {
      const matrix = tensors.get(`blocks.${layer}.attn.W_QKV`)!;
      const bias = tensors.get(`blocks.${layer}.attn.b_QKV`)!;
      own[`blocks.${layer}.attn.W_${letter}`] = Float32Array.from(
        { length: width * width },
        (_entry, i) => matrix[Math.floor(i / width) * 3 * width + part * width + (i % width)],
      );
      own[`blocks.${layer}.attn.b_${letter}`] = Float32Array.from(bias.subarray(part * width, (part + 1) * width));
    });
  return own;
}
