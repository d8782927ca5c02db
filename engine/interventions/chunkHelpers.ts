/**
 * Threads that measure chunks beside the one that asks: each has programs and unchanged values of its own, weights are in shared memory. A chunk
 * always goes to the same thread as long as the pairs are the same, which finds there what it kept of them; what it gives is the same in any.
 */
import { AnsweringThread } from '../execute/answeringThread.ts';
import { shared } from '../execute/sharedMemory.ts';
import type { Tensors } from '../models/parameters.ts';
import type { SettledConfig } from '../models/transformer.ts';
import type { PairSet } from '../tasks/pairs.ts';
import type { RunOptions } from './effects.ts';
import type { EffectsPiece } from './effectsStore.ts';
import type { Arm, Intervention } from './intervention.ts';
import type { ModelGraph } from './modelGraph.ts';

export interface ChunkWorkerData {
  readonly config: SettledConfig;
  readonly parameters: Tensors;
  readonly cacheBytes: number;
  /** One int32: the number of the request whose chunks are still wanted. */
  readonly wanted: SharedArrayBuffer;
}

/** What is asked of all pairs. */
export interface ChunkRequest {
  readonly number: number;
  readonly base: Arm;
  readonly interventions: readonly Intervention[];
  readonly options: Omit<RunOptions, 'context'>;
  /** Means over all pairs, which no chunk can tell. */
  readonly means: readonly (readonly [string, Float32Array])[];
}

/** Pairs and request are left out where they are those of the question before. */
export interface ChunkAsk {
  readonly pairs?: PairSet;
  readonly request?: ChunkRequest;
  readonly chunk: number;
}

/** What came of a chunk; `piece` is missing where it was no longer wanted. */
export interface ChunkAnswer {
  readonly piece?: EffectsPiece;
  readonly runs: number;
  readonly forwards: number;
}

interface Helper {
  readonly thread: AnsweringThread<ChunkAsk, ChunkAnswer>;
  pairs?: PairSet;
  request?: number;
}

export class ChunkHelpers {
  readonly #helpers: Helper[] = [];
  readonly #wanted = new Int32Array(new SharedArrayBuffer(4));
  readonly #data: ChunkWorkerData;

  constructor({ config, weights }: ModelGraph, cacheBytes: number) {
    const parameters = Object.fromEntries(Object.entries(weights).map(([name, { data }]) => [name, shared(data as Float32Array)]));
    this.#data = { config, parameters, cacheBytes, wanted: this.#wanted.buffer };
  }

  /** Starts as many threads, if they are not there yet. */
  start(count: number): void {
    const module = new URL('./chunkWorker.ts', import.meta.url);
    while (this.#helpers.length < count) this.#helpers.push({ thread: new AnsweringThread(module, this.#data) });
  }

  /** Begins another request: chunks of the one before are no longer wanted. @returns its number */
  begin(): number {
    return Atomics.add(this.#wanted, 0, 1) + 1;
  }

  /** Has helper `index` measure chunk number `chunk`. @throws what went wrong there */
  measure(index: number, chunk: number, pairs: PairSet, request: ChunkRequest): Promise<ChunkAnswer> {
    const helper = this.#helpers[index];
    const others = helper.pairs !== pairs;
    const another = others || helper.request !== request.number;
    const answer = helper.thread.ask({ ...(others && { pairs }), ...(another && { request }), chunk });
    helper.pairs = pairs;
    helper.request = request.number;
    return answer;
  }

  dispose(): void {
    this.begin();
    for (const { thread } of this.#helpers) thread.dispose();
  }
}
