/** A change of any site of a transformer at one position: by suffix, and by whole graphs with the site written over. For tests. */
import { Random } from '../../base/random.ts';
import type { Executable, Executor, Feeds } from '../../execute/executor.ts';
import type { OnnxRuntimeExecutor } from '../../execute/onnxruntime.ts';
import { symbol } from '../../graph/dimension.ts';
import { Graph } from '../../graph/graph.ts';
import { program, type TensorData } from '../../graph/program.ts';
import type { Value } from '../../graph/value.ts';
import { parameterInputs, type Tensors } from '../../models/parameters.ts';
import { causalMask, transformer, transformerInputs, transformerParameters, type TransformerConfig } from '../../models/transformer.ts';
import { branchMask, branchRanges } from '../branchMask.ts';
import { axisOf } from '../restrict.ts';
import { BRANCHES, POSITIONS, suffix } from '../suffix.ts';
import { range } from './weights.ts';

const ROWS = symbol('rows');

/** What stands at the changed position, branch by branch: the donor's activation, the clean one, half of each. */
const MIXTURES = [1, 0, 0.5];
export const BRANCH_COUNT = MIXTURES.length;

export interface SiteResult {
  /** Logits at the last position, [rows, vocabulary], by branch. */
  readonly branches: readonly Float32Array[];
  /** The smallest margin of a choice of experts in these runs: below what rounding moves, the choice is not the model's. */
  readonly margin: number;
}

/** One model with its clean and donor prompts, all of one length. */
export class SiteChecks {
  readonly graph = new Graph();
  readonly oracle: Executor;
  readonly clean: Float32Array;
  readonly donor: Float32Array;
  readonly #logits: Value;
  readonly #mask: Value;
  readonly #feeds: Feeds;
  readonly #activations: Record<'clean' | 'donor', Readonly<Record<string, TensorData>>>;
  readonly #length: number;
  readonly #compiled = new Map<string, Executable>();

