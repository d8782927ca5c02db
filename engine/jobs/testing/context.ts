/** A job's context for tests: nobody listens, nothing is stored, nothing is cancelled, unless said otherwise. */
import type { JobContext } from '../../contract.ts';

export const contextOf = (more: Partial<JobContext> = {}): JobContext => ({
  signal: new AbortController().signal,
  threads: 1,
  resume: undefined,
  progress: () => undefined,
  checkpoint: async () => undefined,
  breathe: async () => undefined,
  ...more,
});
