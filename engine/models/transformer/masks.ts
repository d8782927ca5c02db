/** Who reads whom and who writes: the causal mask, and the masks that follow from the roles of positions. */
import { UserError } from '../../base/errors.ts';
import type { Value } from '../../graph/value.ts';
import { add, gather, multiply } from '../../ops/index.ts';
import type { TransformerConfig } from './config.ts';

/** What is added to the score of a key that may not be seen; exp of it is exactly 0. */
export const HIDDEN = -1e9;

/** The causal mask for `length` positions, row-major [query, key]. */
export function causalMask(length: number): Float32Array {
  return Float32Array.from({ length: length * length }, (_entry, i) => (i % length > Math.floor(i / length) ? HIDDEN : 0));
}

/**
 * What is added to the scores of a layer: the mask [positions, positions], and [heads, positions, positions] where roles hide keys. Looked up
 * by the roles of query and key, so that whoever cuts or reorders positions (interventions/) cuts and reorders this with them.
 */
export function scoreMask({ roles, reads, heads }: TransformerConfig, layer: number, mask: Value, rolesOfPositions?: Value): Value {
  const table = reads?.[layer];
  if (!table || !rolesOfPositions || table.flat(2).every(Boolean)) return mask;
  const count = roles!.length;
  const data = Float32Array.from(table.flat(2), (sees) => (sees ? 0 : HIDDEN));
  const byRole = mask.graph.constant(data, [heads, count, count]);
  return add(mask, gather(gather(byRole, rolesOfPositions, 1), rolesOfPositions, 2));
}

/** x [rows, positions, width], times exactly 0 at positions of roles that may not write. */
export function written(x: Value, allowed: readonly boolean[] | undefined, rolesOfPositions?: Value): Value {
  if (!allowed || !rolesOfPositions || allowed.every(Boolean)) return x;
  const byRole = x.graph.constant(Float32Array.from(allowed, Number), [allowed.length, 1]);
  return multiply(x, gather(byRole, rolesOfPositions));
}

/**
 * Throws unless `roles` (the role of each position) are roles of the model under which every position can read something in every head:
 * what a softmax gives where all keys are hidden has no meaning.
 */
export function checkRoles({ roles, reads }: TransformerConfig, ofPositions: Int32Array): void {
  const count = roles?.length ?? 0;
  const wrong = ofPositions.findIndex((role) => role < 0 || role >= count);
  if (wrong >= 0) throw new UserError(`transformer: role of position ${wrong}`, `must be in [0, ${count - 1}]`, ofPositions[wrong]);
  reads?.forEach((ofLayer, layer) =>
    ofLayer.forEach((ofHead, head) =>
      ofPositions.forEach((role, position) => {
        if (!ofPositions.subarray(0, position + 1).some((key) => ofHead[role][key]))
          throw new UserError(`transformer: reads[${layer}][${head}]`, `must let position ${position} read something`, roles![role]);
      }),
    ),
  );
}
