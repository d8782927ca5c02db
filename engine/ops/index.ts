/** Every operation, as functions on values; `operations` lists what they apply, for registry-wide tests. */
import type { Operation } from '../graph/operation.ts';
import { arithmetic } from './arithmetic.ts';
import { controls } from './control.ts';
import { functions } from './functions.ts';
import { layout } from './layout.ts';
import { logic } from './logic.ts';
import { products } from './matmul.ts';
import { norms } from './normalise.ts';
import { parts } from './parts.ts';
import { reductions } from './reduce.ts';
import { selections } from './select.ts';
import { normalisations } from './softmax.ts';

export { add, clip, divide, maximum, minimum, multiply, power, subtract } from './arithmetic.ts';
export { customGradient, site, stopGradient, straightThrough } from './control.ts';
export type { Operand } from './elementwise.ts';
export {
  absoluteValue,
  cos,
  erf,
  exp,
  floor,
  gelu,
  log,
  negate,
  reciprocal,
  relu,
  sigmoid,
  sign,
  silu,
  sin,
  softplus,
  sqrt,
  square,
  tanh,
} from './functions.ts';
export { gradient, hessianVectorProduct } from './gradient.ts';
export { broadcastTo, expandAxis, mergeAxes, reshape, transpose } from './layout.ts';
export { and, cast, equal, greater, greaterEqual, less, lessEqual, not, or, where } from './logic.ts';
export { matmul } from './matmul.ts';
export { layerNorm, layerNormParts, rmsNorm, rmsNormParts } from './normalise.ts';
export { concat, pad, slice, split } from './parts.ts';
export { argMax, max, mean, min, sizeOf, sum } from './reduce.ts';
export { gather, oneHot, scatterAdd, spreadAlong, takeAlong, topK } from './select.ts';
export { logSoftmax, logSumExp, softmax } from './softmax.ts';

export const operations: readonly Operation[] = [
  ...arithmetic,
  ...functions,
  ...logic,
  ...reductions,
  ...products,
  ...normalisations,
  ...norms,
  ...layout,
  ...parts,
  ...selections,
  ...controls,
];
