/**
 * Makers of elementwise operations: shape by numpy broadcasting, constants folded, broadcasts kept lazy.
 *
 * Lazy broadcast: `f(broadcast(x))` becomes `broadcast(f(x))`, and an operand that is only a broadcast is read as what it was, since
 * executors broadcast for free. Reductions' gradients are full of such broadcasts.
 */
import type { Tensor } from '@tensorflow/tfjs-core';
import { isStatic, sameShape, type Dimension, type Shape } from '../graph/dimension.ts';
import { constantData } from '../graph/graph.ts';
import { alongBroadcast, ShapeError, type GradientContext, type Operation, type TensorFlow } from '../graph/operation.ts';
import type { DType, TensorType, Value } from '../graph/value.ts';
import { broadcastTo } from './layout.ts';
import { sum } from './reduce.ts';

export type Operand = Value | number;

/** Folding an array is worth it up to this many elements; beyond it the graph stays small and the executor computes. */
const FOLD_LIMIT = 4096;

/** The shape two operands broadcast to: trailing axes align, and 1 stretches. Undefined where they do not. */
export function broadcastShape(a: Shape, b: Shape): Shape | undefined {
  const rank = Math.max(a.length, b.length);
  const shape: Dimension[] = [];
  for (let axis = 0; axis < rank; axis++) {
    const x = a[a.length - rank + axis] ?? 1;
    const y = b[b.length - rank + axis] ?? 1;
    if (x !== y && x !== 1 && y !== 1) return undefined;
    shape.push(x === 1 ? y : x);
  }
  return shape;
}

export function commonShape(operation: string, inputs: readonly Value[]): Shape {
  let shape: Shape = [];
  for (const input of inputs) {
    const next = broadcastShape(shape, input.shape);
    if (!next) throw new ShapeError(operation, 'shapes must broadcast (trailing axes equal, or 1)', inputs);
    shape = next;
  }
  return shape;
}

/** The operand itself, or the number as a scalar beside `like`. */
export function lift(operand: Operand, like: Value): Value {
  return typeof operand === 'number' ? like.graph.uniform(operand, [], like.dtype) : operand;
}

/** Sums a cotangent down to the shape of the operand it belongs to: the adjoint of broadcasting. */
export function sumTo(cotangent: Value, shape: Shape): Value {
  if (sameShape(cotangent.shape, shape)) return cotangent;
  const extra = cotangent.rank - shape.length;
  const axes = cotangent.shape.flatMap((dimension, axis) => (axis < extra || (shape[axis - extra] === 1 && dimension !== 1) ? [axis] : []));
  const kept = sum(cotangent, { axes, keep: true });
  return extra === 0 ? kept : sum(kept, { axes: [...Array(extra).keys()] });
}

/** The value a lazy broadcast stretches; uniform constants stretch from a scalar. */
function unstretched(value: Value): Value | undefined {
  if (value.uniform !== undefined) return value.rank > 0 ? value.graph.uniform(value.uniform, [], value.dtype) : undefined;
  return value.node?.operation.name === 'broadcast' ? value.graph.readPast(value).node!.inputs[0] : undefined;
}

/** Reads operands through their broadcasts and stretches the result, which is the smaller one, where that leaves anything to stretch. */
export function throughBroadcasts(inputs: readonly Value[], shape: Shape, apply: (inputs: readonly Value[]) => Value): Value | undefined {
  const bases = inputs.map(unstretched);
  if (bases.every((base) => base === undefined)) return undefined;
  return broadcastTo(apply(inputs.map((input, i) => bases[i] ?? input)), shape);
}

function foldConstants(inputs: readonly Value[], type: TensorType, scalar: (...operands: number[]) => number): Value | undefined {
  const { graph } = inputs[0];
  if (inputs.every((input) => input.uniform !== undefined))
    return graph.uniform(scalar(...inputs.map((input) => input.uniform!)), type.shape, type.dtype);
  if (!isStatic(type.shape)) return undefined;
  const length = type.shape.reduce((a, b) => a * b, 1);
  if (length === 0 || length > FOLD_LIMIT) return undefined;
  const columns = inputs.map((input) =>
    input.uniform !== undefined ? input.uniform : sameShape(input.shape, type.shape) ? constantData(input) : undefined,
  );
  if (columns.some((column) => column === undefined)) return undefined;
  const data =
    type.dtype === 'float32' ? new Float32Array(length) : type.dtype === 'int32' ? new Int32Array(length) : new Uint8Array(length);
  for (let i = 0; i < length; i++) data[i] = scalar(...columns.map((column) => (typeof column === 'number' ? column : column![i])));
  return graph.constant(data, type.shape);
}

export interface ElementwiseSpec {
  readonly name: string;
  /** ONNX operator of the same meaning and broadcasting, or how to write it. */
  readonly onnx: string | Operation['onnx'];
  readonly tensorflow: (tf: TensorFlow, inputs: readonly Tensor[]) => Tensor;
  /** The function on numbers: folds constants. */
  readonly scalar: (...operands: number[]) => number;
  /** dtype of every operand (default float32 and int32 alike) */
  readonly accepts?: readonly DType[];
  readonly returns?: DType;
  readonly commutative?: boolean;
  /** Exact rewrites beyond folding. */
  readonly rewrite?: (inputs: readonly Value[], type: TensorType) => Value | undefined;
  /** d output / d input i, times the cotangent; sums over broadcast axes are added here. Absent: no gradient flows. */
  readonly gradient?: readonly ((cotangent: Value, context: GradientContext) => Value)[];
}

export function elementwise(spec: ElementwiseSpec): Operation {
  const accepts = spec.accepts ?? ['float32', 'int32'];
  const { gradient, onnx } = spec;
  const operation: Operation = {
    name: spec.name,
    infer(inputs) {
      if (!inputs.every((input) => accepts.includes(input.dtype) && input.dtype === inputs[0].dtype))
        throw new ShapeError(spec.name, `inputs must all be ${accepts.join(' or all ')}`, inputs);
      return [{ shape: commonShape(spec.name, inputs), dtype: spec.returns ?? inputs[0].dtype }];
    },
    simplify(inputs, _attributes, [type]) {
      const folded = foldConstants(inputs, type, spec.scalar) ?? spec.rewrite?.(inputs, type);
      if (folded) return sameShape(folded.shape, type.shape) ? folded : broadcastTo(folded, type.shape);
      const apply = (operands: readonly Value[]) => operands[0].graph.apply(operation, operands)[0];
      if (spec.commutative && inputs[0].id > inputs[1].id) return apply([inputs[1], inputs[0]]);
      return throughBroadcasts(inputs, type.shape, apply);
    },
    ...(gradient && {
      gradient: (context, [cotangent]) =>
        context.inputs.map((input, i) =>
          cotangent && context.wanted(i) ? sumTo(gradient[i](cotangent, context), input.shape) : undefined,
        ),
    }),
    along: alongBroadcast,
    onnx: typeof onnx === 'string' ? (context) => context.result(0, context.emit(onnx, context.inputs)[0]) : onnx,
    tensorflow: ({ tf }, inputs) => spec.tensorflow(tf, inputs),
  };
  return operation;
}

/** Applies an elementwise operation to operands of which at least one is a value. */
export function applyElementwise(operation: Operation, ...operands: readonly Operand[]): Value {
  const like = operands.find((operand): operand is Value => typeof operand !== 'number');
  if (!like) throw new ShapeError(operation.name, 'one operand must be a value of a graph', operands.join(' and '));
  return like.graph.apply(
    operation,
    operands.map((operand) => lift(operand, like)),
  )[0];
}
