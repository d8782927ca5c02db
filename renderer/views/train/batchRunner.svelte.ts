/**
 * Queues the adapters of a batch as their foundations come to their end, whatever workspace is shown; takes up a batch that an earlier window
 * left. One for an app. What is queued and what is left is batch.ts's.
 */
import type { App } from '../../state/app.svelte.ts';
import { advanced, merged, type Batch, type FoundationState } from './batch.ts';

const VIEW = 'train.batch';
const runners = new WeakMap<App, BatchRunner>();

export class BatchRunner {
  readonly #app: App;
  #states = $state.raw<readonly FoundationState[]>([]);
  #looking = false;
  #again = false;

  constructor(app: App) {
    this.#app = app;
    // Later, when no workspace is being made: what is made inside of one ends with it.
    queueMicrotask(() => $effect.root(() => this.#follow()));
  }

  #follow(): void {
    const app = this.#app;
    /** What has to change before anything can have changed for a batch: not how far jobs are. */
    const progress = $derived.by(() => {
      const jobs = app.jobs.map(({ id, state }) => `${id} ${state}`);
      const runs = app.session?.runs.filter(({ state }) => state === 'done').length ?? 0;
      return `${runs} done; ${jobs.join(', ')}`;
    });
    $effect(() => {
      if (app.link.state === 'open' && app.session?.writable && this.batch && progress) void this.#look();
    });
  }

  get batch(): Batch | undefined {
    return this.#app.view<Batch | null>(VIEW, null) ?? undefined;
  }

  /** By part of the batch: `gone` are those whose foundation was cancelled or failed. */
  get states(): readonly FoundationState[] {
    return this.#states;
  }

  /** Begins the foundations and remembers what comes after them. */
  async begin(batch: Batch): Promise<void> {
    await this.#keep(merged(this.batch, batch));
    for (const { foundation } of batch.parts) await this.#app.host.run(foundation);
    await this.#look();
  }

  /** Gives up what waits for foundations that nobody trains. */
  async dropStalled(): Promise<void> {
    const parts = this.batch?.parts.filter((_part, i) => this.#states[i]?.state !== 'gone') ?? [];
    await this.#keep(parts.length > 0 ? { parts } : undefined);
  }

  async restartStalled(): Promise<void> {
    const parts = this.batch?.parts.filter((_part, i) => this.#states[i]?.state === 'gone') ?? [];
    for (const { foundation } of parts) await this.#app.host.run(foundation);
  }

  #keep(batch: Batch | undefined): Promise<void> {
    return this.#app.setView({ name: VIEW, value: batch ?? null });
  }

  async #look(): Promise<void> {
    if (this.#looking) {
      this.#again = true;
      return;
    }
    this.#looking = true;
    try {
      do {
        this.#again = false;
        await this.#advance();
      } while (this.#again);
    } catch (error) {
      this.#app.fail(error);
    } finally {
      this.#looking = false;
    }
  }

  async #advance(): Promise<void> {
    const { batch } = this;
    if (!batch) return;
    const known = await this.#app.host.lookUp({ works: batch.parts.map(({ foundation }) => foundation) });
    const { runs = [] } = this.#app.session ?? {};
    const states = known.map(({ key, state }, i): FoundationState => {
      const model = runs.find((run) => run.key === key)?.model;
      if (state === 'stored' || state === 'hidden') return model === undefined ? { state: 'underWay' } : { state: 'ready', model };
      return state === 'running' || this.#isUnderWay(batch, i) ? { state: 'underWay' } : { state: 'gone' };
    });
    const { ready, left } = advanced(batch, states);
    // First queued, then forgotten: between the two the window may close, and queueing again is free.
    for (const work of ready) await this.#app.host.run(work);
    this.#states = states.filter(({ state }) => state !== 'ready');
    if (ready.length > 0 || left?.parts.length !== batch.parts.length) await this.#keep(left);
  }

  /** A job that waits has no key yet where its data have not been read. */
  #isUnderWay({ parts }: Batch, i: number): boolean {
    const asked = JSON.stringify(parts[i].foundation);
    return this.#app.jobs.some(
      ({ work, state }) => (state === 'waiting' || state === 'running' || state === 'paused') && JSON.stringify(work) === asked,
    );
  }
}

export function batchRunner(app: App): BatchRunner {
  let runner = runners.get(app);
  if (!runner) runners.set(app, (runner = new BatchRunner(app)));
  return runner;
}
