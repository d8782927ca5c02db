/** Substitution: the same computation with some values replaced. Whatever does not depend on them is shared, not copied. */
import { sameShape, shapeText } from './dimension.ts';
import { UserError } from '../base/errors.ts';
import type { Operation } from './operation.ts';
import { reachableNodes } from './program.ts';
import type { Value } from './value.ts';

/** `values` recomputed with each key of `replacements` read as its entry, which has the same shape and dtype. */
export const substitute = (values: readonly Value[], replacements: ReadonlyMap<Value, Value>): Value[] =>
  substitution(values, replacements).values;

/** The same, with what stands for what now: replacements, and everything computed from them. */
export function substitution(
  values: readonly Value[],
  replacements: ReadonlyMap<Value, Value>,
): { readonly values: Value[]; readonly replaced: ReadonlyMap<Value, Value> } {
  for (const [from, to] of replacements)
    if (!sameShape(from.shape, to.shape) || from.dtype !== to.dtype)
      throw new UserError('substitute: replacement', `must be ${String(from)}`, `${to.dtype}${shapeText(to.shape)}`);
  const known = new Map<Value, Value>(replacements);
  const now = (value: Value) => known.get(value) ?? value;
  for (const node of reachableNodes(values, new Set(replacements.keys()))) {
    const inputs = node.inputs.map(now);
    if (inputs.every((input, i) => input === node.inputs[i])) continue;
    const { graph } = inputs[0];
    const outputs = graph.at(node.site, () => graph.apply(rebound(node.operation, known), inputs, node.attributes));
    node.outputs.forEach((output, slot) => {
      if (!known.has(output)) known.set(output, outputs[slot]);
    });
  }
  return { values: values.map(now), replaced: known };
}

/**
 * A rule given to customGradient may name values by closure (the logits whose softmax is its slope): what it builds is read with the
 * replacements too. Other rules name only their node's inputs, and for them this changes nothing.
 */
function rebound(operation: Operation, known: ReadonlyMap<Value, Value>): Operation {
  const { gradient, name } = operation;
  if (name !== 'customGradient' || !gradient) return operation;
  return {
    ...operation,
    gradient(context, cotangents) {
      const made = gradient(context, cotangents);
      const built = [...new Set(made)].filter((value) => value !== undefined);
      // Cotangents and the node's own inputs belong to the new computation already.
      const settled = [...cotangents, ...context.inputs].flatMap((value) => (value ? [[value, value] as const] : []));
      const replaced = substitute(built, new Map([...known, ...settled]));
      return made.map((value) => value && replaced[built.indexOf(value)]);
    },
  };
}
