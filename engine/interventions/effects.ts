/** What runners of interventions take and give: metrics, observations, and an effect for every pair. The runners give the same numbers. */
import type { JobContext } from '../contract.ts';
import { UserError } from '../base/errors.ts';
import type { PairSet, TokenSets } from '../tasks/pairs.ts';
import type { Arm, Intervention, Positions } from './intervention.ts';
import type { CellState } from './sweep.ts';

/** One number for each pair, from the logits where the pair is read. */
export type Metric =
  /** M of the pair set: mean logit of the positive tokens − mean logit of the negative ones. Linear in the logits. */
  | 'difference'
  /** The token with the largest logit; the first of equals. */
  | 'argmax'
  /** The logit of one token. */
  | { readonly token: number }
  /** Another difference: mean logit of `positive` − mean logit of `negative`, for each pair its own tokens. */
  | { readonly name: string; readonly positive: TokenSets; readonly negative: TokenSets };

/** Values of a site to hand out: [pairs, places, part]. Every pair must have as many places. */
export interface Observation {
  readonly site: string;
  /** Head, unit or expert; all of the site by default. */
  readonly index?: number;
  /** `read` by default. */
  readonly positions?: Positions;
}

export interface RunOptions {
  /** `['difference']` by default. */
  readonly metrics?: readonly Metric[];
  readonly observe?: readonly Observation[];
  /** Of resample and noise. */
  readonly seed?: number;
  /** Looked at between runs: cancelling, progress, and storing what is done. */
  readonly context?: Partial<Pick<JobContext, 'signal' | 'progress' | 'breathe' | 'checkpoint' | 'resume'>>;
}

/** What interventions did, pair by pair. */
export interface Effects {
  /** Their ids. */
  readonly interventions: readonly string[];
  /** Names of the metrics. */
  readonly names: readonly string[];
  readonly pairs: number;
  /** [interventions, metrics, pairs] */
  readonly metrics: Float32Array;
  /** Without any intervention: [metrics, pairs]. */
  readonly base: Float32Array;
  /** For each intervention: `failed` where a metric is not a finite number. */
  readonly state: readonly CellState[];
  /** For each intervention, how many positions of pairs were written. */
  readonly fired: Int32Array;
  /**
   * For each intervention, how far its writes moved their sites: the L2 norm of the change over all of them together, up to the position
   * that is read; mean over pairs. A site below another write is moved from what that write made of it;
   * of several writes to one place what counts is where they end.
   */
  readonly moved: Float32Array;
  /** For each intervention and observation [pairs, places, part]. */
  readonly observed: readonly (readonly Float32Array[])[];
  /** For each observation, without any intervention. */
  readonly baseObserved: readonly Float32Array[];
  /** Interventions that were run as whole forwards although a shorter way was asked for, and why. */
  readonly wholes: readonly { readonly intervention: string; readonly reason: string }[];
}

/** Runs interventions on one model with one executor. */
export interface Runner {
  /**
   * Runs every intervention on one arm of the pairs.
   * @throws UserError for anything that does not fit the model or the pairs; Cancelled once the signal fires
   */
  run(pairs: PairSet, base: Arm, interventions: readonly Intervention[], options?: RunOptions): Promise<Effects>;
  /** Lets go of programs and caches; the executor stays. */
  dispose(): void;
}

/** One metric of an intervention for every pair, a view; of the base run without an intervention. */
export function metricOf(effects: Effects, metric: string, intervention?: string): Float32Array {
  const at = effects.names.indexOf(metric);
  if (at < 0) throw new UserError('effects: metric', `must be one of ${effects.names.join(', ')}`, metric);
  const { pairs, names } = effects;
  if (intervention === undefined) return effects.base.subarray(at * pairs, (at + 1) * pairs);
  const row = effects.interventions.indexOf(intervention);
  if (row < 0) throw new UserError('effects: intervention', 'must be one that was run', intervention);
  return effects.metrics.subarray((row * names.length + at) * pairs, (row * names.length + at + 1) * pairs);
}

/** An observation of an intervention, or of the base run: [pairs, places, part]. */
export function observedOf(effects: Effects, observation: number, intervention?: string): Float32Array {
  if (intervention === undefined) return effects.baseObserved[observation];
  const row = effects.interventions.indexOf(intervention);
  if (row < 0) throw new UserError('effects: intervention', 'must be one that was run', intervention);
  return effects.observed[row][observation];
}
