/** Substitution: the same computation with some values replaced. Whatever does not depend on them is shared, not copied. */
import { sameShape, shapeText } from './dimension.ts';
import { UserError } from '../base/errors.ts';
import { reachableNodes } from './program.ts';
import type { Value } from './value.ts';

/** `values` recomputed with each key of `replacements` read as its entry, which has the same shape and dtype. */
export function substitute(values: readonly Value[], replacements: ReadonlyMap<Value, Value>): Value[] {
  for (const [from, to] of replacements)
    if (!sameShape(from.shape, to.shape) || from.dtype !== to.dtype) throw new UserError('substitute: replacement', `must be ${String(from)}`, `${to.dtype}${shapeText(to.shape)}`);
  const known = new Map<Value, Value>(replacements);
  const now = (value: Value) => known.get(value) ?? value;
  for (const node of reachableNodes(values, new Set(replacements.keys()))) {
    const inputs = node.inputs.map(now);
    if (inputs.every((input, i) => input === node.inputs[i])) continue;
    const outputs = inputs[0]!.graph.at(node.site, () => inputs[0]!.graph.apply(node.operation, inputs, node.attributes));
    node.outputs.forEach((output, slot) => {
      if (!known.has(output)) known.set(output, outputs[slot]!);
    });
  }
  return values.map(now);
}
