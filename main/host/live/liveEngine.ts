/**
 * An engine that answers at once, of its own, so that no training delays it. It is started when it is first asked and replaced when it dies;
 * it is sent a model's weights when it says that it has not got them. Of what one window asks while it waits, only the newest counts.
 */
import { Cancelled, throwIfCancelled } from '../../../engine/base/errors.ts';
import type { ClassifierModel } from '../../../engine/models/classifier.ts';
import { EngineClient, EngineDied } from '../engineClient.ts';
import type { SpawnEngine } from '../spawn.ts';

export interface LiveQuestion {
  /** Who asks. */
  readonly window: object;
  /** A newer question of the same window and name takes the place of one that waits. */
  readonly overtakes?: string;
  readonly signal: AbortSignal;
  readonly kind: string;
  /** Of models that it is about. */
  readonly digests?: readonly string[];
  readonly model?: (digest: string) => ClassifierModel;
  /** @param models those that have to be sent along */
  readonly parameters: (models: ReadonlyMap<string, { readonly model: ClassifierModel }>) => unknown;
}

interface Waiting {
  readonly question: LiveQuestion;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** What is asked many times a second comes before what takes its time. */
const FIRST = 'liveAnswer';
/** Engines that die in a row over one question. */
const MOST_DEATHS = 2;

export class LiveEngine {
  readonly #spawn: SpawnEngine;
  #engine: EngineClient | undefined;
  #waiting: Waiting[] = [];
  #working = false;
  #running: Promise<void> | undefined;
  #disposed = false;

  constructor(spawn: SpawnEngine) {
    this.#spawn = spawn;
  }

  /** @throws Cancelled if it was called off, or a newer question took its place; UserError for what may not be asked */
  ask<Answer>(question: LiveQuestion): Promise<Answer> {
    return new Promise<Answer>((resolve, reject) => {
      const { window, overtakes, signal } = question;
      if (signal.aborted || this.#disposed) return reject(new Cancelled());
      if (overtakes !== undefined) this.#drop((one) => one.window === window && one.overtakes === overtakes);
      const waiting: Waiting = { question, resolve: resolve as (answer: unknown) => void, reject };
      signal.addEventListener('abort', () => this.#drop((one) => one === question), { once: true });
      this.#waiting.push(waiting);
      if (!this.#working) this.#running = this.#work();
    });
  }

  /** The window has gone. */
  forget(window: object): void {
    this.#drop((question) => question.window === window);
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
    this.#drop(() => true);
    await this.#engine?.kill();
    await this.#running;
  }

  #drop(which: (question: LiveQuestion) => boolean): void {
    const dropped = this.#waiting.filter(({ question }) => which(question));
    this.#waiting = this.#waiting.filter((one) => !dropped.includes(one));
    for (const { reject } of dropped) reject(new Cancelled());
  }

  async #work(): Promise<void> {
    this.#working = true;
    while (this.#waiting.length > 0) {
      const first = Math.max(
        0,
        this.#waiting.findIndex(({ question }) => question.kind === FIRST),
      );
      const [{ question, resolve, reject }] = this.#waiting.splice(first, 1);
      try {
        resolve(await this.#answer(question));
      } catch (error) {
        reject(error);
      }
    }
    this.#working = false; // at once: whoever was just answered may ask again before anything else happens
  }

  async #answer(question: LiveQuestion): Promise<unknown> {
    for (let deaths = 0; ;) {
      try {
        const answer = await this.#run(question, new Map());
        const missing = missingIn(answer);
        if (!missing || !question.model) return answer;
        const models = new Map(missing.map((digest) => [digest, { model: question.model!(digest) }]));
        return await this.#run(question, models);
      } catch (error) {
        throwIfCancelled(question.signal);
        if (!(error instanceof EngineDied) || ++deaths > MOST_DEATHS || this.#disposed) throw error;
      }
    }
  }

  #run({ kind, parameters, signal }: LiveQuestion, models: Parameters<LiveQuestion['parameters']>[0]): Promise<unknown> {
    if (this.#disposed) throw new Cancelled();
    if (!this.#engine?.alive) this.#engine = new EngineClient(this.#spawn);
    return this.#engine.run({
      request: { kind, parameters: parameters(models) },
      threads: 1,
      resume: undefined,
      signal,
      onProgress: () => undefined,
      onCheckpoint: async () => undefined,
    });
  }
}

/** Digests of models that the engine has not got. */
function missingIn(answer: unknown): readonly string[] | undefined {
  if (typeof answer !== 'object' || answer === null || !('missing' in answer)) return undefined;
  return Array.isArray(answer.missing) ? (answer.missing as string[]) : undefined;
}
