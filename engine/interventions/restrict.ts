/**
 * Building part of a computation along one axis: what the ways of cutting positions (narrow.ts, suffix.ts) and rows (unitBranches.ts) share.
 *
 * Operations say how their axes correspond (`along`), so no model has to be written with cutting in mind; an operation or a model that does
 * not allow it is an error that names the place, and whoever asked falls back to whole runs.
 */
import { UserError } from '../base/errors.ts';
import type { Dimension } from '../graph/dimension.ts';
import type { Node, Value } from '../graph/value.ts';

/**
 * A graph that cannot be cut as it was asked for. It may be right all the same: whoever asked runs it whole, and says why.
 */
export class CutRefusal extends UserError {}

/**
 * The axes of the node's inputs that run with `axis` of its outputs; undefined for inputs that are needed whole.
 * @param what runs along the axis, for the error
 */
export function axesAlong(node: Node, axis: number, what = 'positions'): readonly (number | undefined)[] {
  const axes = node.operation.along?.(node, axis);
  if (!axes)
    throw new CutRefusal(
      `cut ${what}: ${node.label}`,
      `must let its ${what} be computed one by one`,
      `axis ${axis} of ${String(node.outputs[0])}`,
    );
  return axes;
}

/** The same operation on parts of its inputs; `axis` of the outputs gets another size, and so does any axis named in `others`. */
export function reapply(
  node: Node,
  inputs: readonly Value[],
  axis: number,
  dimension: Dimension,
  others: (dimension: Dimension) => Dimension = (same) => same,
): readonly Value[] {
  const { operation } = node;
  let { attributes } = node;
  if (operation.resized) {
    node.outputs[0].shape.forEach((old, i) => {
      const now = i === axis ? dimension : others(old);
      if (now !== old) attributes = operation.resized!(attributes, i, now);
    });
  }
  return inputs[0].graph.at(node.site, () => inputs[0].graph.apply(operation, inputs, attributes));
}

/** The one axis of a value that has the size `dimension`; undefined if none, an error if several. */
export function axisOf(value: Value, dimension: Dimension): number | undefined {
  const first = value.shape.indexOf(dimension);
  if (first >= 0 && value.shape.indexOf(dimension, first + 1) >= 0)
    throw new CutRefusal('cut positions: value', `must have one axis of ${String(dimension)}`, String(value));
  return first < 0 ? undefined : first;
}
