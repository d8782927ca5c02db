/**
 * Gives work to engines: at most one job per engine and as many threads in all as there are cores.
 *
 * The pool starts engines when they are needed and uses them again, replaces those that die and resumes their jobs from the last checkpoint,
 * answers a request whose result is stored without an engine, and computes equal requests once. How an engine is spoken to is in
 * engineClient.ts, how it is started in spawn.ts, and how things are kept in a JobStore, which whoever made it closes.
 */
import { Cancelled, throwIfCancelled, UserError } from '../../engine/base/errors.ts';
import type { Progress, Request } from '../../engine/contract.ts';
import { EngineClient, EngineDied } from './engineClient.ts';
import type { JobStore } from './jobStore.ts';
import { requestKey, type PreparedRequest } from './requestKey.ts';
import type { SpawnEngine } from './spawn.ts';

/** How often in a row a job is started again without having stored a checkpoint in between. */
const restarts = 3;

export interface EnginePoolOptions {
  readonly cores: number;
  readonly spawn: SpawnEngine;
  readonly store: JobStore;
  /** Fills in a request's defaults and gives its key: prepare.ts for our own kinds of jobs; as it is, keyed by its content, unless given. */
  readonly prepare?: (request: Request) => PreparedRequest;
  /** Hears of a checkpoint or a result that could not be stored; a job may go on without the one, and whoever asked gets the other. */
  readonly onProblem?: (problem: UserError) => void;
}

/** What a caller hears while its job is under way. */
export interface JobListener {
  readonly onProgress?: (progress: Progress) => void;
  /** A state that the job could go on from has been stored. */
  readonly onCheckpoint?: () => void;
  /** An engine died over it and another takes its place. */
  readonly onRestart?: (death: EngineDied) => void;
}

export interface SubmitOptions extends JobListener {
  readonly signal?: AbortSignal;
  /** Most threads the job can use; what its kind says, or 1, if not given. */
  readonly threads?: number;
}

/** A computation, for everybody who has asked for it. */
interface Task {
  readonly request: Request;
  readonly key: string;
  /** Most it can use. */
  threads: number;
  state: 'waiting' | 'running' | 'over';
  /** Set while it is ready to run and waits for its turn. */
  admit?: (threads: number) => void;
  /** Fires when nobody wants the result any more. */
  readonly controller: AbortController;
  readonly listeners: Set<JobListener>;
  wanted: number;
  progress?: Progress;
  result: Promise<unknown>;
}

export class EnginePool implements AsyncDisposable {
  readonly #options: EnginePoolOptions;
  readonly #tasks = new Map<string, Task>();
  readonly #engines = new Set<EngineClient>();
  readonly #idle: EngineClient[] = [];
  #free: number;
  #disposed = false;

  constructor(options: EnginePoolOptions) {
    this.#options = options;
    this.#free = count('EnginePool: cores', options.cores);
  }

