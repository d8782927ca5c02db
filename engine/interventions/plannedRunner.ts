/**
 * Interventions by the fewest runs that give what whole forwards give (wholeRunner.ts): unchanged values are found once for a chunk of pairs, and
 * each intervention recomputes only what its writes can reach, several in one run as branches of a suffix. What cannot matter is proved and not run;
 * what the model does not let be cut is run whole, with the reason.
 */
import { throwIfCancelled } from '../base/errors.ts';
import type { Executor } from '../execute/executor.ts';
import type { PairSet } from '../tasks/pairs.ts';
import { Captures } from './captures.ts';
import { ChunkHelpers, type ChunkRequest } from './chunkHelpers.ts';
import { BranchPrograms, ChunkSweep, type SweepTools } from './chunkSweep.ts';
import type { Effects, Runner, RunOptions } from './effects.ts';
import { EffectsStore, type StoredEffects } from './effectsStore.ts';
import type { Arm, Intervention } from './intervention.ts';
import { modelGraph, type ModelGraph, type TransformerModel } from './modelGraph.ts';
import { stepsOf, withPaths } from './pathPatching.ts';
import { chunkRows, chunksOf } from './places.ts';
import { joined, planOf, secondsPerWork, type Plan } from './plan.ts';
import { Ways } from './planner.ts';
import { resolve } from './resolve.ts';
import { requireInteger } from './sweep.ts';
import { WholeRunner } from './wholeRunner.ts';

export interface PlannedOptions {
  /** Bytes of unchanged values kept between runs on the same pairs. */
  readonly cacheBytes?: number;
  /**
   * Threads that measure pairs side by side, chunk by chunk; 1 by default. The others run on ONNX Runtime's CPU provider, so the executor must be
   * that too. No number depends on it.
   */
  readonly threads?: number;
}

const CACHE_BYTES = 256 * 2 ** 20;
/** Chunks of pairs are shared out, and few requests have so many. */
export const MOST_THREADS = 64;

/** What was done, and what is still to do. */
interface Stored {
  readonly planned: StoredEffects;
  readonly whole?: unknown;
}

export class PlannedRunner implements Runner {
  readonly #executor: Executor;
  readonly #model: ModelGraph;
  readonly #tools: SweepTools;
  readonly #whole: WholeRunner;
  readonly #threads: number;
  readonly #cacheBytes: number;
  /** Started when there is something for them to do. */
  #helpers: ChunkHelpers | undefined;
  #runs = { forwards: 0, branches: 0 };
  #turn: Promise<void> = Promise.resolve();

