/**
 * The session as the pool's store: what work has given is kept as what its kind says it is, a training as a run with its model and series,
 * findings as a result. What computes only what is true here and now is not kept.
 */
import { cpus } from 'node:os';
import type { JobKind, Request } from '../../engine/contract.ts';
import { applicationVersion, runtimeVersion } from '../store/application.ts';
import type { Provenance } from '../store/runs.ts';
import type { Session } from '../store/session.ts';
import type { FinishedJob, JobStore, Stored } from './jobStore.ts';

export class SessionJobStore implements JobStore {
  readonly #session: Session;
  readonly #kinds: ReadonlyMap<string, JobKind>;

  /** @param session open to writing, and closed by whoever opened it */
  constructor(session: Session, kinds: readonly JobKind[]) {
    this.#session = session;
    this.#kinds = new Map(kinds.map((kind) => [kind.id, kind]));
  }

  async loadCheckpoint(key: string): Promise<Stored | undefined> {
    return this.#session.loadCheckpoint(key);
  }

  async saveCheckpoint(key: string, state: unknown, request: Request): Promise<void> {
    const kind = this.#kinds.get(request.kind);
    this.#session.saveCheckpoint(key, state, kind?.keeps === 'training' ? { request, version: kind.version } : undefined);
  }

  async loadResult(key: string): Promise<Stored | undefined> {
    return this.#session.loadResult(key);
  }

  async saveResult({ key, request, result, seconds, threads }: FinishedJob): Promise<void> {
    const provenance = { ...here, threads };
    const { keeps, version } = this.#kinds.get(request.kind) ?? { keeps: 'nothing', version: 0 };
    switch (keeps) {
      case 'training':
        return this.#session.saveTraining({ key, request, version, result, seconds, provenance });
      case 'findings': {
        const { kind: analysis, parameters } = request;
        return this.#session.saveAnalysis({ key, analysis, version, parameters, findings: result, seconds, provenance });
      }
      case 'nothing':
        return this.#session.dropCheckpoint(key);
      default:
        return keeps satisfies never;
    }
  }
}

const here: Provenance = {
  application: applicationVersion,
  onnxruntime: runtimeVersion,
  node: process.version,
  platform: `${process.platform}-${process.arch}`,
  processor: cpus()[0]?.model ?? '',
};
