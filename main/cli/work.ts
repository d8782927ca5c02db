/**
 * Work on a session: engines of its own, progress on stderr, and what is finished kept whatever comes. What is asked for and what is printed
 * are the commands' business.
 */
import { Cancelled, type UserError } from '../../engine/base/errors.ts';
import type { JobKind, Request } from '../../engine/contract.ts';
import { jobKinds } from '../../engine/jobs/index.ts';
import type { Submit } from '../../engine/protocols/protocol.ts';
import type { DataReference } from '../../engine/tasks/dataReference.ts';
import { identifyData } from '../host/knownData.ts';
import { EnginePool } from '../host/pool.ts';
import { prepareWith } from '../host/prepare.ts';
import type { PreparedRequest } from '../host/requestKey.ts';
import { SessionJobStore } from '../host/sessionJobStore.ts';
import type { SpawnEngine } from '../host/spawn.ts';
import { Session } from '../store/session.ts';
import { warn } from './output.ts';
import { ProgressLine } from './progressLine.ts';

/** What commands are given besides words. */
export interface Surroundings {
  /** Fires when the user interrupts. */
  readonly signal: AbortSignal;
  readonly spawn: SpawnEngine;
}

export interface EngineSetting extends Surroundings {
  readonly cores: number;
  /** What the engines know; all kinds of jobs unless given. */
  readonly kinds?: readonly JobKind[];
}

export interface Engines {
  /** The result, from the session where it is there. */
  readonly submit: Submit;
  /** Fills in a request's defaults and gives its key. @throws UserError for what its kind does not take */
  readonly prepare: (request: Request) => PreparedRequest;
  /** The reference with the digest of what is there. */
  readonly identify: (reference: DataReference) => Promise<DataReference>;
  /** Notes that something could not be kept: it is told once the work is done. */
  readonly lose: (problem: UserError) => void;
}

/**
 * Starts engines when they are needed, keeps what they give in the session, and ends them.
 * @throws UserError also after the work was done, if anything on the way to it could not be kept, and rather than what became of the work
 * without it; Cancelled once the signal has fired
 */
export async function withEngines<T>(
  session: Session,
  { cores, spawn, signal, kinds = jobKinds }: EngineSetting,
  work: (engines: Engines) => Promise<T>,
): Promise<T> {
  let lost: UserError | undefined;
  const lose = (problem: UserError) => void (lost ??= problem);
  const prepare = prepareWith(kinds);
  const pool = new EnginePool({ cores, spawn, store: new SessionJobStore(session, kinds), prepare, onProblem: lose });
  const submit: Submit = (request, onProgress) => pool.submit(request, { signal, ...(onProgress && { onProgress }) });
  let result: T;
  try {
    result = await work({ submit, prepare, identify: (reference) => identifyData(session, reference, submit), lose });
  } catch (error) {
    if (lost) throw lost;
    throw error instanceof Cancelled ? new Cancelled('interrupted; the same command goes on from where it was') : error;
  } finally {
    await pool.dispose();
  }
  if (lost) throw lost;
  return result;
}

export interface Work extends Pick<Engines, 'prepare' | 'submit' | 'identify'> {
  readonly session: Session;
}

/** The same on a session that is opened to be written to, with progress shown. */
export async function workOn<T>(path: string, setting: EngineSetting, work: (work: Work) => Promise<T>): Promise<T> {
  using session = openToWrite(path);
  const line = new ProgressLine();
  try {
    return await withEngines(session, setting, async ({ submit, prepare, identify }) => {
      const result = await work({ session, prepare, identify, submit: <Result>(request: Request) => submit<Result>(request, line.show) });
      line.clear();
      return result;
    });
  } finally {
    line.clear();
  }
}

/** @throws UserError if it is not there, or not to be written to */
export const openToWrite = (path: string): Session => told(Session.open(path, 'write'));
export const openToRead = (path: string): Session => told(Session.open(path, 'read'));

function told(session: Session): Session {
  if (session.notice !== undefined) warn(session.notice);
  return session;
}
