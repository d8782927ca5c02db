/** Reading by index: gather and the sum that undoes it, one-hot, elements along an axis, top-k. */
import { elements, type Dimension } from '../graph/dimension.ts';
import { ShapeError, type Operation } from '../graph/operation.ts';
import type { Value } from '../graph/value.ts';
import { matmul } from './matmul.ts';
import { cast, equal } from './logic.ts';
import { expandAxis, reshape, transpose } from './layout.ts';
import { resolveAxes } from './reduce.ts';

function requireIndices(operation: string, indices: Value): void {
  if (indices.dtype !== 'int32') throw new ShapeError(operation, 'indices must be int32', [indices]);
}

const gathering: Operation = {
  name: 'gather',
  infer(inputs, { axis }) {
    const [x, indices] = inputs as [Value, Value];
    requireIndices('gather', indices);
    const at = axis as number;
    return [{ shape: [...x.shape.slice(0, at), ...indices.shape, ...x.shape.slice(at + 1)], dtype: x.dtype }];
  },
  gradient({ inputs: [x, indices], attributes }, [d]) {
    if (!d) return [];
    const axis = attributes.axis as number;
    const r = indices.rank;
    // The indexed axes come first, are summed into rows of x, and the axis goes back to its place.
    const first = [
      ...indices.shape.map((_dimension, i) => axis + i),
      ...d.shape.map((_dimension, i) => i).filter((i) => i < axis || i >= axis + r),
    ];
    const summed = scatterAdd(indices, transpose(d, first), x.shape[axis]);
    const back = x.shape.map((_dimension, i) => (i === axis ? 0 : i < axis ? i + 1 : i));
    return [transpose(summed, back)];
  },
  along({ inputs: [, indices], attributes }, axis) {
    const at = attributes.axis as number;
    const r = indices.rank;
    if (axis < at) return [axis, undefined];
    return axis < at + r ? [undefined, axis - at] : [axis - r + 1, undefined];
  },
  onnx: (context, node) => context.result(0, context.emit('Gather', context.inputs, { axis: node.attributes.axis as number })[0]),
  tensorflow: ({ tf }, [x, indices], node) => tf.gather(x, indices, node.attributes.axis as number),
};

/** The k largest along the last axis, in falling order; the first of equals comes first. */
const largest: Operation = {
  name: 'topK',
  infer([x], { k }) {
    if (x.rank === 0 || x.dtype !== 'float32') throw new ShapeError('topK', 'takes float32 with at least one axis', [x]);
    const width = x.shape.at(-1)!;
    if (!(Number.isInteger(k) && (k as number) >= 1 && (typeof width !== 'number' || (k as number) <= width)))
      throw new ShapeError('topK', `k must be an integer in [1, ${String(width)}], not ${String(k)}`, [x]);
    const shape = [...x.shape.slice(0, -1), k as number];
    return [
      { shape, dtype: 'float32' },
      { shape, dtype: 'int32' },
    ];
  },
  gradient({ inputs: [x], outputs: [, indices] }, [d]) {
    return [d && spreadAlong(d, indices, x.shape.at(-1)!)];
  },
  along: (node, axis) => (axis === node.outputs[0].rank - 1 ? null : [axis]),
  onnx(context, node) {
    const [values, indices] = context.emit(
      'TopK',
      [context.inputs[0], context.ints([node.attributes.k as number])],
      { axis: -1, largest: 1, sorted: 1 },
      { count: 2 },
    );
    context.result(0, values);
    context.result(1, context.emit('Cast', [indices], { to: 6 })[0]);
  },
  tensorflow({ tf }, [x], node) {
    const { values, indices } = tf.topk(x, node.attributes.k as number, true);
    return [values, indices];
  },
};

