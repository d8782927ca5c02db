/**
 * What a protocol is: a published experiment as jobs, what it reports, and what was claimed of it.
 *
 * It computes nothing itself: `submit` hands jobs to whoever runs them, so independent ones run side by side.
 */
import type { z } from 'zod';
import type { Findings } from '../base/findings.ts';
import type { Progress, Request } from '../contract.ts';

/** Gives a job to an engine and resolves with its result. */
export type Submit = <Result>(request: Request, onProgress?: (progress: Progress) => void) => Promise<Result>;

export interface Protocol<Options, Report> {
  readonly id: string;
  /** Raised whenever the same options give another report. */
  readonly version: number;
  /** What it is, in one line. */
  readonly title: string;
  /** A strict object whose fields become flags: each with a description. */
  readonly options: z.ZodType<Options>;
  parse(options: unknown): Options;
  /** How many jobs it is made of. */
  jobs(options: Options): number;
  run(options: Options, submit: Submit, onProgress: (progress: Progress) => void): Promise<Report>;
  /** The report as a session keeps it. */
  findings(report: Report): Findings;
}

/** Figures by seed: `{ "seed 0": 1.3, … }`. */
export function bySeed(seeds: readonly number[], values: readonly number[]): Record<string, number> {
  return Object.fromEntries(seeds.map((seed, i) => [`seed ${seed}`, values[i]]));
}
