/**
 * Gradients of the metric with respect to sites, row by row, by reverse-mode differentiation of the model's graph. Sites may be given instead of
 * computed, which is how gradients along a path are had. What is multiplied with them is for the approximations that use them.
 */
import { throwIfCancelled } from '../../base/errors.ts';
import type { Executable, Executor } from '../../execute/executor.ts';
import { program, type TensorData } from '../../graph/program.ts';
import type { Value } from '../../graph/value.ts';
import { modelGraph, promptFeeds, ROWS, type ModelGraph } from '../../interventions/modelGraph.ts';
import { chunkRows, chunksOf, type Chunk } from '../../interventions/places.ts';
import { POSITIONS } from '../../interventions/suffix.ts';
import type { LanguageModel } from '../../models/languageModel.ts';
import { gradient, multiply, sum } from '../../ops/index.ts';
import { checkPairs, prompts, type Arm, type PairSet } from '../../tasks/pairs.ts';

/** Of one chunk: gradients and values by the names of their sites, [rows, …] each. */
export interface Gradients {
  readonly gradients: ReadonlyMap<string, TensorData>;
  readonly values: ReadonlyMap<string, TensorData>;
}

export interface Wanted {
  /** Sites whose gradients are wanted. */
  readonly gradients: readonly string[];
  /** Sites whose values are. */
  readonly values: readonly string[];
  /** Sites that are given to a run. */
  readonly given?: readonly string[];
}

export class MetricGradients {
  readonly #executor: Executor;
  readonly #model: ModelGraph;
  readonly #pairs: PairSet;
  readonly #executables = new Map<string, Executable>();
  readonly #metric: Value;
  readonly chunks: readonly Chunk[];

  /** @throws UserError for parameters that do not fit or are not finite, and pairs that do not fit the model */
  constructor(executor: Executor, model: LanguageModel, pairs: PairSet) {
    this.#executor = executor;
    this.#model = modelGraph(model);
    checkPairs(pairs, this.#model.config.vocabulary);
    this.#pairs = pairs;
    this.chunks = chunksOf(pairs, chunkRows(this.#model.config.width, pairs.length));
    const { graph, logits, config } = this.#model;
    // Rows do not see one another, so the gradient of the sum is that of each row.
    this.#metric = sum(multiply(logits, graph.input('direction', [ROWS, POSITIONS, config.vocabulary])));
  }

  /** @param given [rows, …] values for each of the given sites */
  run(wanted: Wanted, arm: Arm, chunk: Chunk, given: Readonly<Record<string, TensorData>> = {}): Gradients {
    const { length } = this.#pairs;
    const all = prompts(this.#pairs, arm);
    const tokens = new Int32Array(chunk.length * length);
    chunk.forEach((pair, row) => tokens.set(all.subarray(pair * length, (pair + 1) * length), row * length));
    const results = this.#executable(wanted).run({
      ...this.#model.weights,
      ...promptFeeds(this.#model, this.#pairs),
      ...given,
      tokens: { data: tokens, shape: [chunk.length, length] },
      ...(wanted.gradients.length > 0 && { direction: this.#direction(chunk) }),
    });
    const named = (kind: string, names: readonly string[]) => new Map(names.map((name) => [name, results[`${kind} ${name}`]]));
    return { gradients: named('gradient', wanted.gradients), values: named('value', wanted.values) };
  }

  dispose(): void {
    for (const executable of this.#executables.values()) executable.dispose();
    this.#executables.clear();
  }

  #executable({ gradients, values, given = [] }: Wanted): Executable {
    const key = JSON.stringify([gradients, values, given]);
    let found = this.#executables.get(key);
    if (!found) {
      const valueAt = (name: string): Value => this.#model.graph.sites.get(name)!;
      const slopes = gradient(this.#metric, gradients.map(valueAt));
      found = this.#executor.compile(
        program(
          Object.fromEntries([
            ...gradients.map((name, i): [string, Value] => [`gradient ${name}`, slopes[i]]),
            ...values.map((name): [string, Value] => [`value ${name}`, valueAt(name)]),
          ]),
          Object.fromEntries(given.map((name) => [name, valueAt(name)])),
        ),
      );
      this.#executables.set(key, found);
    }
    return found;
  }

  /** What the logits are multiplied with, so that their sum is M: [rows, positions, vocabulary]. */
  #direction(chunk: Chunk): TensorData {
    const { length, read, metric } = this.#pairs;
    const { vocabulary } = this.#model.config;
    const data = new Float32Array(chunk.length * length * vocabulary);
    chunk.forEach((pair, row) => {
      const at = (row * length + read[pair]) * vocabulary;
      for (const [{ count, tokens }, sign] of [
        [metric.positive, 1],
        [metric.negative, -1],
      ] as const)
        for (let k = 0; k < count; k++) data[at + tokens[pair * count + k]] += sign / count;
    });
    return { data, shape: [chunk.length, length, vocabulary] };
  }
}

/** a + t · (b − a) of two tensors of one shape. */
export function between(a: TensorData, b: TensorData, t: number): TensorData {
  return { data: Float32Array.from(a.data, (value, i) => value + t * (b.data[i] - value)), shape: a.shape };
}

/** Goes through the chunks of the pairs: looks for a cancellation and tells how far it is before each. */
export async function overChunks(
  { chunks }: MetricGradients,
  context: {
    signal?: AbortSignal;
    breathe?: () => Promise<void>;
    progress?: (progress: { stage: string; done: number; total: number }) => void;
  },
  act: (chunk: Chunk) => void,
): Promise<void> {
  for (let i = 0; i < chunks.length; i++) {
    throwIfCancelled(context.signal);
    context.progress?.({ stage: 'gradients', done: i, total: chunks.length });
    await context.breathe?.();
    act(chunks[i]);
  }
  context.progress?.({ stage: 'gradients', done: chunks.length, total: chunks.length });
}
