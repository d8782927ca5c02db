/**
 * Says whether a device can be used: small models' outputs, first gradients and one interchange, computed there and on the CPU.
 *
 * What is compared is here; how, and what a device that is not there says about itself, in execute/devices.ts. Crashes are for whoever
 * started the engine.
 */
import { z } from 'zod';
import { Random } from '../base/random.ts';
import { parseWith } from '../base/schema.ts';
import type { JobKind } from '../contract.ts';
import { devices, probe, type DeviceReport, type ParityPart } from '../execute/devices.ts';
import { evaluateOnce, type Feeds, type Results } from '../execute/executor.ts';
import { symbol } from '../graph/dimension.ts';
import { Graph } from '../graph/graph.ts';
import { program, type TensorData } from '../graph/program.ts';
import type { Value } from '../graph/value.ts';
import { mlp, mlpParameters } from '../models/mlp.ts';
import { initialise, parameterInputs, type ParameterSpec, type Parameters } from '../models/parameters.ts';
import { headOutput } from '../models/sites.ts';
import { causalMask, transformer, transformerParameters } from '../models/transformer.ts';
import { gradient, mean } from '../ops/index.ts';
import { crossEntropy } from '../training/objectives/crossEntropy.ts';

const schema = z.strictObject({ device: z.enum(devices, `must be one of ${devices.join(', ')}`) });

export const checkDevice: JobKind<z.output<typeof schema>, DeviceReport> = {
  id: 'checkDevice',
  version: 1,
  keeps: 'nothing',
  parse: (parameters) => parseWith(schema, 'checkDevice', parameters),
  run: ({ device }) => probe(device, parityParts()),
};

/** The check: small enough to be over in a second on a CPU and in a few on a GPU that first compiles its shaders. */
export function parityParts(): ParityPart[] {
  const random = new Random(0);
  const perceptron = buildMlp(random.fork('mlp'));
  const language = buildTransformer(random.fork('transformer'));
  return [forwardAndGradient(perceptron), forwardAndGradient(language), interchange(language)];
}

interface Model {
  readonly graph: Graph;
  readonly logits: Value;
  readonly loss: Value;
  readonly parameters: Parameters;
  readonly feeds: Feeds;
}

const WIDTHS = [24, 48, 32, 10];
const ROWS = 16;

function buildMlp(random: Random): Model {
  const graph = new Graph();
  const specs = mlpParameters({ widths: WIDTHS });
  const parameters = parameterInputs(graph, specs);
  const rows = symbol('rows');
  const logits = mlp({ widths: WIDTHS }, parameters, graph.input('x', [rows, WIDTHS[0]]));
  const loss = mean(crossEntropy(logits, graph.input('labels', [rows], 'int32')));
  const x = new Float32Array(ROWS * WIDTHS[0]);
  random.fillNormal(x, 0, 1);
  const labels = { data: integers(random, ROWS, WIDTHS.at(-1)!), shape: [ROWS] };
  return { graph, logits, loss, parameters, feeds: { ...drawn(specs, random), x: { data: x, shape: [ROWS, WIDTHS[0]] }, labels } };
}

const CONFIG = { vocabulary: 23, positions: 8, width: 32, heads: 2, layers: 2, mlp: 64 };
const PROMPTS = 4;

function buildTransformer(random: Random): Model {
  const graph = new Graph();
  // Embeddings as large as what is trained, so that prompts differ and a swap moves the logits.
  const specs = transformerParameters(CONFIG).map((spec): ParameterSpec =>
    spec.name.includes('embed.W_') ? { ...spec, initialiser: { kind: 'normal', deviation: 1 } } : spec,
  );
  const parameters = parameterInputs(graph, specs);
  const [rows, positions] = [symbol('rows'), symbol('positions')];
  const tokens = graph.input('tokens', [rows, positions], 'int32');
  const mask = graph.input('mask', [positions, positions]);
  const logits = transformer(CONFIG, parameters, { tokens, positions: graph.input('position', [positions], 'int32'), mask });
  const loss = mean(crossEntropy(logits, graph.input('labels', [rows, positions], 'int32')));
  const length = CONFIG.positions;
  const prompt = () => ({ data: integers(random, PROMPTS * length, CONFIG.vocabulary), shape: [PROMPTS, length] });
  const feeds = {
    ...drawn(specs, random),
    tokens: prompt(),
    labels: prompt(),
    mask: { data: causalMask(length), shape: [length, length] },
    position: { data: Int32Array.from({ length }, (_entry, i) => i), shape: [length] },
  };
  return { graph, logits, loss, parameters, feeds };
}

function forwardAndGradient({ logits, loss, parameters, feeds }: Model): ParityPart {
  const names = Object.keys(parameters);
  const gradients = Object.fromEntries(gradient(loss, Object.values(parameters)).map((value, i) => [`gradient.${names[i]}`, value]));
  const step = program({ logits, ...gradients });
  return (executor) => {
    const { logits: forward, ...rest } = evaluateOnce(executor, step, feeds);
    return { forward: { logits: forward }, gradient: rest };
  };
}

/** How far the logits move when one head's output is another prompt's: a difference, so that a swap which does nothing is seen. */
function interchange({ graph, logits, feeds }: Model): ParityPart {
  const z = graph.sites.get(headOutput(0))!;
  const clean = program({ z, logits });
  const patched = program({ logits }, { z });
  return (executor): { interchange: Results } => {
    const before = evaluateOnce(executor, clean, feeds);
    const after = evaluateOnce(executor, patched, { ...feeds, z: swapHead(before.z, 1) }).logits;
    const effect = Float32Array.from(after.data, (entry, i) => entry - before.logits.data[i]);
    return { interchange: { effect: { data: effect, shape: after.shape } } };
  };
}

/** z [rows, positions, heads, width] with one head's output taken from the row before. */
function swapHead({ data, shape }: TensorData, head: number): TensorData {
  const [rows, positions, heads, width] = shape;
  const swapped = Float32Array.from(data);
  const at = (row: number, position: number) => ((row * positions + position) * heads + head) * width;
  for (let row = 0; row < rows; row++)
    for (let position = 0; position < positions; position++) {
      const from = at((row + rows - 1) % rows, position);
      swapped.set(data.subarray(from, from + width), at(row, position));
    }
  return { data: swapped, shape };
}

function drawn(specs: readonly ParameterSpec[], random: Random): Feeds {
  const values = initialise(specs, random);
  return Object.fromEntries(specs.map(({ name, shape }) => [name, { data: values[name], shape }]));
}

const integers = (random: Random, count: number, below: number): Int32Array =>
  Int32Array.from({ length: count }, () => random.integer(below));
