/**
 * What crosses the boundary between an engine and whoever gives it work. Plain data only: everything here survives structured clone.
 * A typed array that has crossed may be a view of the whole message: its `buffer` is not its own.
 */
import type { Failure } from './base/errors.ts';

/** How far a piece of work is. */
export interface Progress {
  /** What is being done, in the words of the method: `foundation, epoch 2 of 2`. */
  readonly stage: string;
  /** Steps done and to do, in units of the task. */
  readonly done: number;
  readonly total: number;
  /** Seconds left, estimated; absent until there is something to go by. A job that does not say gets an estimate from its pace. */
  readonly remaining?: number;
  /** The latest figures, by name: `{ loss: 0.31 }`. */
  readonly figures?: Readonly<Record<string, number>>;
  /** Of figures that are taken now and then: how many steps were done when they were. Loss and temperature are of the last step. */
  readonly measuredAt?: number;
}

/** A piece of work for an engine: the id of a job kind in jobs/ and its parameters, as its schema takes them. */
export interface Request {
  readonly kind: string;
  readonly parameters: unknown;
}

/** What a job is given besides its parameters. The functions stand alone: `{ ...context, progress }` is a context too. */
export interface JobContext {
  /** Fires when the job is called off; look between runs, at least every 200 ms, and throw Cancelled. */
  readonly signal: AbortSignal;
  /** Cores this job may use. Results never depend on it. */
  readonly threads: number;
  /** The last state handed to `checkpoint` by an earlier attempt at the same request; undefined if there was none. */
  readonly resume: unknown;
  /** Call as often as is handy: at most 20 a second are sent, the last one always. */
  readonly progress: (progress: Progress) => void;
  /**
   * Stores a state from which the job can go on to the same bits. Resolves when it is safe, throws UserError if it could not be stored
   * (the one before is kept). Store only what is ahead of `resume`: a stored state counts as progress when an engine dies.
   */
  readonly checkpoint: (state: unknown) => Promise<void>;
  /** Lets messages in, so that a cancellation can be seen; throws Cancelled if one was. Costs next to nothing: call it after every run. */
  readonly breathe: () => Promise<void>;
}

/**
 * What is kept of a job's result: `training`, a {@link TrainResult} as a run, its model and its series; `findings`, {@link Findings};
 * nothing for what is only true here and now.
 */
export type Keeps = 'training' | 'findings' | 'nothing';

/** A kind of job: checks its parameters, computes, and says nothing about how it is shown. */
export interface JobKind<Parameters = unknown, Result = unknown> {
  readonly id: string;
  /** Raised whenever the same parameters give other numbers: part of every key. */
  readonly version: number;
  readonly keeps: Keeps;
  /** Most threads it can use, on which no number depends: 1 unless given. */
  readonly threads?: number;
  /** Parameters no number depends on, which therefore do not count for the key. */
  readonly neutral?: readonly string[];
  /** What of parsed parameters the numbers depend on, where that is not all of them but `neutral`: models by their digests. */
  counts?(parameters: Parameters): unknown;
  /** Parsed parameters with defaults filled, or a UserError. */
  parse(parameters: unknown): Parameters;
  run(parameters: Parameters, context: JobContext): Promise<Result>;
}

/** To an engine. Every checkpoint is answered, by `stored` or `refused`. */
export type ToEngine =
  | { readonly type: 'run'; readonly job: number; readonly request: Request; readonly threads: number; readonly resume: unknown }
  | { readonly type: 'cancel'; readonly job: number }
  | { readonly type: 'stored'; readonly job: number; readonly checkpoint: number }
  | { readonly type: 'refused'; readonly job: number; readonly checkpoint: number; readonly failure: Failure };

/** From an engine. Every run ends in `done` or `failed`, unless the engine dies. */
export type FromEngine =
  /** Every second of a job, so that silence means that it hangs. */
  | { readonly type: 'alive'; readonly job: number }
  | { readonly type: 'progress'; readonly job: number; readonly progress: Progress }
  | { readonly type: 'checkpoint'; readonly job: number; readonly checkpoint: number; readonly state: unknown }
  | { readonly type: 'done'; readonly job: number; readonly result: unknown }
  | { readonly type: 'failed'; readonly job: number; readonly failure: Failure };
