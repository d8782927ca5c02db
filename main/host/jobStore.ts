/**
 * What the pool keeps of its work: for each request's key the last checkpoint of an unfinished job and the result of a finished one.
 * This is the working memory of long runs, not the session file. Here the interface and the store that lasts as long as the process;
 * the one that survives it is in fileJobStore.ts, and the keys are in requestKey.ts.
 */
export { FileJobStore } from './fileJobStore.ts';
export { requestKey } from './requestKey.ts';

/** In a box, since undefined may be a result too. */
export interface Stored {
  readonly value: unknown;
}

/** Values survive structured clone. A save that rejects leaves what was stored before. */
export interface JobStore {
  loadCheckpoint(key: string): Promise<Stored | undefined>;
  saveCheckpoint(key: string, state: unknown): Promise<void>;
  loadResult(key: string): Promise<Stored | undefined>;
  /** The checkpoint under this key has served its purpose and goes. */
  saveResult(key: string, result: unknown): Promise<void>;
  /** Forgets everything. */
  clear(): Promise<void>;
}

export class MemoryJobStore implements JobStore {
  readonly #checkpoints = new Map<string, Stored>();
  readonly #results = new Map<string, Stored>();

  async loadCheckpoint(key: string): Promise<Stored | undefined> {
    return this.#checkpoints.get(key);
  }

  async saveCheckpoint(key: string, state: unknown): Promise<void> {
    this.#checkpoints.set(key, { value: state });
  }

  async loadResult(key: string): Promise<Stored | undefined> {
    return this.#results.get(key);
  }

  async saveResult(key: string, result: unknown): Promise<void> {
    this.#results.set(key, { value: result });
    this.#checkpoints.delete(key);
  }

  async clear(): Promise<void> {
    this.#checkpoints.clear();
    this.#results.clear();
  }
}
