/**
 * Queues the adapters of a batch as their foundations come to their end, whatever workspace is shown; takes up a batch that an earlier window
 * left. One for an app. What is queued is batch.ts's.
 */
import type { App } from '../../state/app.svelte.ts';
import { merged, readyOf, type Batch, type BatchPart, type FoundationState } from './batch.ts';

const VIEW = 'train.batch';
const runners = new WeakMap<App, BatchRunner>();

export class BatchRunner {
  readonly #app: App;
  /** Of the session that was looked at. */
  #looked = $state.raw<{ readonly path: string; readonly states: readonly FoundationState[] } | undefined>();
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
    return this.batch && this.#looked?.path === this.#app.session?.path ? (this.#looked?.states ?? []) : [];
  }

  /** Begins the foundations and remembers what comes after them. */
  async begin(batch: Batch): Promise<void> {
    const path = this.#app.session?.path;
    await this.#keep(merged(this.batch, batch));
    for (const { foundation } of batch.parts) if (this.#app.session?.path === path) await this.#app.host.run(foundation);
    await this.#look();
  }

  /** Gives up what waits for foundations that nobody trains. */
  async dropStalled(): Promise<void> {
    const parts = this.batch?.parts.filter((_part, i) => this.states[i]?.state !== 'gone') ?? [];
    await this.#keep(parts.length > 0 ? { parts } : undefined);
  }

  async restartStalled(): Promise<void> {
    const parts = this.batch?.parts.filter((_part, i) => this.states[i]?.state === 'gone') ?? [];
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
    const path = this.#app.session?.path;
    if (!batch || path === undefined) return;
    /** Another session may be opened at any time: nothing of this one is to go there. */
    const left = (): boolean => this.#app.session?.path !== path;
    const known = await this.#app.host.lookUp({ works: batch.parts.map(({ foundation }) => foundation) });
    if (left()) return;
    const { runs = [] } = this.#app.session ?? {};
    const states = known.map(({ key, state }, i): FoundationState => {
      const model = runs.find((run) => run.key === key)?.model;
      if (state === 'stored' || state === 'hidden') return model === undefined ? { state: 'underWay' } : { state: 'ready', model };
      return state === 'running' || this.#isUnderWay(batch, i) ? { state: 'underWay' } : { state: 'gone' };
    });
    // First queued, then forgotten: between the two the window may close, and queueing again is free.
    for (const work of readyOf(batch, states)) {
      await this.#app.host.run(work);
      if (left()) return;
    }
    // Of what there is by now: others may have been added meanwhile.
    const looked = new Map(batch.parts.map((part, i) => [JSON.stringify(part), states[i]]));
    const stateOf = (part: BatchPart): FoundationState => looked.get(JSON.stringify(part)) ?? { state: 'underWay' };
    const now = this.batch?.parts ?? [];
    const parts = now.filter((part) => stateOf(part).state !== 'ready');
    this.#looked = { path, states: parts.map(stateOf) };
    if (parts.length < now.length) await this.#keep(parts.length > 0 ? { parts } : undefined);
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
