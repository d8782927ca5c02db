/**
 * What the pool keeps of its work: for each request's key the last checkpoint of an unfinished job and the result of a finished one. Here
 * the interface, and a store that lasts as long as the process; the session file is one too (sessionJobStore.ts).
 */
import type { Request } from '../../engine/contract.ts';
import type { Stored } from '../store/session.ts';

export type { Stored };

/** What there is to know of a job that has come to its end. */
export interface FinishedJob {
  readonly key: string;
  /** With parameters as their kind's schema gives them, defaults filled in. */
  readonly request: Request;
  readonly result: unknown;
  /** Wall time of the attempt that finished it, and its threads: provenance, on which no number depends. */
  readonly seconds: number;
  readonly threads: number;
}

/** Values survive structured clone. A save that rejects leaves what was stored before. */
export interface JobStore {
  loadCheckpoint(key: string): Promise<Stored | undefined>;
  saveCheckpoint(key: string, state: unknown, request: Request): Promise<void>;
  loadResult(key: string): Promise<Stored | undefined>;
  /** The checkpoint under this key has served its purpose and goes. */
  saveResult(job: FinishedJob): Promise<void>;
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

  async saveResult({ key, result }: FinishedJob): Promise<void> {
    this.#results.set(key, { value: result });
    this.#checkpoints.delete(key);
  }
}
