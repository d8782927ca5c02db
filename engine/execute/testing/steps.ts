/**
 * Twenty steps of Adam on a small model, on any executor: what tests hold executors and providers against one another with.
 *
 * Run as a program (`steps.ts <provider> <model>`) it trains on that provider of ONNX Runtime and on its CPU, and prints how far they are
 * apart: a driver that crashes then takes this process down and not the tests'.
 */
import { Random } from '../../base/random.ts';
import { Graph } from '../../graph/graph.ts';
import { program, type Program } from '../../graph/program.ts';
import type { Value } from '../../graph/value.ts';
import { mlp, mlpParameters } from '../../models/mlp.ts';
import { initialise, parameterInputs, type ParameterSpec, type Parameters } from '../../models/parameters.ts';
import { causalMask, transformer, transformerParameters } from '../../models/transformer.ts';
import { gradient, mean } from '../../ops/index.ts';
import { crossEntropy } from '../../training/objectives/crossEntropy.ts';
import { relativeError } from '../devices.ts';
import type { Executor, Feeds, Results } from '../executor.ts';
import { OnnxRuntimeExecutor } from '../onnxruntime.ts';
import { createPlainOptimiser } from '../optimisers/plain.ts';
import { divide, view } from '../optimisers/testing.ts';

const STEPS = 20;
const RATE = 1e-2;

export interface Model {
  readonly specs: readonly ParameterSpec[];
  /** Outputs `loss` and `gradient.<name>`, of the mean. */
  readonly program: Program;
  readonly batch: (random: Random) => Feeds;
}

export const models = {
  /** 64-48-32-10 with ReLU, 32 rows; has to find the largest of the first ten inputs. */
  mlp(): Model {
    const config = { widths: [64, 48, 32, 10] };
    const rows = 32;
    const specs = mlpParameters(config);
    const graph = new Graph();
    const parameters = parameterInputs(graph, specs);
    const logits = mlp(config, parameters, graph.input('x', [rows, 64]));
    return {
      specs,
      program: step(parameters, logits, graph.input('labels', [rows], 'int32')),
      batch: (random) => {
        const x = new Float32Array(rows * 64);
        random.fillNormal(x, 0, 1);
        const labels = Int32Array.from({ length: rows }, (_entry, row) => indexOfLargest(x.subarray(64 * row, 64 * row + 10)));
        return { x: { data: x, shape: [rows, 64] }, labels: { data: labels, shape: [rows] } };
      },
    };
  },

  /** Two layers, width 32, two heads, eight positions, eight rows; has to say each token again. */
  transformer(): Model {
    const config = { vocabulary: 24, positions: 8, width: 32, heads: 2, layers: 2, mlp: 64 };
    const shape = [8, config.positions];
    const specs = transformerParameters(config);
    const graph = new Graph();
    const parameters = parameterInputs(graph, specs);
    const tokens = graph.input('tokens', shape, 'int32');
    const mask = graph.constant(causalMask(config.positions), [config.positions, config.positions]);
    const positions = graph.constant(
      Int32Array.from({ length: config.positions }, (_entry, i) => i),
      [config.positions],
    );
    const logits = transformer(config, parameters, { tokens, positions, mask });
    return {
      specs,
      program: step(parameters, logits, graph.input('labels', shape, 'int32')),
      batch: (random) => {
        const tokens = { data: Int32Array.from({ length: shape[0] * shape[1] }, () => random.integer(config.vocabulary)), shape };
        return { tokens, labels: tokens };
      },
    };
  },
} satisfies Record<string, () => Model>;

function step(parameters: Parameters, logits: Value, labels: Value): Program {
  const names = Object.keys(parameters);
  const loss = mean(crossEntropy(logits, labels));
  const gradients = gradient(loss, Object.values(parameters)).map((value, i) => [`gradient.${names[i]}`, value]);
  return program({ loss, ...(Object.fromEntries(gradients) as Record<string, Value>) });
}

const indexOfLargest = (numbers: Float32Array): number => numbers.indexOf(Math.max(...numbers));

export interface Training {
  readonly losses: readonly number[];
  /** Of the first step. */
  readonly gradients: Results;
}

/** Trains on a new batch in every step; the same draws whatever the executor. */
export function train({ specs, program, batch }: Model, executor: Executor): Training {
  const random = new Random(1);
  const initial = initialise(specs, random.fork('parameters'));
  const batches = random.fork('batches');
  const tensors = specs.map(({ name, shape }) => {
    const data = initial[name];
    const { memory, regions } = divide(Math.ceil(data.length / 4) * 4, 1);
    const values = view(memory, regions.parameters, data.length);
    values.set(data);
    const adam = createPlainOptimiser(memory, { kind: 'adam', learningRate: RATE });
    const update = (slope: Float32Array, t: number) => {
      view(memory, regions.gradients[0], data.length).set(slope);
      adam.step(regions, t, RATE);
    };
    return { name, shape, values, update };
  });
  const executable = executor.compile(program);
  const losses: number[] = [];
  let gradients: Results = {};
  for (let t = 1; t <= STEPS; t++) {
    const parameters = Object.fromEntries(tensors.map(({ name, shape, values }) => [name, { data: values, shape }]));
    const { loss, ...slopes } = executable.run({ ...parameters, ...batch(batches) });
    losses.push(loss.data[0]);
    if (t === 1)
      gradients = Object.fromEntries(Object.entries(slopes).map(([name, { data, shape }]) => [name, { data: data.slice(), shape }]));
    for (const { name, update } of tensors) update(slopes[`gradient.${name}`].data as Float32Array, t);
  }
  executable.dispose();
  return { losses, gradients };
}

export interface Distance {
  /** The largest relative difference of a loss. */
  readonly losses: number;
  /** The largest relative error of a first gradient, of its norm. */
  readonly gradients: number;
  /** First loss less the last, so that it is seen that something was learnt. */
  readonly learnt: number;
}

export function distance(actual: Training, expected: Training): Distance {
  return {
    losses: Math.max(...expected.losses.map((loss, i) => Math.abs(actual.losses[i] - loss) / Math.abs(loss))),
    gradients: relativeError(actual.gradients, expected.gradients),
    learnt: expected.losses[0] - expected.losses.at(-1)!,
  };
}

if (import.meta.main) {
  const [provider, model] = process.argv.slice(2) as [string, keyof typeof models];
  const tested = train(models[model](), new OnnxRuntimeExecutor({ provider }));
  process.stdout.write(JSON.stringify(distance(tested, train(models[model](), new OnnxRuntimeExecutor()))));
}
