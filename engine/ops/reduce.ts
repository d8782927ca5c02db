/** Reductions over axes: sum, mean, largest, smallest, position of the largest; and the size of a dimension as a number. */
import type { Tensor } from '@tensorflow/tfjs-core';
import { elements, type Dimension, type Shape } from '../graph/dimension.ts';
import type { Graph } from '../graph/graph.ts';
import { ShapeError, type OnnxContext, type Operation, type TensorFlow } from '../graph/operation.ts';
import type { Node, TensorType, Value } from '../graph/value.ts';
import { multiply, divide } from './arithmetic.ts';
import { reciprocal } from './functions.ts';
import { broadcastTo, reshape } from './layout.ts';
import { cast, equal } from './logic.ts';

export interface ReduceOptions {
  /** Axes to reduce, negative from the end; all by default. */
  axes?: readonly number[];
  /** Keep the reduced axes with size 1. */
  keep?: boolean;
}

/** Axis numbers made non-negative, checked and sorted. */
export function resolveAxes(operation: string, x: TensorType & { rank: number }, axes: readonly number[]): number[] {
  const resolved = axes.map((axis) => (axis < 0 ? axis + x.rank : axis)).sort((a, b) => a - b);
  if (resolved.some((axis, i) => !Number.isInteger(axis) || axis < 0 || axis >= x.rank || axis === resolved[i - 1]))
    throw new ShapeError(
      operation,
      x.rank === 0 ? 'a scalar has no axes' : `axes must be different and in [-${x.rank}, ${x.rank - 1}], not [${axes.join(', ')}]`,
      [x],
    );
  return resolved;
}

const kept = (shape: Shape, axes: readonly number[]): Shape => shape.map((dimension, axis) => (axes.includes(axis) ? 1 : dimension));

interface ReductionSpec {
  name: string;
  onnx: string;
  tensorflow: (tf: TensorFlow, x: Tensor, axes: number[], keep: boolean) => Tensor;
  /** Of nothing there is none. */
  extremum?: boolean;
  /** Of a constant repeated `count` times. */
  uniform: (number: number, count: number) => number;
  /** Cotangent of x from that of the result, both given with the reduced axes kept. */
  gradient: (d: Value, x: Value, y: Value, axes: readonly number[]) => Value;
}

function reduction(spec: ReductionSpec): Operation {
  const operation: Operation = {
    name: spec.name,
    infer([x], { axes, keep }) {
      if (x.dtype !== 'float32') throw new ShapeError(spec.name, 'takes float32', [x]);
      const reduced = axes as number[];
      if (spec.extremum && reduced.some((axis) => x.shape[axis] === 0))
        throw new ShapeError(spec.name, 'an empty axis has no extremum', [x]);
      return [{ shape: keep ? kept(x.shape, reduced) : x.shape.filter((_dimension, axis) => !reduced.includes(axis)), dtype: x.dtype }];
    },
    simplify([x], { axes }, [type]) {
      const dimensions = (axes as number[]).map((axis) => x.shape[axis]);
      if (dimensions.every((dimension) => dimension === 1)) return reshape(x, type.shape);
      const count = elements(dimensions);
      if (x.uniform !== undefined && typeof count === 'number') return x.graph.uniform(spec.uniform(x.uniform, count), type.shape);
      return undefined;
    },
    gradient({ inputs: [x], outputs: [y], attributes }, [d]) {
      if (!d) return [];
      const axes = attributes.axes as number[];
      const shape = kept(x.shape, axes);
      return [spec.gradient(reshape(d, shape), x, reshape(y, shape), axes)];
    },
    along({ inputs: [x], attributes }, axis) {
      const axes = attributes.axes as number[];
      if (attributes.keep) return axes.includes(axis) ? null : [axis];
      return [x.shape.map((_dimension, i) => i).filter((i) => !axes.includes(i))[axis]];
    },
    onnx(context, node) {
      if (spec.name === 'sum' && context.target === 'fast' && isColumnSum(node)) return context.result(0, writeColumnSum(context, node));
      context.result(
        0,
        context.emit(spec.onnx, [context.inputs[0], context.ints(node.attributes.axes as number[])], {
          keepdims: Number(node.attributes.keep),
          noop_with_empty_axes: 1,
        })[0],
      );
    },
    tensorflow: ({ tf }, [x], { attributes }) => spec.tensorflow(tf, x, [...(attributes.axes as number[])], Boolean(attributes.keep)),
  };
  return operation;
}

/** Whether a node sums over every axis but the last, whose size is known: the gradient of every bias. */
function isColumnSum({ inputs: [x], attributes }: Node): boolean {
  return (
    x.rank >= 2 &&
    typeof x.shape.at(-1) === 'number' &&
    (attributes.axes as number[]).length === x.rank - 1 &&
    !(attributes.axes as number[]).includes(x.rank - 1) &&
    !x.shape.includes(0)
  );
}

