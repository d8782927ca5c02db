/**
 * What an analysis of a language model's circuit is: a question about a model and matched pairs of prompts, answered in {@link Findings}. One file
 * each in this folder, one line in index.ts. Analyses of classifiers are in the folder above.
 *
 * It is handed runners of interventions and an executor, so that one code runs whole or planned, on ONNX Runtime or, as the second road to its
 * numbers, on TensorFlow.js. It computes and never formats; how it is reached and kept it does not know.
 */
import type { z } from 'zod';
import type { Findings } from '../../base/findings.ts';
import type { JobContext } from '../../contract.ts';
import type { Executor } from '../../execute/executor.ts';
import type { Runner } from '../../interventions/effects.ts';
import type { LanguageModel } from '../../models/languageModel.ts';
import type { Arm, PairSet } from '../../tasks/pairs.ts';

/** A model, what it is called in the findings, and the pairs it is asked about. */
export interface Subject {
  readonly label: string;
  readonly model: LanguageModel;
  readonly pairs: PairSet;
}

export interface RoutingContext extends Pick<JobContext, 'signal' | 'progress' | 'breathe'> {
  readonly executor: Executor;
  /** For the one long run of an analysis that has one: where it goes on from, and how it stores how far it is. */
  readonly long?: Pick<JobContext, 'resume' | 'checkpoint'>;
  /** The runner of a model: the same one whenever it is asked for; whoever made the context disposes of it. */
  readonly runner: (model: LanguageModel) => Runner;
}

export interface RoutingInput<Options> extends Subject {
  /** Of whatever is drawn: resamples, relabellings, donors. */
  readonly seed: number;
  readonly options: Options;
  /** What the model is compared with, for analyses that compare. */
  readonly others?: readonly Subject[];
}

export interface RoutingAnalysis<Schema extends z.ZodType = z.ZodType> {
  /** `headInterchange`: also the name in commands, files and keys; distinct from those of all analyses. */
  readonly id: string;
  /** Raised whenever the same input gives other numbers. */
  readonly version: number;
  /** What it answers, in one line. */
  readonly title: string;
  /** Whether it reads the seed: whether anything is drawn. */
  readonly draws?: boolean;
  /** A strict object, every field with a default and a `.meta({ description })`. */
  readonly options: Schema;
  /** The arms the pairs must have. */
  readonly arms: readonly Arm[];
  /** How many other subjects it must be given; none unless told. */
  readonly others?: { readonly least: number; readonly most: number };
  /** @throws UserError for a model, pairs or options that do not go together; Cancelled from `context.breathe` */
  run(input: RoutingInput<z.output<Schema>>, context: RoutingContext): Promise<Findings>;
}

export type AnyRoutingAnalysis = RoutingAnalysis<z.ZodType>;
