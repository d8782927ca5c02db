/** What a case of an operation is, and the shape that rows have in several. The cases: cases.ts and, of what moves values about, layoutCases.ts. */
import type { Dimension } from '../../graph/dimension.ts';
import type { Value } from '../../graph/value.ts';
import type { Drawing, InputSpec } from './drawing.ts';

export interface OperationCase {
  readonly name: string;
  /** Exported functions this case exercises; its own name by default. */
  readonly covers?: readonly string[];
  readonly inputs: (drawing: Drawing) => readonly InputSpec[];
  readonly build: (inputs: readonly Value[], drawing: Drawing) => Value | readonly Value[];
  /** Inputs whose gradient is held against finite differences; float32 ones by default. */
  readonly differentiable?: readonly number[];
  /** Twice differentiable where it is drawn: Hessian-vector products are checked too (default true). */
  readonly smooth?: boolean;
  /** The gradient is by design not the derivative (stops, estimators): executors are compared, finite differences are not. */
  readonly declared?: boolean;
}

/** Rank 3, 2 or 1. */
export const rowsShape = (d: Drawing): Dimension[] => [d.dimension(0), d.dimension(1), d.size(2)].slice(d.drawn.rank % 3);
