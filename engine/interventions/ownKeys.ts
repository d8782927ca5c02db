/**
 * Products of the queries of branches (suffix.ts) with their own keys, of their weights with their own values: none with those of another branch.
 * Each product has the axes of the whole one, with the branches among its queries.
 */
import type { Dimension } from '../graph/dimension.ts';
import type { Node, Value } from '../graph/value.ts';
import { matmul, mergeAxes, multiply, reshape, transpose } from '../ops/index.ts';
import { reapply } from './restrict.ts';

/** One factor: [.., branches · positions, ..] */
interface Factor {
  readonly value: Value;
  /** Which of the last two axes that is. */
  readonly axis: number;
}

/**
 * Where each branch has one query and one key: query · key, [.., branches, n] both (`summed`); or weight × value, [.., branches, 1] and
 * [.., branches, n]. As products of matrices they would be so small that calling one takes longer than the sums.
 */
export function singleKeys({ attributes }: Node, queries: Factor, keys: Factor, summed: boolean): Value {
  const scale = attributes.scale as number;
  const product = multiply(rows(queries), rows(keys));
  if (!summed) return scale === 1 ? product : multiply(product, scale);
  const width = product.shape.at(-1) as number;
  return matmul(product, product.graph.constant(new Float32Array(width).fill(scale), [width, 1]));
}

/**
 * Where each branch has several. @param each how many queries and keys a branch has
 * @param product the axis and size of the queries in the product
 */
export function severalKeys(
  node: Node,
  queries: Factor,
  keys: Factor,
  branches: Dimension,
  each: { readonly queries: Dimension; readonly keys: Dimension },
  { axis, size }: { readonly axis: number; readonly size: Dimension },
): Value {
  const factors = [byBranch(queries, branches, each.queries), byBranch(keys, branches, each.keys)].map(beside);
  const [product] = reapply(node, factors, axis, size);
  return mergeAxes(product, product.rank - 3, product.rank - 1);
}

/** Branches and the positions of each as two axes; of size 1 both where there is one position for all branches. */
export function byBranch({ value, axis }: Factor, branches: Dimension, each: Dimension): Factor {
  const pieces: Dimension[] = value.shape[axis] === 1 ? [1, 1] : [branches, each];
  return { value: reshape(value, [...value.shape.slice(0, axis), ...pieces, ...value.shape.slice(axis + 1)]), axis };
}

/** The branches as one of the axes that products go through one by one. */
function beside({ value, axis }: Factor): Value {
  const order = [...value.shape.keys()];
  order.splice(value.rank - 3, 0, ...order.splice(axis, 1));
  return transpose(value, order);
}

/** The branches as rows of matrices. */
function rows({ value, axis }: Factor): Value {
  if (axis === value.rank - 2) return value;
  return transpose(value, [...value.shape.keys()].slice(0, -2).concat(value.rank - 1, value.rank - 2));
}