const takingAlong: Operation = {
  name: 'takeAlong',
  infer(inputs) {
    const [x, indices] = inputs as [Value, Value];
    requireIndices('takeAlong', indices);
    if (x.rank === 0 || x.rank !== indices.rank || x.shape.slice(0, -1).some((dimension, i) => dimension !== indices.shape[i]))
      throw new ShapeError('takeAlong', 'indices must agree with the values but for the last axis', inputs);
    return [{ shape: indices.shape, dtype: x.dtype }];
  },
  gradient: ({ inputs: [x, indices] }, [d]) => [d && spreadAlong(d, indices, x.shape.at(-1)!)],
  along: (node, axis) => (axis === node.outputs[0].rank - 1 ? [undefined, axis] : [axis, axis]),
  onnx: (context) => context.result(0, context.emit('GatherElements', context.inputs, { axis: -1 })[0]),
  tensorflow({ tf }, [x, indices]) {
    const width = x.shape.at(-1)!;
    const rows = x.size / Math.max(width, 1);
    const starts = tf.reshape(tf.mul(tf.range(0, rows, 1, 'int32'), tf.scalar(width, 'int32')), [rows, 1]);
    const places = tf.add(tf.reshape(indices, [rows, indices.shape.at(-1)!]), starts);
    return tf.reshape(tf.gather(tf.reshape(x, [x.size]), places as never), indices.shape);
  },
};

/** x read at int32 indices along `axis`: [..., axis, ...] → [..., ...indices, ...]. */
export const gather = (x: Value, indices: Value, axis = 0): Value =>
  x.graph.apply(gathering, [x, indices], { axis: resolveAxes('gather', x, [axis])[0] })[0];

/** int32 [...] → float32 [..., size] with 1 at the index and 0 elsewhere; an index outside gives zeros. */
export function oneHot(indices: Value, size: number): Value {
  requireIndices('oneHot', indices);
  const range = indices.graph.constant(
    Int32Array.from({ length: size }, (_entry, i) => i),
    [size],
  );
  return cast(equal(expandAxis(indices, -1), range), 'float32');
}

/**
 * The sum of `updates` [...indices, ...inner] over equal indices: [size, ...inner]. The adjoint of gather.
 *
 * A product with the one-hot matrix: ScatterND(add) of ONNX Runtime's CPU provider loses updates with more than one thread
 * (microsoft/onnxruntime#18048), and ScatterElements runs serially.
 */
export function scatterAdd(indices: Value, updates: Value, size: Dimension): Value {
  if (typeof size !== 'number') throw new ShapeError('scatterAdd', 'the number of rows must be known', String(size));
  requireIndices('scatterAdd', indices);
  if (indices.shape.some((dimension, i) => dimension !== updates.shape[i]))
    throw new ShapeError('scatterAdd', 'updates must begin with the shape of the indices', [indices, updates]);
  const count = elements(indices.shape);
  const inner = updates.shape.slice(indices.rank);
  const rows = reshape(updates, [count, elements(inner)]);
  return reshape(matmul(oneHot(reshape(indices, [count]), size), rows, { transposeA: true }), [size, ...inner]);
}

/** The k largest entries of the last axis and their indices: [..., n] → two of [..., k]. */
export function topK(x: Value, k: number): { values: Value; indices: Value } {
  const [values, indices] = x.graph.apply(largest, [x], { k });
  return { values, indices };
}

/** x [..., n] read at indices [..., k] of its last axis: [..., k]. */
export const takeAlong = (x: Value, indices: Value): Value => x.graph.apply(takingAlong, [x, indices])[0];

/** The adjoint of {@link takeAlong}: d [..., k] put at its indices and summed: [..., size]. */
export function spreadAlong(d: Value, indices: Value, size: Dimension): Value {
  if (typeof size !== 'number') throw new ShapeError('spreadAlong', 'the width must be known', String(size));
  const chosen = oneHot(indices, size);
  return reshape(matmul(expandAxis(d, -2), chosen), [...d.shape.slice(0, -1), size]);
}

export const selections = [gathering, largest, takingAlong];
