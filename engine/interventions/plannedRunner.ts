/**
 * Interventions by the fewest runs that give what whole forwards give (wholeRunner.ts): unchanged values are found once for a chunk of pairs, and
 * each intervention recomputes only what its writes can reach, several in one run as branches of a suffix. What cannot matter is proved and not run;
 * what the model does not let be cut is run whole, with the reason.
 */
import { throwIfCancelled, UserError } from '../base/errors.ts';
import type { Executor } from '../execute/executor.ts';
import type { PairSet } from '../tasks/pairs.ts';
import { ChunkHelpers, type ChunkRequest } from './chunkHelpers.ts';
import { ChunkSweep, sweepTools, type SweepTools } from './chunkSweep.ts';
import type { Effects, Runner, RunOptions } from './effects.ts';
import { EffectsStore, type StoredEffects } from './effectsStore.ts';
import type { Arm, Intervention } from './intervention.ts';
import { modelGraph, type ModelGraph, type TransformerModel } from './modelGraph.ts';
import { stepsOf, withPaths } from './pathPatching.ts';
import { chunkRows, chunksOf } from './places.ts';
import { joined, planOf, secondsPerWork, type Plan } from './plan.ts';
import { resolve } from './resolve.ts';
import { requireInteger } from './sweep.ts';
import { WholeRunner } from './wholeRunner.ts';

export interface PlannedOptions {
  /** Bytes of unchanged values kept between runs on the same pairs, by all threads together. */
  readonly cacheBytes?: number;
  /** Threads that measure chunks of pairs side by side; 1 by default, and more with ONNX Runtime's CPU provider only. No number depends on it. */
  readonly threads?: number;
}

const CACHE_BYTES = 256 * 2 ** 20;
const MOST_THREADS = 64;
const HELPERS_RUN_ON = 'onnxruntime-cpu';

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
  #beside = 0;
  #turn: Promise<void> = Promise.resolve();

  /** @throws UserError for parameters that do not fit the model or are not finite */
  constructor(executor: Executor, given: TransformerModel | ModelGraph, { cacheBytes = CACHE_BYTES, threads = 1 }: PlannedOptions = {}) {
    requireInteger('plannedRunner: threads', threads, 1, MOST_THREADS);
    if (threads > 1 && executor.name !== HELPERS_RUN_ON)
      throw new UserError('plannedRunner: threads', `must be 1 unless the executor is ${HELPERS_RUN_ON}`, executor.name);
    const model = 'graph' in given ? given : modelGraph(given);
    this.#executor = executor;
    this.#model = model;
    this.#threads = threads;
    this.#cacheBytes = cacheBytes;
    this.#tools = sweepTools(executor, model, cacheBytes);
    this.#whole = new WholeRunner(executor, model);
  }

  /** Runs so far: whole forwards of chunks, and runs of branches. Those of interventions that had to be run whole are not among them. */
  get runs(): { readonly forwards: number; readonly branches: number } {
    return { ...this.#runs, forwards: this.#runs.forwards + this.#tools.captures.forwards };
  }

  /** How many chunks other threads have measured. */
  get beside(): number {
    return this.#beside;
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
    const side = Math.min(this.#threads, chunks.length);
    const helpers = this.#helpersFor(side);
    const sweep = new ChunkSweep(this.#tools, resolved, planned, chunks);
    const means = done < chunks.length ? sweep.findMeans(chunks, (number) => number % side === 0).entries() : [];
    const request: ChunkRequest = { number: helpers?.begin() ?? 0, base, interventions, options: asked, means };
    try {
      for (let first = done; first < chunks.length;) {
        // A chunk is always the same thread's, also where some are done already.
        const end = Math.min(chunks.length, (Math.floor(first / side) + 1) * side);
        const numbers = Array.from({ length: end - first }, (_entry, i) => first + i);
        const beside = numbers.filter((number) => number % side > 0);
        const answers = Promise.all(beside.map((number) => helpers!.measure((number % side) - 1, number, pairs, request)));
        // Looked at when this thread's own chunk is done.
        answers.catch(() => undefined);
        if (first % side === 0)
          for (const ran of sweep.run(chunks[first], store)) {
            this.#runs.branches++;
            await breathe(first * planned.length + ran * numbers.length);
          }
        for (const [i, { piece, runs, forwards }] of (await untilCancelled(answers, context.signal)).entries()) {
          store.put(chunks[beside[i]], piece!);
          this.#runs.branches += runs;
          this.#runs.forwards += forwards;
          this.#beside++;
        }
        first = end;
        await breathe(end * planned.length);
        await context.checkpoint?.({ planned: store.stored(end) } satisfies Stored);
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

  #helpersFor(side: number): ChunkHelpers | undefined {
    if (side < 2) return undefined;
    this.#helpers ??= new ChunkHelpers(this.#model, this.#cacheBytes);
    this.#helpers.start(side - 1);
    return this.#helpers;
  }
}

/** What comes of it, or Cancelled as soon as the signal fires: the engine has to answer then, whatever its threads are at. */
async function untilCancelled<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  let leave = () => {};
  const cancelled = new Promise<void>((resolve) => signal.addEventListener('abort', (leave = () => resolve()), { once: true }));
  try {
    throwIfCancelled(signal);
    return await Promise.race([promise, cancelled.then((): T => (throwIfCancelled(signal), undefined as never))]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}
