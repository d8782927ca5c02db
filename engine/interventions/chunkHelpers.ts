/**
 * Threads that measure chunks beside the one that asks: each has programs and unchanged values of its own, weights are in shared memory. A chunk
 * with a certain number always goes to the same thread, which finds there what it kept of those pairs; what it gives is the same in any thread.
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
  readonly #helpers: readonly Helper[];
  readonly #wanted = new Int32Array(new SharedArrayBuffer(4));

  constructor({ config, weights }: ModelGraph, { count, cacheBytes }: { count: number; cacheBytes: number }) {
    const parameters = Object.fromEntries(Object.entries(weights).map(([name, { data }]) => [name, shared(data as Float32Array)]));
    const data: ChunkWorkerData = { config, parameters, cacheBytes, wanted: this.#wanted.buffer };
    const module = new URL('./chunkWorker.ts', import.meta.url);
    this.#helpers = Array.from({ length: count }, () => ({ thread: new AnsweringThread(module, data) }));
  }

  get count(): number {
    return this.#helpers.length;
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
    helper.pairs = pairs;
    helper.request = request.number;
    return helper.thread.ask({ ...(others && { pairs }), ...(another && { request }), chunk });
  }

  dispose(): void {
    this.begin();
    for (const { thread } of this.#helpers) thread.dispose();
  }
}
