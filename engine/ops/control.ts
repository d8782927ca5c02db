/** Operations that leave the value alone and steer gradients or interventions: sites, stops, estimators, own gradients. */
import { UserError } from '../base/errors.ts';
import { sameShape } from '../graph/dimension.ts';
import { ShapeError, type Operation } from '../graph/operation.ts';
import type { Value } from '../graph/value.ts';

const passing: Pick<Operation, 'infer' | 'along' | 'onnx' | 'tensorflow'> = {
  infer: ([x]) => [x],
  along: (node, axis) => node.inputs.map(() => axis),
  onnx: (context) => context.result(0, context.inputs[0]),
  tensorflow: ({ tf }, [x]) => tf.clone(x),
};

/** Not shared with equal values under another name: an intervention at one site must not reach the other. */
const marking: Operation = { ...passing, name: 'site', gradient: (_context, [d]) => [d] };

const stopping: Operation = { ...passing, name: 'stopGradient', gradient: () => [] };

const estimation: Operation = {
  ...passing,
  name: 'straightThrough',
  infer(inputs) {
    if (!sameShape(inputs[0].shape, inputs[1].shape) || inputs.some((input) => input.dtype !== 'float32'))
      throw new ShapeError('straightThrough', 'both values must be float32 of one shape', inputs);
    return [inputs[0]];
  },
  gradient: (_context, [d]) => [undefined, d],
};

/** Names a value as a place where an intervention may read or write; the name is completed by the current scope. */
export function site(name: string, x: Value): Value {
  const full = x.graph.scoped(name);
  if (x.graph.sites.has(full)) throw new UserError('site: name', 'must be new in this graph', full);
  const marked = x.graph.apply(marking, [x], { name: full })[0];
  x.graph.sites.set(full, marked);
  return marked;
}

/** x, a constant to differentiation. */
export const stopGradient = (x: Value): Value => x.graph.apply(stopping, [x])[0];

/** `hard` forward, the gradient of `soft` backward (Bengio et al. 2013, arXiv:1308.3432). */
export const straightThrough = (hard: Value, soft: Value): Value => hard.graph.apply(estimation, [hard, soft])[0];

/**
 * `y` with a gradient of its own: `rule` takes the cotangent of y and gives those of `wrt`, built with operations.
 * Nothing flows into y by any other way.
 */
export function customGradient(y: Value, wrt: readonly Value[], rule: (cotangent: Value) => readonly (Value | undefined)[]): Value {
  const operation: Operation = {
    ...passing,
    name: 'customGradient',
    // What the rule is for may have any shape; only y is read.
    along: (node, axis) => node.inputs.map((input, i) => (i === 0 || sameShape(input.shape, node.outputs[0].shape) ? axis : undefined)),
    gradient: (_context, [d]) => [undefined, ...(d ? rule(d) : [])],
  };
  return y.graph.apply(operation, [y, ...wrt])[0];
}

export const controls = [marking, stopping, estimation];
