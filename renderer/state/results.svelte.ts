/**
 * Findings that views ask for: looked up in the session, fetched once, run when somebody says so. A view says what it wants and draws what
 * is there; nothing is computed by looking.
 */
import type { Findings } from '../../engine/base/findings.ts';
import type { Known, Work } from '../../main/host/hostApi.ts';
import type { Host } from './connection.svelte.ts';

export type Wanted =
  /** Not looked up yet. */
  | { readonly state: 'unknown' }
  | { readonly state: 'absent'; readonly key: string }
  | { readonly state: 'running'; readonly key: string }
  | { readonly state: 'ready'; readonly key: string; readonly findings: Findings }
  | { readonly state: 'failed'; readonly reason: string };

export class Results {
  #wanted = $state.raw<Readonly<Record<string, Wanted>>>({});
  #works = new Map<string, Work>();
  readonly #findings = new Map<string, Findings>();
  readonly #host: () => Host;
  #lookingUp = false;
  #stale = false;

  constructor(host: () => Host) {
    this.#host = host;
  }

  /** What is known of a piece of work; looks it up if nothing is. Same work, same answer: it may be called on every drawing. */
  of(work: Work): Wanted {
    const id = JSON.stringify(work);
    if (!this.#works.has(id)) {
      this.#works.set(id, work);
      queueMicrotask(() => void this.refresh());
    }
    return this.#wanted[id] ?? { state: 'unknown' };
  }

  /** Runs what is not there; resolves when it is queued. */
  async run(works: readonly Work[]): Promise<void> {
    for (const work of works) await this.#host().run(work);
    await this.refresh();
  }

  /** Looks everything up again: the session has changed. */
  async refresh(): Promise<void> {
    this.#stale = true;
    if (this.#lookingUp) return;
    this.#lookingUp = true;
    try {
      // What changes while it is looked up is looked up once more.
      while (this.#stale && this.#works.size > 0) {
        this.#stale = false;
        await this.#refreshOnce();
      }
    } finally {
      this.#lookingUp = false;
    }
  }

  async #refreshOnce(): Promise<void> {
    const works = this.#works;
    const ids = [...works.keys()];
    const known = await this.#lookUp(ids.map((id) => works.get(id)!));
    const next: Record<string, Wanted> = {};
    await Promise.all(ids.map(async (id, i) => (next[id] = await this.#stateOf(known[i]))));
    // Forgotten meanwhile: it is of another session.
    if (works === this.#works) this.#wanted = { ...this.#wanted, ...next };
  }

  /** Another session: what was known is of the one before. */
  forget(): void {
    this.#works = new Map();
    this.#findings.clear();
    this.#wanted = {};
  }

  /** One by one where the whole list is refused, so that one piece of work that may not be does not hide the others. */
  async #lookUp(works: readonly Work[]): Promise<(Known | Error)[]> {
    try {
      return [...(await this.#host().lookUp({ works }))];
    } catch (error) {
      if (works.length === 1) return [error as Error];
      return (await Promise.all(works.map((work) => this.#lookUp([work])))).flat();
    }
  }

  async #stateOf(known: Known | Error): Promise<Wanted> {
    if (known instanceof Error) return { state: 'failed', reason: known.message };
    const { key } = known;
    if (known.state === 'running') return { state: 'running', key };
    if (known.state !== 'stored') return { state: 'absent', key };
    try {
      let findings = this.#findings.get(key);
      if (!findings) this.#findings.set(key, (findings = await this.#host().findings({ key })));
      return { state: 'ready', key, findings };
    } catch (error) {
      return { state: 'failed', reason: (error as Error).message };
    }
  }
}
