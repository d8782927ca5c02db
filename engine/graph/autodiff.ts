/**
 * Reverse-mode differentiation as a transformation of graphs.
 *
 * The gradient is built with the same operations as the value, so it can be differentiated again, sliced, exported and run like any
 * other part of the graph. Rules belong to the operations; this file only visits nodes from the result back to what is asked for.
 */
import { UserError } from '../base/errors.ts';
import { sameShape, shapeText } from './dimension.ts';
import type { Node, Value } from './value.ts';
import { reachableNodes, requireReached } from './program.ts';

/**
 * d y / d wrt[i], times `seed` (ones by default), one value of the same shape for each of `wrt`; zeros where y does not depend on it.
 * @param add the sum of two values: this layer knows no operations
 */
export function differentiate(y: Value, wrt: readonly Value[], seed: Value | undefined, add: (a: Value, b: Value) => Value): Value[] {
  const { graph } = y;
  if (y.dtype !== 'float32') throw new UserError('gradient: y', 'must be float32', y.dtype);
  if (seed && !sameShape(seed.shape, y.shape))
    throw new UserError('gradient: seed', `must have the shape ${shapeText(y.shape)} of y`, shapeText(seed.shape));
  const nodes = reachableNodes([y]);
  for (const x of wrt) {
    if (x.dtype !== 'float32') throw new UserError('gradient: wrt', 'must be float32', x.dtype);
    if (x.graph !== graph) throw new UserError('gradient: wrt', 'must belong to the graph of y', 'a value of another graph');
    requireReached('gradient: wrt', x, nodes);
  }

  const depends = new Set<Value>(wrt);
  for (const node of nodes) if (node.inputs.some((input) => depends.has(input))) for (const output of node.outputs) depends.add(output);

  const cotangents = new Map<Value, Value>([[y, seed ?? graph.uniform(1, y.shape)]]);
  const receive = (node: Node, input: Value, cotangent: Value) => {
    if (!sameShape(cotangent.shape, input.shape))
      throw new Error(
        `gradient of ${node.label}: a cotangent has shape ${shapeText(cotangent.shape)} where ${shapeText(input.shape)} belongs`,
      );
    const known = cotangents.get(input);
    cotangents.set(input, known ? add(known, cotangent) : cotangent);
  };
  for (const node of nodes.reverse()) {
    const given = node.outputs.map((output) => (depends.has(output) ? cotangents.get(output) : undefined));
    if (given.every((cotangent) => cotangent === undefined) || !node.operation.gradient) continue;
    const wanted = (i: number) => depends.has(node.inputs[i]) && node.inputs[i].dtype === 'float32';
    if (!node.inputs.some((_input, i) => wanted(i))) continue;
    graph.at(node.site === '' ? 'gradient' : `${node.site}.gradient`, () => {
      const context = { inputs: node.inputs, outputs: node.outputs, attributes: node.attributes, node, wanted };
      node.operation.gradient!(context, given).forEach((cotangent, i) => {
        if (cotangent && wanted(i)) receive(node, node.inputs[i], cotangent);
      });
    });
  }
  return wrt.map((x) => cotangents.get(x) ?? graph.uniform(0, x.shape));
}