  constructor(
    oracle: Executor,
    config: TransformerConfig,
    parameters: Tensors,
    { rows, length, roles, seed }: { rows: number; length: number; roles?: Int32Array; seed: number },
  ) {
    this.oracle = oracle;
    this.#length = length;
    const specs = transformerParameters(config);
    const inputs = transformerInputs(config, this.graph, ROWS, POSITIONS);
    this.#mask = inputs.mask;
    this.#logits = transformer(config, parameterInputs(this.graph, specs), inputs);
    const random = new Random(seed);
    const tokens = (): TensorData => ({
      data: Int32Array.from({ length: rows * length }, () => random.integer(config.vocabulary)),
      shape: [rows, length],
    });
    this.#feeds = {
      ...Object.fromEntries(specs.map(({ name, shape }) => [name, { data: parameters[name], shape }])),
      tokens: tokens(),
      positions: { data: Int32Array.from(range(length)), shape: [length] },
      mask: { data: causalMask(length), shape: [length, length] },
      ...(roles && { roles: { data: roles, shape: [length] } }),
    };
    const every = oracle.compile(program({ logits: this.#logits, ...Object.fromEntries(this.graph.sites) }));
    this.#activations = { clean: every.run(this.#feeds), donor: every.run({ ...this.#feeds, tokens: tokens() }) };
    this.clean = this.#last(this.#activations.clean.logits, 1)[0];
    this.donor = this.#last(this.#activations.donor.logits, 1)[0];
  }

  /** mean |donor − clean| of the logits. */
  get gap(): number {
    return this.clean.reduce((total, logit, i) => total + Math.abs(this.donor[i] - logit), 0) / this.clean.length;
  }

  /** Site by site: those that have positions along one axis, and that axis. */
  sites(): ReadonlyMap<string, number> {
    const found = [...this.graph.sites].filter(([, { shape }]) => shape.filter((dimension) => dimension === POSITIONS).length === 1);
    return new Map(found.map(([name, value]) => [name, axisOf(value, POSITIONS)!]));
  }

  /** The clean activations with those of the donor mixed in at one position of the site. */
  #mixed(site: string, axis: number, position: number, amount: number): TensorData {
    const { data, shape } = this.#activations.clean[site];
    let donor = this.#activations.donor[site].data as Float32Array;
    // What no prompt changes (positions) is moved all the same.
    if (data.every((entry, i) => entry === donor[i])) donor = donor.map((entry, i) => entry + Math.sin(i));
    const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
    const mixed = Float32Array.from(data, (entry, i) =>
      Math.floor(i / inner) % shape[axis] === position ? Math.fround(entry + amount * (donor[i] - entry)) : entry,
    );
    return { data: mixed, shape };
  }

  whole(site: string, axis: number, position: number): SiteResult {
    const margins = [...this.graph.sites].filter(([name]) => name.endsWith('.hook_margin'));
    const compiled = this.#once(`whole.${site}`, () =>
      this.oracle.compile(program({ logits: this.#logits, ...Object.fromEntries(margins) }, { [site]: this.graph.sites.get(site)! })),
    );
    const runs = MIXTURES.map((amount) => compiled.run({ ...this.#feeds, [site]: this.#mixed(site, axis, position, amount) }));
    const margin = Math.min(Infinity, ...runs.flatMap((run) => margins.map(([name]) => Math.min(...(run[name].data as Float32Array)))));
    return { branches: runs.map(({ logits }) => this.#last(logits, 1)[0]), margin };
  }

  /** All branches in one run. @throws CutRefusal where that is not exact */
  suffix(executor: OnnxRuntimeExecutor, site: string, axis: number, position: number): readonly Float32Array[] {
    const value = this.graph.sites.get(site)!;
    const read = this.#length - 1;
    const atRead = position === read;
    const prefix = `${site}.${atRead ? 'read' : 'earlier'}`;
    const shape = value.shape.map((dimension, i) => (i === axis ? BRANCHES : dimension));
    const changed = this.graph.inputs.get(`${prefix}.changed`) ?? this.graph.input(`${prefix}.changed`, shape);
    const made = suffix({ output: this.#logits, axis: 1, entries: [[{ value, axis, changed }]], mask: this.#mask, atRead, prefix });
    const compiled = this.#once(prefix, () => executor.compile(program({ logits: made.output, ...made.sizes })));
    const caches = Object.fromEntries(made.caches.map(({ name, value }) => [name, value]));
    const cached =
      made.caches.length === 0 ? {} : this.#once(`${prefix}.caches`, () => this.oracle.compile(program(caches))).run(this.#feeds);
    const { tokens: _tokens, positions: _positions, mask: _mask, roles: _roles, ...weights } = this.#feeds;
    const feeds: Record<string, TensorData> = { ...weights };
    for (const { name, axis: along, part } of made.caches) feeds[name] = part === 'whole' ? cached[name] : at(cached[name], along, [read]);
    for (const [name, queries] of made.masks) feeds[name] = branchMask(queries, BRANCH_COUNT, position, read, this.#length);
    for (const [name, list] of Object.entries(branchRanges(BRANCH_COUNT, position, read)))
      feeds[`range.${name}`] = { data: list, shape: [list.length] };
    const parts = MIXTURES.map((amount) => at(this.#mixed(site, axis, position, amount), axis, [position]));
    feeds[`${prefix}.changed`] = joined(parts, axis);
    return this.#last(compiled.run(feeds).logits, BRANCH_COUNT);
  }

  /** [rows, n, vocabulary] as [rows, vocabulary] for each of the last `count` of n; all alike where n is 1. */
  #last(logits: TensorData, count: number): Float32Array[] {
    const n = logits.shape[1];
    return range(count).map((i) => at(logits, 1, [n === 1 ? 0 : n - count + i]).data as Float32Array);
  }

  #once(name: string, compile: () => Executable): Executable {
    const made = this.#compiled.get(name) ?? compile();
    this.#compiled.set(name, made);
    return made;
  }
}

/** `data` at `places` along `axis`. */
function at({ data, shape }: TensorData, axis: number, places: readonly number[]): TensorData {
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const outer = shape.slice(0, axis).reduce((a, b) => a * b, 1);
  const part = data.slice(0, outer * places.length * inner);
  for (let i = 0; i < outer; i++)
    places.forEach((place, j) => {
      const from = (i * shape[axis] + place) * inner;
      part.set(data.subarray(from, from + inner), (i * places.length + j) * inner);
    });
  return { data: part, shape: shape.map((size, i) => (i === axis ? places.length : size)) };
}

/** Tensors with 1 along `axis`, one after another there. */
function joined(parts: readonly TensorData[], axis: number): TensorData {
  const { shape } = parts[0];
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const outer = shape.slice(0, axis).reduce((a, b) => a * b, 1);
  const data = new Float32Array(outer * parts.length * inner);
  for (let i = 0; i < outer; i++)
    parts.forEach(({ data: part }, j) =>
      data.set((part as Float32Array).subarray(i * inner, (i + 1) * inner), (i * parts.length + j) * inner),
    );
  return { data, shape: shape.map((size, i) => (i === axis ? parts.length : size)) };
}
