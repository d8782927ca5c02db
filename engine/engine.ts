/**
 * Entry of the engine process: serves every kind of job by message.
 *
 * Engines are processes because a native run can be neither interrupted nor outlived by its thread. What is said over the channel, and how, is
 * in jobs/serveJobs.ts.
 */
import type { JobKind } from './contract.ts';
import { jobKinds } from './jobs/index.ts';
import { serveJobs, serveJobsToParent, type Port } from './jobs/serveJobs.ts';

export type { Port } from './jobs/serveJobs.ts';

/** @returns a way to report an error that no job caught: tells the host that the running job failed, then calls `reported` */
export function serve(port: Port, kinds: readonly JobKind[] = jobKinds): (error: unknown, reported: () => void) => void {
  return serveJobs(port, kinds);
}

/** Serves the process that forked this one, and ends with it. */
export function serveParent(): void {
  serveJobsToParent(jobKinds);
}

if (import.meta.main) serveParent();