  /** @throws UserError for parameters that do not fit the model or are not finite */
  constructor(executor: Executor, given: TransformerModel | ModelGraph, { cacheBytes = CACHE_BYTES, threads = 1 }: PlannedOptions = {}) {
    requireInteger('plannedRunner: threads', threads, 1, MOST_THREADS);
    const model = 'graph' in given ? given : modelGraph(given);
    this.#executor = executor;
    this.#model = model;
    this.#threads = threads;
    this.#cacheBytes = cacheBytes;
    this.#tools = {
      model,
      captures: new Captures(executor, model, cacheBytes),
      programs: new BranchPrograms(executor, model),
      ways: new Ways(model),
    };
    this.#whole = new WholeRunner(executor, model);
  }

  /** Runs so far: whole forwards of chunks, and runs of branches. Those of interventions that had to be run whole are not among them. */
  get runs(): { readonly forwards: number; readonly branches: number } {
    return { ...this.#runs, forwards: this.#runs.forwards + this.#tools.captures.forwards };
  }

  /** Says what a run will cost. @param secondsPerWork as {@link measureWork} gives it @throws UserError as the run would */
  plan(pairs: PairSet, base: Arm, interventions: readonly Intervention[], options: RunOptions = {}, secondsPerWork?: number): Plan {
    const steps = stepsOf(this.#model, pairs, base, interventions, options);
    const plans = steps.map(([own, settings]) =>
      planOf(this.#model, resolve(this.#model, pairs, base, own, settings), this.#tools.ways, secondsPerWork),
    );
    return plans.length === 1 ? plans[0] : joined(plans);
  }

  /** Seconds of one multiplication and addition of a whole forward here and now, for {@link plan}. @param now a clock, in seconds */
  measureWork(pairs: PairSet, base: Arm, now: () => number): number {
    return secondsPerWork(this.#executor, this.#model, pairs, base, now);
  }

  async run(pairs: PairSet, base: Arm, interventions: readonly Intervention[], options: RunOptions = {}): Promise<Effects> {
    // One run at a time: what is kept belongs to the pairs of the run at hand.
    const before = this.#turn;
    let done = () => {};
    this.#turn = new Promise((resolved) => (done = resolved));
    await before;
    try {
      return await withPaths(this.#model, pairs, base, interventions, options, (plain, own) => this.#run(pairs, base, plain, own));
    } finally {
      done();
    }
  }

  dispose(): void {
    this.#helpers?.dispose();
    this.#tools.programs.dispose();
    this.#tools.captures.dispose();
    this.#whole.dispose();
  }

  async #run(pairs: PairSet, base: Arm, interventions: readonly Intervention[], options: RunOptions): Promise<Effects> {
    const resolved = resolve(this.#model, pairs, base, interventions, options);
    const { context = {}, ...asked } = options;
    const { whole, reasons } = this.#tools.ways.of(resolved);
    const planned = resolved.interventions.map((_own, i) => i).filter((i) => !whole.has(i));
    const store = new EffectsStore(resolved, this.#model.config.vocabulary);
    const chunks = chunksOf(pairs, chunkRows(this.#model.config.width, pairs.length));
    const resumed = context.resume as Stored | undefined;
    const done = resumed === undefined ? 0 : store.restore(resumed.planned);
    const total = chunks.length * interventions.length;
    const breathe = async (at: number) => {
      throwIfCancelled(context.signal);
      context.progress?.({ stage: 'interventions', done: at, total });
      await context.breathe?.();
    };
    await breathe(done * planned.length);
    const sweep = new ChunkSweep(this.#tools, resolved, planned);
    if (done < chunks.length) sweep.findMeans(chunks);
    const helpers = this.#helpersFor(chunks.length - done, planned.length);
    const request: ChunkRequest = { number: helpers?.begin() ?? 0, base, interventions, options: asked };
    const side = 1 + (helpers?.count ?? 0);
    try {
      for (let number = done; number < chunks.length; number += side) {
        const [own, ...others] = chunks.slice(number, number + side);
        const beside = others.map((_chunk, i) => helpers!.measure(i, number + 1 + i, pairs, request));
        // Looked at when this thread's own chunk is done.
        for (const answer of beside) answer.catch(() => undefined);
        for (const ran of sweep.run(own, store)) {
          this.#runs.branches++;
          await breathe(number * planned.length + ran * (1 + others.length));
        }
        for (const [i, { piece, runs, forwards }] of (await Promise.all(beside)).entries()) {
          store.put(others[i], piece!);
          this.#runs.branches += runs;
          this.#runs.forwards += forwards;
        }
        const finished = number + 1 + others.length;
        await breathe(finished * planned.length);
        await context.checkpoint?.({ planned: store.stored(finished) } satisfies Stored);
      }
    } finally {
      // After a mistake or a cancellation nobody waits for the others' chunks any more.
      helpers?.begin();
    }
    if (whole.size > 0) {
      const rest = [...whole].map((i) => interventions[i]);
      const finished = store.stored(chunks.length);
      const effects = await this.#whole.run(pairs, base, rest, {
        ...options,
        context: {
          ...context,
          resume: resumed?.whole,
          progress: ({ done }) =>
            context.progress?.({ stage: 'interventions, whole forwards', done: chunks.length * planned.length + done, total }),
          checkpoint: async (state) => context.checkpoint?.({ planned: finished, whole: state } satisfies Stored),
        },
      });
      [...whole].forEach((i, own) => store.takeOver(i, effects, own));
    }
    return store.effects(reasons);
  }

  #helpersFor(chunks: number, planned: number): ChunkHelpers | undefined {
    if (this.#threads === 1 || chunks < 2 || planned === 0) return undefined;
    return (this.#helpers ??= new ChunkHelpers(this.#model, { count: this.#threads - 1, cacheBytes: this.#cacheBytes }));
  }
}
