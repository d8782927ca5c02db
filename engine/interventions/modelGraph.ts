/** The graph of a language model as interventions see it: its sites and logits, what it is fed with, and how the numbers of a site lie in memory. */
import { UserError } from '../base/errors.ts';
import type { Feeds } from '../execute/executor.ts';
import { symbol } from '../graph/dimension.ts';
import { Graph } from '../graph/graph.ts';
import type { TensorData } from '../graph/program.ts';
import type { Value } from '../graph/value.ts';
import { parameterInputs, type Tensors } from '../models/parameters.ts';
import {
  causalMask,
  checkRoles,
  settled,
  transformer,
  transformerInputs,
  transformerParameters,
  type SettledConfig,
  type TransformerConfig,
} from '../models/transformer.ts';
import type { PairSet } from '../tasks/pairs.ts';
import { partSize, type SiteSize } from './intervention.ts';
import { POSITIONS } from './suffix.ts';
import { parameterFeeds } from './sweep.ts';

export const ROWS = symbol('rows');

/** What a runner needs of a language model. */
export interface TransformerModel {
  readonly config: TransformerConfig;
  readonly parameters: Tensors;
}

export interface ModelGraph {
  readonly graph: Graph;
  readonly config: SettledConfig;
  /** [rows, positions, vocabulary] */
  readonly logits: Value;
  readonly mask: Value;
  /** What every run is fed with: the parameters. */
  readonly weights: Feeds;
}

/** @throws UserError naming a parameter that has another size than the model's, or that holds a number which is not finite */
export function modelGraph({ config, parameters }: TransformerModel): ModelGraph {
  const specs = transformerParameters(config);
  const weights = parameterFeeds('model', specs, parameters);
  for (const { name } of specs) {
    const wrong = parameters[name].findIndex((number) => !Number.isFinite(number));
    if (wrong >= 0) throw new UserError(`model: parameter ${name}`, 'must hold finite numbers', parameters[name][wrong]);
  }
  const graph = new Graph();
  const values = parameterInputs(graph, specs);
  const inputs = transformerInputs(config, graph, ROWS, POSITIONS);
  return { graph, config: settled(config), logits: transformer(config, values, inputs), mask: inputs.mask, weights };
}

/** What prompts of one length are fed with besides their tokens. @throws UserError where the pairs lack the roles that the model asks for */
export function promptFeeds({ config }: ModelGraph, pairs: PairSet): Feeds {
  const { length } = pairs;
  return {
    mask: { data: causalMask(length), shape: [length, length] },
    positions: { data: Int32Array.from({ length }, (_entry, i) => i), shape: [length] },
    ...(config.roles && { roles: { data: modelRoles(config, config.roles, pairs), shape: [length] } }),
  };
}

/** The role of each position by the numbers of the model, which knows roles by name. */
function modelRoles(config: TransformerConfig, names: readonly string[], { roles, roleNames = [], length }: PairSet): Int32Array {
  if (roles?.length !== length)
    throw new UserError('pairs: roles', `must be one for each of ${length} positions: the model masks by role`, roles?.length);
  const numbers = roles.map((role) => {
    const found = names.indexOf(roleNames[role]);
    if (found < 0) throw new UserError('pairs: roleNames', `must be roles of the model (${names.join(', ')})`, roleNames[role]);
    return found;
  });
  checkRoles(config, numbers);
  return numbers;
}

/** A site an intervention may write to: float32, a row for each prompt, one axis of positions, an axis that index counts along. */
export interface Site {
  readonly name: string;
  readonly value: Value;
  /** Where the positions are: queries, for patterns. */
  readonly axis: number;
  readonly indexAxis: number;
}

/** @returns undefined for a site that is not there, or has no value for every prompt and position */
export function siteNamed({ graph }: ModelGraph, name: string): Site | undefined {
  const value = graph.sites.get(name);
  if (!value || value.dtype !== 'float32' || value.shape[0] !== ROWS) return undefined;
  const axis = value.shape.indexOf(POSITIONS);
  const indexAxis = axis === 1 ? 2 : 1;
  if (axis < 1 || value.rank < 3 || value.rank > 4 || typeof value.shape[indexAxis] !== 'number') return undefined;
  return { name, value, axis, indexAxis };
}

/** How many indices a site has, and how many numbers each has at one position of prompts of this length. */
export function siteSize({ value, indexAxis }: Site, length: number): SiteSize {
  const last = value.shape[3] as (typeof value.shape)[number] | undefined;
  return { entries: value.shape[indexAxis] as number, block: last === undefined ? 1 : last === POSITIONS ? length : (last as number) };
}

/** The numbers of parts of a tensor at a site. */
export class Parts {
  /** Numbers of one part. */
  readonly size: number;
  readonly #data: Float32Array;
  readonly #row: number;
  readonly #position: number;
  readonly #index: number;
  readonly #block: number;
  readonly #first: number;
  readonly #count: number;

  /** @param index a head, unit or expert; all by default @param tensor the site's, or of some positions only */
  constructor({ axis, indexAxis }: Site, { data, shape }: TensorData, index?: number) {
    const stride = (at: number) => shape.slice(at + 1).reduce((a, b) => a * b, 1);
    this.#data = data as Float32Array;
    this.#row = stride(0);
    this.#position = stride(axis);
    this.#index = stride(indexAxis);
    this.#block = shape[3] ?? 1;
    this.#first = index ?? 0;
    this.#count = index === undefined ? shape[indexAxis] : 1;
    this.size = partSize({ entries: shape[indexAxis], block: this.#block }, index);
  }

  /** Copies the part of one row and position into `into` at `at`. */
  read(row: number, position: number, into: Float32Array, at = 0): void {
    let own = at;
    for (let i = 0, from = this.#start(row, position); i < this.#count; i++, from += this.#index)
      for (let j = 0; j < this.#block; j++) into[own++] = this.#data[from + j];
  }

  /** Writes the part of one row and position from `from` at `at`. */
  write(row: number, position: number, from: Float32Array, at = 0): void {
    let own = at;
    for (let i = 0, to = this.#start(row, position); i < this.#count; i++, to += this.#index)
      for (let j = 0; j < this.#block; j++) this.#data[to + j] = from[own++];
  }

  #start(row: number, position: number): number {
    return row * this.#row + position * this.#position + this.#first * this.#index;
  }
}
