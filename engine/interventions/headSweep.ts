/**
 * The activation-patching sweep over heads and positions: z of one head at one position is swapped for its value on the donor prompt, and
 * the metric is read at the last position. One clean and one donor run serve every cell; each cell recomputes only what its swap can reach.
 *
 * Rows are pairs of prompts of one length. Equal to patching whole runs cell by cell (tests hold it to that); cells that cannot matter are
 * proved to be zero by the graph and not run.
 */
import { UserError } from '../base/errors.ts';
import type { CompiledProgram, OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import type { Feeds } from '../execute/executor.ts';
import { symbol } from '../graph/dimension.ts';
import { Graph } from '../graph/graph.ts';
import { dependents, program, type TensorData } from '../graph/program.ts';
import type { Value } from '../graph/value.ts';
import { parameterInputs, type Tensors } from '../models/parameters.ts';
import { headOutput } from '../models/sites.ts';
import { causalMask, transformer, transformerParameters, type TransformerConfig } from '../models/transformer.ts';
import { expandAxis, multiply, oneHot, subtract, sum, where } from '../ops/index.ts';
import { branchMask } from './branchMask.ts';
import { narrow, type Narrowed } from './narrow.ts';
import { BRANCHES, POSITIONS, suffix, type Suffix } from './suffix.ts';

export interface SweepPrompts {
  /** int32 [pairs, length] */
  readonly clean: Int32Array;
  /** int32 [pairs, length] */
  readonly donor: Int32Array;
  readonly length: number;
  /** int32 [pairs]: the metric is the logit of `answer` minus that of `other`, at the last position. */
  readonly answer: Int32Array;
  readonly other: Int32Array;
}

export type CellState = 'measured' | 'proved-zero';

export interface SweepResult {
  /** Metric with the head's output swapped: [layers, heads, positions, pairs]. */
  readonly patched: Float32Array;
  /** One for each layer and position, [layers][positions]. */
  readonly states: readonly (readonly CellState[])[];
  /** Metric without a swap, [pairs]. */
  readonly clean: Float32Array;
  /** Metric on the donor prompts, [pairs]. */
  readonly donor: Float32Array;
}

const ROWS = symbol('rows');

interface LayerProgram {
  readonly suffix: Suffix;
  readonly compiled: CompiledProgram;
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

  /** @param lastOnly whether only the last position will be swept: then the runs compute no more than that takes */
  constructor(executor: OnnxRuntimeExecutor, config: TransformerConfig, parameters: Tensors, { lastOnly }: { lastOnly: boolean }) {
    this.#config = config;
    const specs = transformerParameters(config);
    this.#weights = Object.fromEntries(
      specs.map(({ name, shape }) => {
        const data = parameters[name] as Float32Array | undefined;
        if (data?.length !== shape.reduce((a, b) => a * b, 1))
          throw new UserError(`headSweep: parameter ${name}`, `must hold ${shape.join(' × ')} numbers`, data?.length);
        return [name, { data, shape }];
      }),
    );
    const graph = new Graph();
    const values = parameterInputs(graph, specs);
    const mask = graph.input('mask', [POSITIONS, POSITIONS]);
    const logits = transformer(config, values, {
      tokens: graph.input('tokens', [ROWS, POSITIONS], 'int32'),
      positions: graph.input('positions', [POSITIONS], 'int32'),
      mask,
    });
    const metric = logitDifference(graph, config.vocabulary);

    const suffixOf = (layer: number, atRead: boolean): Suffix => {
      const z = graph.sites.get(headOutput(layer))!;
      const [, , heads, width] = z.shape;
      const prefix = `${headOutput(layer)}.${atRead ? 'read' : 'earlier'}`;
      const part = (name: string) => graph.input(`${prefix}.${name}`, [ROWS, 1, heads, width]);
      const chosen = graph.inputs.get('chosen') ?? graph.input('chosen', [BRANCHES, heads, 1], 'bool');
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
      const z = [`${headOutput(layer)}.${atRead ? 'read' : 'earlier'}.donor`];
      if (
        !dependents(
          [made.output],
          z.map((name) => graph.inputs.get(name)!),
        ).has(made.output)
      )
        return undefined;
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
    const single = caches.filter(({ part }) => part === 'at');
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
    return position === length - 1 || this.#earlier[layer] ? 'measured' : 'proved-zero';
  }

  /**
   * Sweeps pairs [begin, end) and writes their metrics into `result`, [layers, heads, positions swept, pairs].
   * @param positions which positions to swap, ascending
   */
  run(
    prompts: SweepPrompts,
    positions: readonly number[],
    begin: number,
    end: number,
    result: { patched: Float32Array; clean: Float32Array; donor: Float32Array; pairs: number },
  ): void {
    const { heads, layers, width } = this.#config;
    const { length } = prompts;
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
        const of = (run: typeof clean): TensorData => (position === read ? run[`${z}.read`] : rowAt(run[z], position, width));
        const feeds: Record<string, TensorData> = { ...common, chosen, [`${prefix}.donor`]: of(donor), [`${prefix}.clean`]: of(clean) };
        for (const { name } of made.suffix.caches) feeds[name] = clean[name];
        for (const [name, range] of made.suffix.masks) feeds[name] = branchMask(range, heads, position, read);
        for (const [name, list] of Object.entries(ranges(heads, position, read))) feeds[`range.${name}`] = int(list, list.length);
        const { data } = made.compiled.run(feeds).metric;
        for (let head = 0; head < heads; head++)
          for (let row = 0; row < rows; row++) result.patched[at(head) + row] = data[row * heads + head];
      });
    }
  }
}

/** Position lists of the ranges of suffix.ts for one branch a head. */
function ranges(branches: number, position: number, read: number): Record<string, Int32Array> {
  const later = Array.from({ length: read - position }, (_entry, i) => position + 1 + i);
  const repeated = (list: readonly number[]) => Array.from({ length: branches }, () => list).flat();
  const before = Array.from({ length: position }, (_entry, i) => i);
  const from = [...repeated([position]), ...repeated(later)];
  return {
    before: Int32Array.from(before),
    position: Int32Array.of(position),
    after: Int32Array.from(repeated(later)),
    from: Int32Array.from(from),
    all: Int32Array.from([...before, ...from]),
    last: Int32Array.from(repeated([read])),
    // Where each branch's last position stands among its own.
    read: Int32Array.from({ length: branches }, (_entry, branch) => branches + (branch + 1) * later.length - 1),
  };
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