/** As a product with ones, which ONNX Runtime's CPU provider does in a quarter to a half of the time of ReduceSum. */
function writeColumnSum(context: OnnxContext, { inputs: [x], outputs: [y] }: Node): string {
  const width = x.shape.at(-1) as number;
  const [ones] = context.emit('Expand', [context.scalar(1), context.dimensions([elements(x.shape.slice(0, -1)), 1])]);
  const matrix = x.rank === 2 ? context.inputs[0] : context.emit('Reshape', [context.inputs[0], context.ints([-1, width])])[0];
  const [sums] = context.emit('Gemm', [matrix, ones], { transA: 1 });
  return context.emit('Reshape', [sums, context.reshapeTarget(y.shape, [])])[0];
}

/** Where several elements tie for the extremum they share the cotangent equally. */
const extremumGradient = (d: Value, x: Value, y: Value, axes: readonly number[]) => {
  const tied = cast(equal(x, y), 'float32');
  return multiply(tied, divide(d, sum(tied, { axes, keep: true })));
};

const summation = reduction({
  name: 'sum',
  onnx: 'ReduceSum',
  tensorflow: (tf, x, axes, keep) => tf.sum(x, axes, keep),
  uniform: (number, count) => number * count,
  gradient: (d, x) => broadcastTo(d, x.shape),
});
const averaging = reduction({
  name: 'mean',
  onnx: 'ReduceMean',
  tensorflow: (tf, x, axes, keep) => tf.mean(x, axes, keep),
  uniform: (number, count) => (count === 0 ? NaN : number),
  gradient: (d, x, _y, axes) => broadcastTo(multiply(d, reciprocal(sizeOf(x.graph, elements(axes.map((axis) => x.shape[axis]))))), x.shape),
});
const maximization = reduction({
  name: 'max',
  extremum: true,
  onnx: 'ReduceMax',
  tensorflow: (tf, x, axes, keep) => tf.max(x, axes, keep),
  uniform: (number) => number,
  gradient: extremumGradient,
});
const minimization = reduction({
  name: 'min',
  extremum: true,
  onnx: 'ReduceMin',
  tensorflow: (tf, x, axes, keep) => tf.min(x, axes, keep),
  uniform: (number) => number,
  gradient: extremumGradient,
});

const argumentOfMaximum: Operation = {
  name: 'argMax',
  infer([x], { axis }) {
    if (x.dtype !== 'float32') throw new ShapeError('argMax', 'takes float32', [x]);
    return [{ shape: x.shape.filter((_dimension, i) => i !== axis), dtype: 'int32' }];
  },
  onnx(context, node) {
    const [index] = context.emit('ArgMax', context.inputs, { axis: node.attributes.axis as number, keepdims: 0 });
    context.result(0, context.emit('Cast', [index], { to: 6 })[0]);
  },
  tensorflow: ({ tf }, [x], node) => tf.argMax(x, node.attributes.axis as number),
};

const sizing: Operation = {
  name: 'size',
  infer: () => [{ shape: [], dtype: 'float32' }],
  onnx(context, node) {
    const sizes = context.dimensions(node.attributes.dimension as Dimension[]);
    const [vector] = context.emit('Cast', [sizes], { to: 1 });
    context.result(0, context.emit('Reshape', [vector, context.ints([])])[0]);
  },
  tensorflow: ({ tf, sizes }, _inputs, node) => tf.scalar(sizes(node.attributes.dimension as Dimension[])[0]),
};

const reduce = (operation: Operation, x: Value, { axes, keep = false }: ReduceOptions): Value =>
  x.graph.apply(operation, [x], { axes: resolveAxes(operation.name, x, axes ?? x.shape.map((_dimension, axis) => axis)), keep })[0];

export const sum = (x: Value, options: ReduceOptions = {}): Value => reduce(summation, x, options);
export const mean = (x: Value, options: ReduceOptions = {}): Value => reduce(averaging, x, options);
export const max = (x: Value, options: ReduceOptions = {}): Value => reduce(maximization, x, options);
export const min = (x: Value, options: ReduceOptions = {}): Value => reduce(minimization, x, options);
/** Index of the first largest element along `axis`, int32. */
export const argMax = (x: Value, axis = -1): Value =>
  x.graph.apply(argumentOfMaximum, [x], { axis: resolveAxes('argMax', x, [axis])[0] })[0];
/** A dimension as a float32 scalar: a constant where it is known, else what it is in the run. */
export const sizeOf = (graph: Graph, dimension: Dimension): Value =>
  typeof dimension === 'number' ? graph.uniform(dimension) : graph.apply(sizing, [], { dimension: [dimension] })[0];

export const reductions = [summation, averaging, maximization, minimization, argumentOfMaximum, sizing];