  /**
   * The request's result: from the store, from a running job for an equal request, or computed. `Result` is what its kind returns.
   * @throws UserError for a request that cannot be done or a checkpoint that cannot be stored; Cancelled once the signal has fired, within
   * little more than a second; an Error for a bug, or when engines keep dying over it
   */
  async submit<Result = unknown>(given: Request, { signal, threads: asked, ...listener }: SubmitOptions = {}): Promise<Result> {
    const { prepare = asGiven } = this.#options;
    const { key, request, threads: able = 1 } = prepare(given);
    const threads = count('EnginePool.submit: threads', asked ?? able);
    for (;;) {
      throwIfCancelled(signal);
      if (this.#disposed) throw new Error('EnginePool.submit: the pool is disposed');
      const task = this.#tasks.get(key);
      if (!task?.controller.signal.aborted)
        return (await this.#join(task ?? this.#begin(request, key), threads, listener, signal)) as Result;
      await task.result.catch(() => undefined); // an equal request that was just called off: begin again after its end
    }
  }

  /** Calls off all work and ends all engines; resolves when they are gone and nothing is being stored any more. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    const tasks = [...this.#tasks.values()];
    for (const { controller } of tasks) controller.abort();
    await Promise.all([...this.#engines].map((engine) => engine.kill()));
    await Promise.allSettled(tasks.map(({ result }) => result));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  #begin(request: Request, key: string): Task {
    const task: Task = {
      request,
      key,
      threads: 1,
      state: 'waiting',
      controller: new AbortController(),
      listeners: new Set(),
      wanted: 0,
      result: Promise.resolve(),
    };
    this.#tasks.set(key, task);
    task.result = this.#complete(task).finally(() => {
      task.state = 'over';
      this.#tasks.delete(key);
      this.#schedule();
    });
    task.result.catch(() => undefined); // everybody may have left
    return task;
  }

  /** One caller's share in a task: it ends for them alone as long as others want it. */
  async #join(task: Task, threads: number, given: JobListener, signal?: AbortSignal): Promise<unknown> {
    task.threads = Math.max(task.threads, Math.min(threads, this.#options.cores));
    task.wanted++;
    const listener = { ...given }; // its own, though callers may share one
    task.listeners.add(listener);
    if (task.progress) listener.onProgress?.(task.progress);
    let leave: (() => void) | undefined;
    const left = new Promise<never>((_, reject) => {
      leave = () => {
        task.listeners.delete(listener);
        if (--task.wanted === 0) task.controller.abort();
        else reject(new Cancelled());
      };
      signal?.addEventListener('abort', leave, { once: true });
    });
    try {
      return await Promise.race([task.result, left]);
    } finally {
      if (leave) signal?.removeEventListener('abort', leave);
      throwIfCancelled(signal);
    }
  }

  async #complete(task: Task): Promise<unknown> {
    const { store } = this.#options;
    const stored = await store.loadResult(task.key);
    if (stored) return stored.value;
    const threads = await this.#turn(task);
    let result: unknown;
    const began = performance.now();
    try {
      result = await this.#compute(task, threads);
    } finally {
      task.state = 'over';
      this.#free += threads;
      this.#schedule();
    }
    try {
      const { key, request } = task;
      await store.saveResult({ key, request, result, seconds: (performance.now() - began) / 1000, threads });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.#report(error);
    }
    return result;
  }

  #report(problem: UserError): void {
    (this.#options.onProblem ?? ((unheard) => process.emitWarning(unheard.message)))(problem);
  }

  /** Runs the task, as often as engines die over it. */
  async #compute(task: Task, threads: number): Promise<unknown> {
    const { store } = this.#options;
    const { request, key, controller } = task;
    let deaths = 0;
    for (;;) {
      const resume = (await store.loadCheckpoint(key))?.value;
      throwIfCancelled(controller.signal);
      const engine = this.#takeEngine();
      try {
        return await engine.run({
          request,
          threads,
          resume,
          signal: controller.signal,
          onProgress: (progress) => {
            task.progress = progress;
            for (const { onProgress } of task.listeners) onProgress?.(progress);
          },
          onCheckpoint: async (state) => {
            await store.saveCheckpoint(key, state, request).catch((error: unknown) => {
              if (error instanceof UserError) this.#report(error);
              throw error;
            });
            deaths = 0;
            for (const { onCheckpoint } of task.listeners) onCheckpoint?.();
          },
        });
      } catch (error) {
        if (!(error instanceof EngineDied)) throw error;
        if (++deaths > restarts)
          throw new Error(`${request.kind}: ${deaths} engines in a row died over it without progress; ${error.message}`, { cause: error });
        for (const { onRestart } of task.listeners) onRestart?.(error);
      } finally {
        if (engine.alive) this.#idle.push(engine);
        else this.#engines.delete(engine);
      }
    }
  }

  #takeEngine(): EngineClient {
    for (let engine = this.#idle.pop(); engine; engine = this.#idle.pop()) {
      if (engine.alive) return engine;
      this.#engines.delete(engine); // it died while it had nothing to do
    }
    const engine = new EngineClient(this.#options.spawn);
    this.#engines.add(engine);
    return engine;
  }

  /** Waits until the task may run. @returns the threads it is granted, which are its own until it gives them back */
  async #turn(task: Task): Promise<number> {
    const { signal } = task.controller;
    throwIfCancelled(signal);
    let giveUp: (() => void) | undefined;
    try {
      return await new Promise<number>((resolve, reject) => {
        task.admit = resolve;
        signal.addEventListener('abort', (giveUp = () => reject(new Cancelled())));
        // Not before everybody who submits now has been heard.
        setImmediate(() => this.#schedule());
      });
    } finally {
      delete task.admit;
      if (giveUp) signal.removeEventListener('abort', giveUp);
    }
  }

  /**
   * Deals the free threads out to those who wait, one at a time in the order they came, and lets those that got any run. A task that is
   * still being looked up in the store gets its share too, so that the others do not take all before its turn.
   */
  #schedule(): void {
    const waiting = [...this.#tasks.values()].filter(({ state, controller }) => state === 'waiting' && !controller.signal.aborted);
    const grants = new Map<Task, number>();
    let free = this.#free;
    for (let dealt = -1; free > 0 && dealt !== free;) {
      dealt = free;
      for (const task of waiting) {
        const granted = grants.get(task) ?? 0;
        if (free === 0 || granted === task.threads) continue;
        grants.set(task, granted + 1);
        free--;
      }
    }
    for (const [task, threads] of grants) {
      if (!task.admit) continue;
      task.state = 'running';
      this.#free -= threads;
      task.admit(threads);
      delete task.admit;
    }
  }
}

const asGiven = (request: Request): PreparedRequest => ({ request, key: requestKey(request) });

function count(field: string, value: number): number {
  if (!Number.isSafeInteger(value) || value < 1) throw new UserError(field, 'must be an integer of at least 1', value);
  return value;
}
