/** What the job bar says of jobs: which one it shows, and in which words. */
import type { Job } from '../../main/host/hostApi.ts';
import { whole } from '../words/numbers.ts';

/** The one that runs; else what failed and waits for a hand; else what waits; else what ended last and was not dismissed. */
export function shownJob(jobs: readonly Job[]): Job | undefined {
  const last = (state: Job['state']): Job | undefined => [...jobs].reverse().find((job) => job.state === state);
  return (
    jobs.find(({ state }) => state === 'running') ??
    last('failed') ??
    jobs.find(({ state }) => state === 'paused') ??
    jobs.find(({ state }) => state === 'waiting') ??
    last('done') ??
    last('cancelled')
  );
}

export const failureOf = ({ failure }: Job): string => failure?.message ?? 'failed';

/** How far it is, from 0 to 1: the whole of it, or else its steps. */
export const shareOf = ({ share, progress }: Job): number => share ?? (progress && progress.total > 0 ? progress.done / progress.total : 0);

/** What is left of one that failed. */
export function keptOf({ checkpoint, progress, kept, restarts }: Job): string {
  const engine = restarts > 0 ? `the engine was started again ${restarts === 1 ? 'once' : `${restarts} times`}; ` : '';
  if (checkpoint === undefined) return `${engine}nothing of it was kept; the session is as it was`;
  if (progress === undefined || kept === undefined) return `${engine}its last checkpoint is kept`;
  return `${engine}${whole(kept)} of ${whole(progress.total)} steps kept`;
}

/** A mistake is made again by running it again. */
export const runsAgain = ({ failure }: Job): boolean => failure?.kind !== 'mistake';

export const secondsSince = (iso: string, now: Date): number => Math.max(0, (now.getTime() - Date.parse(iso)) / 1000);
