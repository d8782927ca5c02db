/** Gradients and what is made of them. */
import { differentiate } from '../graph/autodiff.ts';
import { UserError } from '../base/errors.ts';
import { sameShape } from '../graph/dimension.ts';
import type { Value } from '../graph/value.ts';
import { add, multiply } from './arithmetic.ts';
import { sum } from './reduce.ts';

/** d y / d wrt[i], times `seed` (ones by default): a value shaped like each of `wrt`, differentiable again. */
export const gradient = (y: Value, wrt: readonly Value[], seed?: Value): Value[] => differentiate(y, wrt, seed, add);

/** Hessian of the scalar y times `vectors`, one for each of `wrt`: the gradient of ⟨∇y, v⟩ (Pearlmutter 1994). */
export function hessianVectorProduct(y: Value, wrt: readonly Value[], vectors: readonly Value[]): Value[] {
  wrt.forEach((x, i) => {
    if (!vectors[i] || !sameShape(x.shape, vectors[i].shape))
      throw new UserError(`hessianVectorProduct: vector ${i}`, `must have the type ${String(x)}`, String(vectors[i]));
  });
  const slope = gradient(y, wrt)
    .map((g, i) => sum(multiply(g, vectors[i])))
    .reduce(add);
  return gradient(slope, wrt);
}
