/**
 * Finds in a graph that the units of a site count only as summands of products with fixed matrices.
 *
 * Then a change of one unit changes such a product P = x·W + b by a rank-one term, P'[row] = P[row] + (x'[row, j] − x[row, j])·W[j], whatever
 * the model is. Between the site and x each unit may be acted on, but only by itself: x' of every unit then comes from one run in which all
 * are written at once. Where the graph is not of this form (a norm over units, a site that is also read otherwise) there is no such answer,
 * and whoever asked recomputes everything from the site on.
 */
import type { Dimension } from '../graph/dimension.ts';
import { sameShape, symbolsOf } from '../graph/dimension.ts';
import { dependents, reachableNodes } from '../graph/program.ts';
import type { Node, Value } from '../graph/value.ts';

export interface UnitProduct {
  /** x·W·scale + b: [rows, n]. */
  readonly value: Value;
  /** x: [rows, units]. */
  readonly factor: Value;
  /** W: [units, n], the same for every row. */
  readonly weight: Value;
  readonly scale: number;
}

/** The products through which alone `site` [rows, units] counts for `output`; undefined where it counts in another way. */
export function unitProducts(output: Value, site: Value): readonly UnitProduct[] | undefined {
  const reached = dependents([output], [site]);
  /** Values [rows, units] whose every unit depends on that unit of the site and on no other. */
  const apart = new Set([site]);
  const products: UnitProduct[] = [];
  for (const node of reachableNodes([output], apart)) {
    if (!node.inputs.some((input) => apart.has(input))) continue;
    const product = asProduct(node, apart, reached, site.shape[0]);
    if (product) products.push(product);
    else if (keepsApart(node, apart, reached)) for (const value of node.outputs) apart.add(value);
    else return undefined;
  }
  return apart.has(output) ? undefined : products;
}

function asProduct(
  { operation, inputs, outputs, attributes }: Node,
  apart: ReadonlySet<Value>,
  reached: ReadonlySet<Value>,
  rows: Dimension,
): UnitProduct | undefined {
  if (operation.name !== 'matmul' || attributes.transposeA || attributes.transposeB) return undefined;
  const [factor, weight, ...bias] = inputs;
  const fixed = [weight, ...bias].every((value) => !reached.has(value));
  const carriesRows = weight.shape.some((dimension) => symbolsOf(dimension).some((name) => symbolsOf(rows).includes(name)));
  if (!apart.has(factor) || !fixed || weight.rank !== 2 || carriesRows) return undefined;
  return { value: outputs[0], factor, weight, scale: attributes.scale as number };
}

/** Whether a node acts on each unit of each row by itself. */
function keepsApart(node: Node, apart: ReadonlySet<Value>, reached: ReadonlySet<Value>): boolean {
  const [{ shape }] = apart;
  if (!node.outputs.every((value) => sameShape(value.shape, shape))) return false;
  return [0, 1].every((axis) => {
    const axes = node.operation.along?.(node, axis);
    return axes && node.inputs.every((input, i) => !reached.has(input) || (apart.has(input) && axes[i] === axis));
  });
}
