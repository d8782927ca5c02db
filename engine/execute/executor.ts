/** What runs a program. ONNX Runtime does the work (onnxruntime.ts); TensorFlow.js is the second road to every number (tensorflow.ts). */
import { UserError } from '../base/errors.ts';
import { dtypeOf } from '../graph/graph.ts';
import type { Program, TensorData } from '../graph/program.ts';
import type { DType } from '../graph/value.ts';

export type Feeds = Readonly<Record<string, TensorData>>;
export type Results = Record<string, TensorData>;

export interface Executable {
  /** Computes the program's outputs. Throws UserError for feeds that do not fit, ExecutionError for failures inside. */
  run(feeds: Feeds): Results;
  dispose(): void;
}

export interface Executor {
  /** Stands in results' keys: `onnxruntime-cpu`, `tensorflow-cpu`. */
  readonly name: string;
  compile(program: Program): Executable;
  dispose(): void;
}

/** A run failed inside an executor: names the site where it did. */
export class ExecutionError extends Error {
  override readonly name = 'ExecutionError';
  readonly site: string;

  constructor(site: string, message: string, options?: ErrorOptions) {
    super(`${site}: ${message}`, options);
    this.site = site;
  }
}

/** Throws UserError unless the data are of the dtype and as many as the shape says. */
export function requireFits(place: string, dtype: DType, { data, shape }: TensorData): void {
  const length = shape.reduce((a, b) => a * b, 1);
  if (data.length !== length || dtypeOf(data) !== dtype)
    throw new UserError(place, `must hold ${length} elements of ${dtype}`, `${data.length} elements of ${data.constructor.name}`);
}

/** Compiles, runs once and lets go: for tests and one-off values. */
export function evaluateOnce(executor: Executor, program: Program, feeds: Feeds): Results {
  const executable = executor.compile(program);
  try {
    return executable.run(feeds);
  } finally {
    executable.dispose();
  }
}
