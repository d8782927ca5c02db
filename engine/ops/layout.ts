/** Changes of shape that move or repeat elements and compute nothing: reshape, transpose, broadcast. */
import { elements, isStatic, sameShape, shapeText, type Shape } from '../graph/dimension.ts';
import { constantData } from '../graph/graph.ts';
import { alongBroadcast, ShapeError, type Operation } from '../graph/operation.ts';
import type { Value } from '../graph/value.ts';
import { broadcastShape, sumTo } from './elementwise.ts';

function wellFormed(operation: string, shape: Shape): Shape {
  if (shape.some((dimension) => typeof dimension === 'number' && !(Number.isInteger(dimension) && dimension >= 0)))
    throw new ShapeError(operation, 'a shape must hold whole numbers ≥ 0 or symbols', shapeText(shape));
  return shape;
}

const reshaping: Operation = {
  name: 'reshape',
  infer([x], { shape }) {
    const target = wellFormed('reshape', shape as Shape);
    if (elements(x.shape) !== elements(target))
      throw new ShapeError(
        'reshape',
        'both shapes must have the same number of elements',
        `${shapeText(x.shape)} and ${shapeText(target)}`,
      );
    return [{ shape: target, dtype: x.dtype }];
  },
  simplify([x], _attributes, [type]) {
    const { shape, dtype } = type;
    if (sameShape(x.shape, shape)) return x;
    if (x.uniform !== undefined) return x.graph.uniform(x.uniform, shape, dtype);
    if (x.source.kind === 'constant' && isStatic(shape)) return x.graph.constant(constantData(x)!, shape);
    const { node } = x;
    if (node?.operation === reshaping) return reshape(x.graph.readPast(x).node!.inputs[0], shape);
    if (node?.operation === broadcasting && node.inputs[0].rank === 0) return broadcastTo(x.graph.readPast(x).node!.inputs[0], shape);
    return undefined;
  },
  gradient: ({ inputs }, [d]) => [d && reshape(d, inputs[0].shape)],
  along(node, axis) {
    // An axis is kept where what stands before it has as many elements as before.
    const [from, to] = [node.inputs[0].shape, node.outputs[0].shape];
    const before = elements(to.slice(0, axis));
    const own = from.findIndex((dimension, i) => dimension === to[axis] && elements(from.slice(0, i)) === before);
    return own < 0 ? null : [own];
  },
  resized: ({ shape }, axis, dimension) => ({ shape: (shape as Shape).map((other, i) => (i === axis ? dimension : other)) }),
  onnx(context, node) {
    const { shape } = node.outputs[0];
    // A 0 in the target means "as in the input" unless allowzero is set, which shuts out -1 and copied axes.
    const empty = shape.includes(0);
    const target = empty ? context.dimensions(shape) : context.reshapeTarget(shape, node.inputs[0].shape);
    context.result(0, context.emit('Reshape', [context.inputs[0], target], empty ? { allowzero: 1 } : {})[0]);
  },
  tensorflow: ({ tf, sizes }, [x], node) => tf.reshape(x, sizes(node.outputs[0].shape)),
};

const transposition: Operation = {
  name: 'transpose',
  infer([x], { order }) {
    const axes = order as number[];
    if (axes.length !== x.rank || [...axes].sort((a, b) => a - b).some((axis, i) => axis !== i))
      throw new ShapeError('transpose', `order must hold each axis once, not [${axes.join(', ')}]`, [x]);
    return [{ shape: axes.map((axis) => x.shape[axis]), dtype: x.dtype }];
  },
  simplify([x], { order }, [type]) {
    const axes = order as number[];
    if (axes.every((axis, i) => axis === i)) return x;
    if (x.uniform !== undefined) return x.graph.uniform(x.uniform, type.shape, type.dtype);
    if (x.node?.operation === transposition) {
      const inner = x.graph.readPast(x).node!.attributes.order as number[];
      return transpose(
        x.node.inputs[0],
        axes.map((axis) => inner[axis]),
      );
    }
    // Only axes of size 1 move: the elements stay where they are.
    const moved = axes.filter((axis) => x.shape[axis] !== 1);
    return moved.every((axis, i) => i === 0 || axis > moved[i - 1]) ? reshape(x, type.shape) : undefined;
  },
  gradient(context, [d]) {
    const order = context.attributes.order as number[];
    return [
      d &&
        transpose(
          d,
          order.map((_axis, i) => order.indexOf(i)),
        ),
    ];
  },
  along: (node, axis) => [(node.attributes.order as number[])[axis]],
  onnx: (context, node) => context.result(0, context.emit('Transpose', context.inputs, { perm: node.attributes.order as number[] })[0]),
  tensorflow: ({ tf }, [x], node) => tf.transpose(x, [...(node.attributes.order as number[])]),
};

/** Stretches axes of size 1 and adds leading ones. Elementwise operations read through it, so it rarely runs. */
const broadcasting: Operation = {
  name: 'broadcast',
  infer([x], { shape }) {
    const target = wellFormed('broadcast', shape as Shape);
    const common = broadcastShape(x.shape, target);
    if (!common || !sameShape(common, target))
      throw new ShapeError('broadcast', 'the shape must stretch to the target', `${shapeText(x.shape)} and ${shapeText(target)}`);
    return [{ shape: target, dtype: x.dtype }];
  },
  simplify([x], _attributes, [type]) {
    if (sameShape(x.shape, type.shape)) return x;
    if (x.uniform !== undefined) return x.graph.uniform(x.uniform, type.shape, type.dtype);
    return x.node?.operation === broadcasting ? broadcastTo(x.graph.readPast(x).node!.inputs[0], type.shape) : undefined;
  },
  gradient: ({ inputs }, [d]) => [d && sumTo(d, inputs[0].shape)],
  along: alongBroadcast,
  resized: ({ shape }, axis, dimension) => ({ shape: (shape as Shape).map((other, i) => (i === axis ? dimension : other)) }),
  onnx: (context, node) => context.result(0, context.emit('Expand', [context.inputs[0], context.dimensions(node.outputs[0].shape)])[0]),
  tensorflow: ({ tf, sizes }, [x], node) => tf.broadcastTo(x, sizes(node.outputs[0].shape)),
};

/** The same elements in row-major order under another shape. */
export const reshape = (x: Value, shape: Shape): Value => x.graph.apply(reshaping, [x], { shape })[0];
/** Axis i of the result is axis order[i] of x. */
export const transpose = (x: Value, order: readonly number[]): Value => x.graph.apply(transposition, [x], { order })[0];
export const broadcastTo = (x: Value, shape: Shape): Value => x.graph.apply(broadcasting, [x], { shape })[0];

/** Merges axes [from, to) into one. */
export function mergeAxes(x: Value, from: number, to: number): Value {
  if (!(0 <= from && from < to && to <= x.rank)) throw new ShapeError('mergeAxes', `[${from}, ${to}) must be axes`, [x]);
  return reshape(x, [...x.shape.slice(0, from), elements(x.shape.slice(from, to)), ...x.shape.slice(to)]);
}

/** Adds an axis of size 1 before `axis`. */
export function expandAxis(x: Value, axis: number): Value {
  const at = axis < 0 ? axis + x.rank + 1 : axis;
  if (!(Number.isInteger(at) && at >= 0 && at <= x.rank))
    throw new ShapeError('expandAxis', `axis must be in [${-x.rank - 1}, ${x.rank}], not ${axis}`, [x]);
  return reshape(x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)]);
}

export const layout = [reshaping, transposition, broadcasting];
