/**
 * What a protocol is: a published experiment as jobs, what it reports, and what was claimed of it.
 *
 * It computes nothing itself: `submit` hands jobs to whoever runs them, so independent ones run side by side.
 */
import type { Progress, Request } from '../contract.ts';

/** Gives a job to an engine and resolves with its result. `share` is the job's part of the whole, for progress. */
export type Submit = <Result>(request: Request, onProgress?: (progress: Progress) => void) => Promise<Result>;

/** What a paper or specification says, and what was measured. */
export interface Claim {
  readonly claim: string;
  /** The figures the claim speaks of, by seed or by name. */
  readonly measured: Readonly<Record<string, number>>;
  readonly status: 'holds' | 'in sign only' | 'does not hold';
}

export interface Protocol<Options, Report> {
  readonly id: string;
  parse(options: unknown): Options;
  run(options: Options, submit: Submit, onProgress: (progress: Progress) => void): Promise<Report>;
}

/** Figures by seed: `{ "seed 0": 1.3, … }`. */
export function bySeed(outcomes: readonly { readonly seed: number }[], values: readonly number[]): Record<string, number> {
  return Object.fromEntries(outcomes.map(({ seed }, i) => [`seed ${seed}`, values[i]]));
}
