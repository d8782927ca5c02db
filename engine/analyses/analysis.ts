/**
 * What an analysis is: a question about trained models, answered in {@link Findings}. One file each in this folder, one line in index.ts.
 *
 * It gets an executor and images handed in, so that the same code runs on ONNX Runtime and, as the second road to its numbers, on
 * TensorFlow.js. It computes and never formats; how it is reached (jobs/analyse.ts) and kept (the session file) it does not know.
 */
import type { z } from 'zod';
import type { Findings } from '../base/findings.ts';
import type { JobContext } from '../contract.ts';
import type { Executor } from '../execute/executor.ts';
import type { ClassifierModel } from '../models/classifier.ts';
import type { ImageSet, Part } from '../tasks/dataReference.ts';

/** A model and what it is called in the findings. */
export interface LabelledModel {
  readonly label: string;
  readonly model: ClassifierModel;
}

export interface AnalysisContext extends Pick<JobContext, 'signal' | 'progress' | 'breathe'> {
  readonly executor: Executor;
  /** @param seed says which images are held out; read for `heldOut` only */
  readonly images: (part: Part, angle: number, seed?: number) => ImageSet;
}

export interface AnalysisInput<Options> {
  readonly models: readonly LabelledModel[];
  /** Of whatever is drawn: bootstrap samples, subsets. */
  readonly seed: number;
  readonly options: Options;
}

export interface Analysis<Schema extends z.ZodType = z.ZodType> {
  /** `firing`: also the name in commands, files and keys. */
  readonly id: string;
  /** Raised whenever the same input gives other numbers. */
  readonly version: number;
  /** What it answers, in one line. */
  readonly title: string;
  /** How many models it takes, and whether they must carry an adapter, a gated one, or none. */
  readonly models: { readonly least: number; readonly most: number; readonly adapter: 'gated' | 'any' | 'optional' };
  /** Whether it reads the seed: whether anything is drawn. */
  readonly draws?: boolean;
  /** A strict object, every field with a default and a `.meta({ description })`. */
  readonly options: Schema;
  /** Options in the one form that their key is made of, where several mean the same. */
  canonical?(options: z.output<Schema>, models: readonly LabelledModel[]): z.output<Schema>;
  /** @throws UserError for models or options that do not go together; Cancelled from `context.breathe` */
  run(input: AnalysisInput<z.output<Schema>>, context: AnalysisContext): Promise<Findings>;
}

export type AnyAnalysis = Analysis<z.ZodType>;
