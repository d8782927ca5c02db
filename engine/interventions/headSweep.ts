/**
 * The activation-patching sweep over heads and positions: z of one head at one position is swapped for its value on the donor prompt, and
 * the metric is read at the last position. One clean and one donor run serve every cell; each cell recomputes only what its swap can reach.
 *
 * Rows are pairs of prompts of one length. Equal to patching whole runs cell by cell (tests hold it to that); cells that cannot matter are
 * proved to be zero by the graph and not run. That the model reads other positions through the mask alone is checked (causal.ts); that the
 * mask is causal holds because it is made here.
 */
import { UserError } from '../base/errors.ts';
import type { CompiledProgram, OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import type { Feeds } from '../execute/executor.ts';
import { symbol } from '../graph/dimension.ts';
import { Graph } from '../graph/graph.ts';
import { program, type TensorData } from '../graph/program.ts';
import type { Value } from '../graph/value.ts';
import { parameterInputs, type Tensors } from '../models/parameters.ts';
import { headOutput } from '../models/sites.ts';
import {
  causalMask,
  checkRoles,
  settled,
  transformer,
  transformerInputs,
  transformerParameters,
  type TransformerConfig,
} from '../models/transformer.ts';
import { expandAxis, multiply, oneHot, subtract, sum, where } from '../ops/index.ts';
import { branchMask, branchRanges } from './branchMask.ts';
import { narrow, type Narrowed } from './narrow.ts';
import { BRANCHES, POSITIONS, suffix, type Suffix } from './suffix.ts';
import { inputNamed, parameterFeeds, reaches, requireInteger, requirePart, type CellState } from './sweep.ts';

export interface SweepPrompts {
  /** int32 [pairs, length] */
  readonly clean: Int32Array;
  /** int32 [pairs, length] */
  readonly donor: Int32Array;
  readonly length: number;
  /** int32 [pairs]: the metric is the logit of `answer` minus that of `other`, at the last position. */
  readonly answer: Int32Array;
  readonly other: Int32Array;
  /** int32 [length]: the role of each position, where the model has roles. */
  readonly roles?: Int32Array;
}

const ROWS = symbol('rows');

interface LayerProgram {
  readonly suffix: Suffix;
  readonly compiled: CompiledProgram;
}

/** Where a sweep writes. */
export interface SweepMetrics {
  /** Metric with the head's output swapped: [layers, heads, positions swept, pairs]. */
  readonly patched: Float32Array;
  /** Metric without a swap, [pairs]. */
  readonly clean: Float32Array;
  /** Metric on the donor prompts, [pairs]. */
  readonly donor: Float32Array;
  readonly pairs: number;
}

/** The programs of a sweep over one model; prompts come later, in any number. */
export class HeadSweep {
  readonly #config: TransformerConfig;
  readonly #weights: Feeds;
  /** By layer: a swap at the position that is read, and (if asked for) one before it. */
  readonly #atRead: LayerProgram[] = [];
  readonly #earlier: (LayerProgram | undefined)[] = [];
  readonly #cleanRun: CompiledProgram;
  readonly #donorRun: CompiledProgram;
  readonly #lastOnly: boolean;
  /** The prompts that were found to be in order. */
  #checked: SweepPrompts | undefined;

  /** @param lastOnly whether only the last position will be swept: then the runs compute no more than that takes */
  constructor(executor: OnnxRuntimeExecutor, config: TransformerConfig, parameters: Tensors, { lastOnly }: { lastOnly: boolean }) {
    this.#config = config;
    this.#lastOnly = lastOnly;
    const specs = transformerParameters(config);
    this.#weights = parameterFeeds('headSweep', specs, parameters);
    const graph = new Graph();
    const values = parameterInputs(graph, specs);
    const inputs = transformerInputs(config, graph, ROWS, POSITIONS);
    const { mask } = inputs;
    const logits = transformer(config, values, inputs);
    const metric = logitDifference(graph, config.vocabulary);

    const suffixOf = (layer: number, atRead: boolean): Suffix => {
      const z = graph.sites.get(headOutput(layer))!;
      const [, , heads, width] = z.shape;
      const prefix = `${headOutput(layer)}.${atRead ? 'read' : 'earlier'}`;
      const part = (name: string) => graph.input(`${prefix}.${name}`, [ROWS, 1, heads, width]);
      const chosen = inputNamed(graph, 'chosen', [BRANCHES, heads, 1], 'bool');
      return suffix({
        output: logits,
        axis: 1,
        site: z,
        siteAxis: 1,
        changed: where(chosen, part('donor'), part('clean')),
        mask,
        atRead,
        prefix,
      });
    };
    const compiledSuffix = (layer: number, atRead: boolean): LayerProgram | undefined => {
      const made = suffixOf(layer, atRead);
      const donor = graph.inputs.get(`${headOutput(layer)}.${atRead ? 'read' : 'earlier'}.donor`)!;
      if (!reaches(donor, made.output)) return undefined;
      return { suffix: made, compiled: executor.compile(program({ metric: metric(made.output) })) };
    };
    const layers = Array.from({ length: config.layers }, (_entry, layer) => layer);
    for (const layer of layers) {
      this.#atRead.push(compiledSuffix(layer, true)!);
      if (!lastOnly) this.#earlier.push(compiledSuffix(layer, false));
    }

    const read = graph.input('read', [1], 'int32');
    const caches = [...this.#atRead, ...this.#earlier].flatMap((made) => made?.suffix.caches ?? []);
    const z = layers.map((layer): Narrowed => ({ value: graph.sites.get(headOutput(layer))!, axis: 1 }));
    const wholes = new Map(caches.filter(({ part }) => part === 'whole').map(({ name, value }) => [name, value]));
    if (!lastOnly) z.forEach(({ value }, layer) => wholes.set(headOutput(layer), value));
    const single = [...new Map(caches.filter(({ part }) => part === 'at').map((cache) => [cache.name, cache])).values()];
    const narrowed = narrow([{ value: logits, axis: 1 }, ...z, ...single], [...wholes.values()], read);
    const outputs: Record<string, Value> = { metric: metric(narrowed[0]) };
    z.forEach((_target, layer) => (outputs[`${headOutput(layer)}.read`] = narrowed[1 + layer]));
    single.forEach(({ name }, i) => (outputs[name] = narrowed[1 + z.length + i]));
    for (const [name, value] of wholes) outputs[name] = value;
    this.#cleanRun = executor.compile(program(outputs));

    const donorWholes = lastOnly ? [] : z.map(({ value }) => value);
    const donor = narrow([{ value: logits, axis: 1 }, ...z], donorWholes, read);
    const donorOutputs: Record<string, Value> = { metric: metric(donor[0]) };
    z.forEach((_target, layer) => {
      donorOutputs[`${headOutput(layer)}.read`] = donor[1 + layer];
      if (!lastOnly) donorOutputs[headOutput(layer)] = donorWholes[layer];
    });
    this.#donorRun = executor.compile(program(donorOutputs));
  }

  /** Whether a swap at this layer, before the position that is read, can change the metric: the last layer's cannot. */
  state(layer: number, position: number, length: number): CellState {
    this.#requirePositions([position], length);
    return position === length - 1 || this.#earlier[layer] ? 'measured' : 'proved-zero';
  }

  /**
   * Sweeps pairs [begin, end) and writes their metrics into `result`, [layers, heads, positions swept, pairs].
   * @param positions which positions to swap, ascending
   * @throws UserError for prompts that do not fit the model; those of one sweep are looked through once
   */
  run(prompts: SweepPrompts, positions: readonly number[], begin: number, end: number, result: SweepMetrics): void {
    const { heads, layers, headWidth } = settled(this.#config);
    const { length } = prompts;
    if (this.#checked !== prompts) checkPrompts(prompts, this.#config);
    this.#checked = prompts;
    this.#requirePositions(positions, length);
    requireRoom(result, layers * heads * positions.length);
    requirePart('headSweep: pairs', begin, end, Math.min(result.pairs, prompts.answer.length));
    const rows = end - begin;
    const read = length - 1;
    const int = (data: Int32Array, ...shape: number[]): TensorData => ({ data, shape });
    const common: Record<string, TensorData> = {
      ...this.#weights,
      answer: int(prompts.answer.subarray(begin, end), rows),
      other: int(prompts.other.subarray(begin, end), rows),
      mask: { data: causalMask(length), shape: [length, length] },
      positions: int(
        Int32Array.from({ length }, (_entry, i) => i),
        length,
      ),
      read: int(Int32Array.of(read), 1),
      ...(prompts.roles && { roles: int(prompts.roles, length) }),
    };
    const clean = this.#cleanRun.run({ ...common, tokens: int(prompts.clean.subarray(begin * length, end * length), rows, length) });
    const donor = this.#donorRun.run({ ...common, tokens: int(prompts.donor.subarray(begin * length, end * length), rows, length) });
    result.clean.set(clean.metric.data, begin);
    result.donor.set(donor.metric.data, begin);
    const chosen: TensorData = {
      data: Uint8Array.from({ length: heads * heads }, (_entry, i) => Number(i % heads === Math.floor(i / heads))),
      shape: [heads, heads, 1],
    };
    for (let layer = 0; layer < layers; layer++) {
      const z = headOutput(layer);
      positions.forEach((position, place) => {
        const at = (cell: number) => (layer * heads + cell) * positions.length * result.pairs + place * result.pairs + begin;
        const made = position === read ? this.#atRead[layer] : this.#earlier[layer];
        if (!made) {
          for (let head = 0; head < heads; head++) result.patched.set(clean.metric.data, at(head));
          return;
        }
        const prefix = `${z}.${position === read ? 'read' : 'earlier'}`;
        const of = (run: typeof clean): TensorData => (position === read ? run[`${z}.read`] : rowAt(run[z], position, heads * headWidth));
        const feeds: Record<string, TensorData> = { ...common, chosen, [`${prefix}.donor`]: of(donor), [`${prefix}.clean`]: of(clean) };
        for (const { name } of made.suffix.caches) feeds[name] = clean[name];
        for (const [name, range] of made.suffix.masks) feeds[name] = branchMask(range, heads, position, read, length);
        for (const [name, list] of Object.entries(branchRanges(heads, position, read))) feeds[`range.${name}`] = int(list, list.length);
        const { data } = made.compiled.run(feeds).metric;
        for (let head = 0; head < heads; head++)
          for (let row = 0; row < rows; row++) result.patched[at(head) + row] = data[row * heads + head];
      });
    }
  }

  /** Lets go of the programs; the executor stays. */
  dispose(): void {
    for (const made of [...this.#atRead, ...this.#earlier]) made?.compiled.dispose();
    this.#cleanRun.dispose();
    this.#donorRun.dispose();
  }

  #requirePositions(positions: readonly number[], length: number): void {
    positions.forEach((position, place) => {
      requireInteger('headSweep: position', position, place === 0 ? 0 : positions[place - 1] + 1, length - 1);
      if (this.#lastOnly && position !== length - 1)
        throw new UserError('headSweep: position', `must be the last, ${length - 1}: the sweep was made for no other`, position);
    });
  }
}

/** Throws a UserError unless the prompts are as many as their answers, fit the model and hold none but its tokens. */
export function checkPrompts({ clean, donor, answer, other, length, roles }: SweepPrompts, config: TransformerConfig): void {
  const { vocabulary } = config;
  requireInteger('headSweep: length', length, 1, config.positions);
  if (config.roles && roles?.length !== length)
    throw new UserError('headSweep: roles', `must be one for each of ${length} positions`, roles?.length);
  if (config.roles) checkRoles(config, roles!);
  const pairs = answer.length;
  const tokens = { clean, donor, answer, other };
  for (const [name, data] of Object.entries(tokens)) {
    const expected = name === 'clean' || name === 'donor' ? pairs * length : pairs;
    if (!(data instanceof Int32Array) || data.length !== expected)
      throw new UserError(
        `headSweep: ${name}`,
        `must hold ${expected} tokens as int32 (${pairs} answers, prompts of ${length})`,
        (data as Int32Array | undefined)?.length,
      );
    const wrong = data.findIndex((token) => token < 0 || token >= vocabulary);
    if (wrong >= 0) throw new UserError(`headSweep: ${name} ${wrong}`, `must be a token in [0, ${vocabulary - 1}]`, data[wrong]);
  }
}

function requireRoom({ patched, clean, donor, pairs }: SweepMetrics, cells: number): void {
  for (const [name, { length }, expected] of [
    ['patched', patched, cells * pairs],
    ['clean', clean, pairs],
    ['donor', donor, pairs],
  ] as const)
    if (length !== expected) throw new UserError(`headSweep: result ${name}`, `must have room for ${expected} numbers`, length);
}

/** [rows, positions, …] at one position: [rows, 1, …]. */
function rowAt({ data, shape }: TensorData, position: number, width: number): TensorData {
  const [rows, positions, ...rest] = shape;
  const part = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++)
    part.set((data as Float32Array).subarray((row * positions + position) * width, (row * positions + position + 1) * width), row * width);
  return { data: part, shape: [rows, 1, ...rest] };
}

/** logit[answer] − logit[other] of [rows, n, vocabulary]: [rows, n]. */
function logitDifference(graph: Graph, vocabulary: number): (logits: Value) => Value {
  const answer = graph.input('answer', [ROWS], 'int32');
  const other = graph.input('other', [ROWS], 'int32');
  const direction = expandAxis(subtract(oneHot(answer, vocabulary), oneHot(other, vocabulary)), 1);
  return (logits) => sum(multiply(logits, direction), { axes: [-1] });
}
