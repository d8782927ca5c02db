/** A helper thread of chunkHelpers.ts: measures one chunk at a time, and looks between runs whether it is still wanted. */
import { answerIn, type Answering } from '../execute/answeringThread.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import type { PairSet } from '../tasks/pairs.ts';
import type { ChunkAnswer, ChunkAsk, ChunkRequest, ChunkWorkerData } from './chunkHelpers.ts';
import { ChunkSweep, sweepTools, type SweepTools } from './chunkSweep.ts';
import { Means } from './donors.ts';
import { EffectsStore } from './effectsStore.ts';
import { modelGraph } from './modelGraph.ts';
import { chunkRows, chunksOf } from './places.ts';
import { resolve } from './resolve.ts';

class ChunkWorker implements Answering<ChunkAsk, ChunkAnswer> {
  readonly #executor = new OnnxRuntimeExecutor();
  readonly #tools: SweepTools;
  readonly #wanted: Int32Array;
  #pairs: PairSet | undefined;
  #measure: ((chunk: number) => ChunkAnswer) | undefined;

  constructor({ config, parameters, cacheBytes, wanted }: ChunkWorkerData) {
    this.#tools = sweepTools(this.#executor, modelGraph({ config, parameters }), cacheBytes);
    this.#wanted = new Int32Array(wanted);
  }

  answer({ pairs, request, chunk }: ChunkAsk): ChunkAnswer {
    if (pairs) this.#pairs = pairs;
    if (request) {
      this.#measure = undefined;
      if (Atomics.load(this.#wanted, 0) !== request.number) return { runs: 0, forwards: 0 };
      this.#measure = this.#begin(this.#pairs!, request);
    }
    return this.#measure?.(chunk) ?? { runs: 0, forwards: 0 };
  }

  dispose(): void {
    this.#tools.captures.dispose();
    this.#tools.programs.dispose();
    this.#executor.dispose();
  }

  #begin(pairs: PairSet, { number, base, interventions, options, means }: ChunkRequest): (chunk: number) => ChunkAnswer {
    const { model, captures, ways } = this.#tools;
    const resolved = resolve(model, pairs, base, interventions, options);
    const { whole } = ways.of(resolved);
    const planned = resolved.interventions.map((_own, i) => i).filter((i) => !whole.has(i));
    const store = new EffectsStore(resolved, model.config.vocabulary);
    const chunks = chunksOf(pairs, chunkRows(model.config.width, pairs.length));
    const sweep = new ChunkSweep(this.#tools, resolved, planned, chunks, new Means(means));
    return (at) => {
      const before = captures.forwards;
      let runs = 0;
      for (const _done of sweep.run(chunks[at], store)) {
        runs++;
        if (Atomics.load(this.#wanted, 0) !== number) return { runs, forwards: captures.forwards - before };
      }
      return { piece: store.take(chunks[at]), runs, forwards: captures.forwards - before };
    };
  }
}

answerIn((data: ChunkWorkerData) => new ChunkWorker(data));
