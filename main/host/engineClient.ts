/**
 * One engine as the host sees it: runs one job at a time, cancels it, ends the engine when it does not obey, and tells how it died.
 * Which job, when, and what to do about a death is for the pool.
 */
import { Cancelled, fromFailure, toFailure } from '../../engine/base/errors.ts';
import type { FromEngine, Progress, Request } from '../../engine/contract.ts';
import type { EngineProcess, SpawnEngine } from './spawn.ts';
import { Watchdog } from './watchdog.ts';

/** Milliseconds an engine has to obey a cancellation before it is killed. */
const patience = 1000;

/** Milliseconds without a sign of life after which an engine counts as hung: a native run takes a fraction of a second. */
const silence = 120_000;

/** The engine ended in the middle of a job. */
export class EngineDied extends Error {
  override readonly name = 'EngineDied';
  /** `exit code 1`, `signal SIGKILL`, … */
  readonly how: string;
  /** The end of its stderr. */
  readonly said: string;

  constructor(how: string, said: string) {
    super(`engine ended with ${how}${said ? `, having said:\n${said}` : ''}`);
    this.how = how;
    this.said = said;
  }
}

export interface Job {
  readonly request: Request;
  readonly threads: number;
  readonly resume: unknown;
  readonly signal: AbortSignal;
  onProgress(progress: Progress): void;
  /** Makes a state safe; what it throws is thrown by the job's `checkpoint`. */
  onCheckpoint(state: unknown): Promise<void>;
}

interface Running {
  readonly id: number;
  readonly job: Job;
  /** Checkpoints that are being stored. */
  storing: Promise<void>;
  /** The bug the engine reported and is being ended for. */
  bug?: Error;
  resolve(result: unknown): void;
  reject(error: Error): void;
}

export class EngineClient {
  readonly #process: EngineProcess;
  #ended: EngineDied | undefined;
  readonly #whenEnded: Promise<void>;
  #running: Running | undefined;
  readonly #silence: number;
  #hung = false;
  #heard: () => void = () => undefined;
  #jobs = 0;

  /** @param options silence: milliseconds after which an engine that says nothing is ended */
  constructor(spawn: SpawnEngine, options: { readonly silence?: number } = {}) {
    this.#silence = options.silence ?? silence;
    let resolve: () => void;
    this.#whenEnded = new Promise((done) => (resolve = done));
    this.#process = spawn({
      onMessage: (message) => this.#receive(message),
      onEnd: (how, said) => {
        this.#ended = new EngineDied(this.#hung ? `no sign of life for ${this.#silence / 1000} s` : how, said);
        this.#running?.reject(this.#running.bug ?? this.#ended);
        resolve();
      },
    });
  }

  get alive(): boolean {
    return !this.#ended;
  }

  /**
   * Runs one job to its end.
   * @throws EngineDied if the engine ends in the middle (whatever checkpoint it had handed over is safe by then), Cancelled once the signal
   * has fired and the engine has obeyed or is gone, or the error of the job
   */
  async run(job: Job): Promise<unknown> {
    if (this.#running) throw new Error('EngineClient.run: the engine has a job already');
    if (this.#ended) throw this.#ended;
    const { request, threads, resume, signal } = job;
    if (signal.aborted) throw new Cancelled();
    const id = ++this.#jobs;
    const ending = new Promise<unknown>((resolve, reject) => {
      this.#running = { id, job, storing: Promise.resolve(), resolve, reject };
    });
    let timer: NodeJS.Timeout | undefined;
    const cancel = (): void => {
      this.#process.send({ type: 'cancel', job: id });
      timer = setTimeout(() => this.#process.kill(), patience);
    };
    signal.addEventListener('abort', cancel, { once: true });
    using watchdog = new Watchdog(this.#silence, () => {
      this.#hung = true;
      this.#process.kill();
    });
    this.#heard = () => watchdog.heard();
    try {
      this.#process.send({ type: 'run', job: id, request, threads, resume });
      return await ending;
    } catch (error) {
      throw error instanceof EngineDied && signal.aborted ? new Cancelled() : error;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', cancel);
      const { storing } = this.#running!;
      this.#running = undefined;
      await storing;
    }
  }

  /** Ends the engine at once; resolves when it is gone. */
  async kill(): Promise<void> {
    if (!this.#ended) this.#process.kill();
    await this.#whenEnded;
  }

  #receive(message: FromEngine): void {
    const running = this.#running;
    if (running?.id !== message.job) return; // of a job that is over
    this.#heard();
    switch (message.type) {
      case 'alive':
        return;
      case 'progress':
        return running.job.onProgress(message.progress);
      case 'checkpoint':
        running.storing = Promise.all([running.storing, this.#store(running, message.checkpoint, message.state)]).then(() => undefined);
        return;
      case 'done':
        return running.resolve(message.result);
      case 'failed': {
        const error = fromFailure(message.failure);
        if (message.failure.kind !== 'bug') return running.reject(error);
        // Nobody knows what state a bug leaves an engine in.
        running.bug = error;
        return void this.kill();
      }
      default:
        return message satisfies never;
    }
  }

  async #store({ id, job }: Running, checkpoint: number, state: unknown): Promise<void> {
    try {
      await job.onCheckpoint(state);
      this.#process.send({ type: 'stored', job: id, checkpoint });
    } catch (error) {
      this.#process.send({ type: 'refused', job: id, checkpoint, failure: toFailure(error) });
    }
  }
}
