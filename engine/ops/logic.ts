/** Comparisons, logic, choice and conversion. Comparisons give bool and carry no gradient. */
import { alongBroadcast, ShapeError, type Operation, type TensorFlow } from '../graph/operation.ts';
import type { DType, Value } from '../graph/value.ts';
import { applyElementwise, commonShape, elementwise, lift, sumTo, throughBroadcasts, type Operand } from './elementwise.ts';
import { broadcastTo } from './layout.ts';
import type { Tensor } from '@tensorflow/tfjs-core';

type Binary = (tf: TensorFlow, a: Tensor, b: Tensor) => Tensor;

const comparison = (name: string, onnx: string, compute: Binary, test: (a: number, b: number) => boolean, commutative = false) =>
  elementwise({
    name,
    onnx,
    returns: 'bool',
    commutative,
    tensorflow: (tf, [a, b]) => compute(tf, a, b),
    scalar: (a, b) => Number(test(a, b)),
  });

const greaterThan = comparison(
  'greater',
  'Greater',
  (tf, a, b) => tf.greater(a, b),
  (a, b) => a > b,
);
const greaterOrEqual = comparison(
  'greaterEqual',
  'GreaterOrEqual',
  (tf, a, b) => tf.greaterEqual(a, b),
  (a, b) => a >= b,
);
const lessThan = comparison(
  'less',
  'Less',
  (tf, a, b) => tf.less(a, b),
  (a, b) => a < b,
);
const lessOrEqual = comparison(
  'lessEqual',
  'LessOrEqual',
  (tf, a, b) => tf.lessEqual(a, b),
  (a, b) => a <= b,
);
const equality = comparison(
  'equal',
  'Equal',
  (tf, a, b) => tf.equal(a, b),
  (a, b) => a === b,
  true,
);

const logical = (name: string, onnx: string, compute: Binary, test: (a: number, b: number) => boolean) =>
  elementwise({
    name,
    onnx,
    accepts: ['bool'],
    commutative: true,
    tensorflow: (tf, [a, b]) => compute(tf, a, b),
    scalar: (a, b) => Number(test(a, b)),
  });

const conjunction = logical(
  'and',
  'And',
  (tf, a, b) => tf.logicalAnd(a, b),
  (a, b) => a !== 0 && b !== 0,
);
const disjunction = logical(
  'or',
  'Or',
  (tf, a, b) => tf.logicalOr(a, b),
  (a, b) => a !== 0 || b !== 0,
);
const complement = elementwise({
  name: 'not',
  onnx: 'Not',
  accepts: ['bool'],
  tensorflow: (tf, [x]) => tf.logicalNot(x),
  scalar: (x) => Number(x === 0),
});

const ONNX_TYPE: Record<DType, number> = { float32: 1, int32: 6, bool: 9 };

const casting: Operation = {
  name: 'cast',
  infer: ([x], { to }) => [{ shape: x.shape, dtype: to as DType }],
  simplify([x], { to }) {
    if (x.dtype === to) return x;
    if (x.uniform !== undefined) return x.graph.uniform(x.uniform, x.shape, to as DType);
    return x.node?.operation.name === 'broadcast'
      ? broadcastTo(cast(x.graph.readPast(x).node!.inputs[0], to as DType), x.shape)
      : undefined;
  },
  gradient: (_context, [d]) => [d],
  along: alongBroadcast,
  onnx: (context, node) => context.result(0, context.emit('Cast', context.inputs, { to: ONNX_TYPE[node.attributes.to as DType] })[0]),
  tensorflow: ({ tf }, [x], node) => tf.cast(x, node.attributes.to as DType),
};

const choice: Operation = {
  name: 'where',
  infer(inputs) {
    const [condition, yes, no] = inputs;
    if (condition.dtype !== 'bool' || yes.dtype !== no.dtype) throw new ShapeError('where', 'takes bool and two of one dtype', inputs);
    return [{ shape: commonShape('where', inputs), dtype: yes.dtype }];
  },
  simplify(inputs, _attributes, [type]) {
    const [condition, yes, no] = inputs;
    const { uniform } = condition;
    if (yes === no) return broadcastTo(yes, type.shape);
    if (uniform !== undefined) return broadcastTo(uniform !== 0 ? yes : no, type.shape);
    return throughBroadcasts(inputs, type.shape, ([c, a, b]) => c.graph.apply(choice, [c, a, b])[0]);
  },
  gradient({ inputs: [condition, yes, no], wanted }, [d]) {
    if (!d) return [];
    return [
      undefined,
      wanted(1) ? sumTo(where(condition, d, 0), yes.shape) : undefined,
      wanted(2) ? sumTo(where(condition, 0, d), no.shape) : undefined,
    ];
  },
  along: alongBroadcast,
  onnx: (context) => context.result(0, context.emit('Where', context.inputs)[0]),
  tensorflow({ tf, sizes }, [condition, yes, no], node) {
    const shape = sizes(node.outputs[0].shape);
    return tf.where(
      tf.cast(tf.broadcastTo(tf.cast(condition, 'int32'), shape), 'bool'),
      tf.broadcastTo(yes, shape),
      tf.broadcastTo(no, shape),
    );
  },
};

export const greater = (a: Operand, b: Operand): Value => applyElementwise(greaterThan, a, b);
export const greaterEqual = (a: Operand, b: Operand): Value => applyElementwise(greaterOrEqual, a, b);
export const less = (a: Operand, b: Operand): Value => applyElementwise(lessThan, a, b);
export const lessEqual = (a: Operand, b: Operand): Value => applyElementwise(lessOrEqual, a, b);
export const equal = (a: Operand, b: Operand): Value => applyElementwise(equality, a, b);
export const and = (a: Value, b: Value): Value => applyElementwise(conjunction, a, b);
export const or = (a: Value, b: Value): Value => applyElementwise(disjunction, a, b);
export const not = (x: Value): Value => applyElementwise(complement, x);

/** x as another dtype; float32 to int32 truncates towards zero, anything but 0 is true. */
export const cast = (x: Value, to: DType): Value => x.graph.apply(casting, [x], { to })[0];

/** `yes` where the condition holds, else `no`; all three broadcast. */
export function where(condition: Value, yes: Operand, no: Operand): Value {
  const like = typeof yes === 'number' ? no : yes;
  const beside = typeof like === 'number' ? condition.graph.uniform(0) : like;
  const [a, b] = [lift(yes, beside), lift(no, beside)];
  return condition.graph.apply(choice, [condition, a, b])[0];
}

export const logic = [greaterThan, greaterOrEqual, lessThan, lessOrEqual, equality, conjunction, disjunction, complement, casting, choice];
