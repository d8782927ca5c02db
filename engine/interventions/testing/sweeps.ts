/** Small sweeps and the slow road to their numbers: whole graphs, patched cell by cell. For tests. */
import { Random } from '../../base/random.ts';
import type { Executable, Executor, Feeds } from '../../execute/executor.ts';
import { symbol } from '../../graph/dimension.ts';
import { Graph } from '../../graph/graph.ts';
import { program, type TensorData } from '../../graph/program.ts';
import { initialise, parameterInputs, type ParameterSpec, type Tensors } from '../../models/parameters.ts';
import { headOutput } from '../../models/sites.ts';
import { causalMask, transformer, transformerInputs, transformerParameters, type TransformerConfig } from '../../models/transformer.ts';
import type { SweepMetrics, SweepPrompts } from '../headSweep.ts';

/** Weights as fresh ones, but with embeddings as large as trained ones: prompts then differ, and a swap moves the metric. */
export function weights(config: TransformerConfig, seed: number): Tensors {
  const specs = transformerParameters(config).map((spec): ParameterSpec =>
    spec.name.includes('embed.W_') ? { ...spec, initialiser: { kind: 'normal', deviation: 1 } } : spec,
  );
  return initialise(specs, new Random(seed));
}

export function randomPrompts({ vocabulary }: TransformerConfig, pairs: number, length: number, seed: number): SweepPrompts {
  const random = new Random(seed);
  const draw = (count: number) => Int32Array.from({ length: count }, () => random.integer(vocabulary));
  const [clean, donor, answer] = [draw(pairs * length), draw(pairs * length), draw(pairs)];
  return { clean, donor, length, answer, other: answer.map((token) => (token + 1 + random.integer(vocabulary - 1)) % vocabulary) };
}

/** Room for the metrics of a sweep, in memory that threads can share. */
export function room({ layers, heads }: TransformerConfig, positions: number, pairs: number): SweepMetrics {
  const floats = (length: number) => new Float32Array(new SharedArrayBuffer(4 * length));
  return { patched: floats(layers * heads * positions * pairs), clean: floats(pairs), donor: floats(pairs), pairs };
}

export const range = (end: number, begin = 0): number[] => Array.from({ length: end - begin }, (_entry, i) => begin + i);

/** mean |donor − clean|: what tolerances of effects are measured in. */
export const gap = ({ clean, donor }: Pick<SweepMetrics, 'clean' | 'donor'>): number =>
  clean.reduce((total, metric, pair) => total + Math.abs(donor[pair] - metric), 0) / clean.length;

/** Whole graphs of every layer; nothing is cut but the one z that is written to. */
export class Naive {
  readonly clean: Float32Array;
  readonly donor: Float32Array;
  readonly #prompts: SweepPrompts;
  readonly #feeds: Feeds;
  readonly #patched: readonly Executable[];
  /** z of every layer, [pairs, positions, heads, d_head]. */
  readonly #z: Record<'clean' | 'donor', readonly TensorData[]>;

  constructor(executor: Executor, config: TransformerConfig, parameters: Tensors, prompts: SweepPrompts) {
    const { length, answer } = prompts;
    const specs = transformerParameters(config);
    const graph = new Graph();
    const positions = symbol('positions');
    const inputs = transformerInputs(config, graph, symbol('rows'), positions);
    const logits = transformer(config, parameterInputs(graph, specs), inputs);
    const z = range(config.layers).map((layer) => graph.sites.get(headOutput(layer))!);
    const whole = executor.compile(program({ logits, ...Object.fromEntries(z.map((value, layer) => [`z${layer}`, value])) }));
    this.#patched = z.map((value) => executor.compile(program({ logits }, { z: value })));
    this.#prompts = prompts;
    this.#feeds = {
      ...Object.fromEntries(specs.map(({ name, shape }) => [name, { data: parameters[name], shape }])),
      tokens: { data: prompts.clean, shape: [answer.length, length] },
      positions: { data: Int32Array.from(range(length)), shape: [length] },
      ...(prompts.roles && { roles: { data: prompts.roles, shape: [length] } }),
      mask: { data: causalMask(length), shape: [length, length] },
    };
    const clean = whole.run(this.#feeds);
    const donor = whole.run({ ...this.#feeds, tokens: { data: prompts.donor, shape: [answer.length, length] } });
    this.clean = this.#metric(clean.logits);
    this.donor = this.#metric(donor.logits);
    this.#z = { clean: z.map((_value, layer) => clean[`z${layer}`]), donor: z.map((_value, layer) => donor[`z${layer}`]) };
  }

  /** The metric of every pair with z of one head at one position swapped. */
  cell(layer: number, head: number, position: number): Float32Array {
    const { data, shape } = this.#z.clean[layer];
    const [pairs, positions, heads, width] = shape;
    const z = Float32Array.from(data);
    for (let pair = 0; pair < pairs; pair++) {
      const at = ((pair * positions + position) * heads + head) * width;
      z.set((this.#z.donor[layer].data as Float32Array).subarray(at, at + width), at);
    }
    return this.#metric(this.#patched[layer].run({ ...this.#feeds, z: { data: z, shape } }).logits);
  }

  #metric({ data, shape: [pairs, positions, vocabulary] }: TensorData): Float32Array {
    const { answer, other } = this.#prompts;
    return Float32Array.from({ length: pairs }, (_entry, pair) => {
      const last = ((pair + 1) * positions - 1) * vocabulary;
      return data[last + answer[pair]] - data[last + other[pair]];
    });
  }
}
