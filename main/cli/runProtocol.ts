/**
 * Runs a protocol on engines of its own, from what an interrupted run left to what is printed. Whatever fails, on whatever disk: what is
 * finished is kept until the report has been read, and never called kept when it is not.
 */
import { rmdir } from 'node:fs/promises';
import { Cancelled, UserError } from '../../engine/base/errors.ts';
import type { Progress } from '../../engine/contract.ts';
import type { Protocol, Submit } from '../../engine/protocols/protocol.ts';
import type { FileJobStoreOptions } from '../host/fileJobStore.ts';
import { FileJobStore } from '../host/jobStore.ts';
import { EnginePool } from '../host/pool.ts';
import type { SpawnEngine } from '../host/spawn.ts';

/** A training step has two shards, so more threads would bring nothing. */
const MOST_THREADS = 2;

export interface RunSetting<Report> {
  readonly cores: number;
  /** Of this run alone; gone once it is finished. */
  readonly folder: string;
  readonly spawn: SpawnEngine;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
  /** Hears of damaged files, whose work is done again. */
  readonly onDamage: (problem: UserError) => void;
  /** Hands the report over; until it has, nothing is forgotten. */
  readonly present: (report: Report) => Promise<void>;
  /** For tests of a failing disk. */
  readonly files?: FileJobStoreOptions['files'];
}

/** @throws UserError also after the report was presented, if anything on the way to it could not be kept */
export async function runProtocol<Options, Report>(
  protocol: Protocol<Options, Report>,
  options: Options,
  { cores, folder, spawn, signal, onProgress, onDamage, present, files }: RunSetting<Report>,
): Promise<void> {
  const store = await FileJobStore.open(folder, { onProblem: onDamage, ...(files && { files }) }).catch((error: unknown) => {
    throw error instanceof UserError ? new UserError('run: --state', error.rule, folder, { cause: error }) : error;
  });
  let lost: UserError | undefined;
  const pool = new EnginePool({ cores, spawn, store, onProblem: (problem) => (lost ??= problem) });
  try {
    const submit: Submit = (request, listener) =>
      pool.submit(request, { signal, threads: MOST_THREADS, ...(listener && { onProgress: listener }) });
    await present(await protocol.run(options, submit, onProgress));
    await store.clear();
  } catch (error) {
    throw error instanceof Cancelled ? new Cancelled('interrupted; the same command goes on from where it was') : error;
  } finally {
    await pool.dispose();
    await store.close();
    await rmdir(folder).catch(() => undefined); // unless something is kept in it
  }
  if (lost) throw lost;
}
