/** Functions of one operand: roots, exponentials, and the activations of the field. */
import { erf as erfOf } from '../base/special.ts';
import type { Value } from '../graph/value.ts';
import type { GradientContext } from '../graph/operation.ts';
import { add, divide, multiply, subtract } from './arithmetic.ts';
import { applyElementwise, elementwise, type ElementwiseSpec } from './elementwise.ts';
import { cast, greater } from './logic.ts';

type Derivative = (d: Value, x: Value, y: Value) => Value;

const unary = (
  name: string,
  onnx: ElementwiseSpec['onnx'],
  scalar: (x: number) => number,
  tensorflow: ElementwiseSpec['tensorflow'],
  derivative?: Derivative,
  more: Partial<ElementwiseSpec> = {},
) =>
  elementwise({
    name,
    onnx,
    accepts: ['float32'],
    scalar,
    tensorflow,
    ...(derivative && { gradient: [(d: Value, { inputs, outputs }: GradientContext) => derivative(d, inputs[0], outputs[0])] }),
    ...more,
  });

const negation = unary(
  'negate',
  'Neg',
  (x) => -x,
  (tf, [x]) => tf.neg(x),
  (d) => negate(d),
  {
    accepts: ['float32', 'int32'],
    rewrite: ([x]) => (x.node?.operation === negation ? x.graph.readPast(x).node!.inputs[0] : undefined),
  },
);
const absolute = unary(
  'absolute',
  'Abs',
  Math.abs,
  (tf, [x]) => tf.abs(x),
  (d, x) => multiply(d, sign(x)),
);
const signum = unary(
  'sign',
  'Sign',
  Math.sign,
  (tf, [x]) => tf.sign(x),
  (d) => multiply(d, 0),
);
const flooring = unary(
  'floor',
  'Floor',
  Math.floor,
  (tf, [x]) => tf.floor(x),
  (d) => multiply(d, 0),
);
const exponential = unary(
  'exp',
  'Exp',
  Math.exp,
  (tf, [x]) => tf.exp(x),
  (d, _x, y) => multiply(d, y),
);
const logarithm = unary(
  'log',
  'Log',
  Math.log,
  (tf, [x]) => tf.log(x),
  (d, x) => divide(d, x),
);
const squareRoot = unary(
  'sqrt',
  'Sqrt',
  Math.sqrt,
  (tf, [x]) => tf.sqrt(x),
  (d, _x, y) => divide(multiply(d, 0.5), y),
);
const inverse = unary(
  'reciprocal',
  'Reciprocal',
  (x) => 1 / x,
  (tf, [x]) => tf.reciprocal(x),
  (d, _x, y) => negate(multiply(d, multiply(y, y))),
);
const sine = unary(
  'sin',
  'Sin',
  Math.sin,
  (tf, [x]) => tf.sin(x),
  (d, x) => multiply(d, cos(x)),
);
const cosine = unary(
  'cos',
  'Cos',
  Math.cos,
  (tf, [x]) => tf.cos(x),
  (d, x) => negate(multiply(d, sin(x))),
);
const errorFunction = unary(
  'erf',
  'Erf',
  erfOf,
  (tf, [x]) => tf.erf(x),
  (d, x) => multiply(d, multiply(exp(negate(multiply(x, x))), 2 / Math.sqrt(Math.PI))),
);
const hyperbolicTangent = unary(
  'tanh',
  'Tanh',
  Math.tanh,
  (tf, [x]) => tf.tanh(x),
  (d, _x, y) => multiply(d, subtract(1, multiply(y, y))),
);
const logistic = unary(
  'sigmoid',
  'Sigmoid',
  (x) => 1 / (1 + Math.exp(-x)),
  (tf, [x]) => tf.sigmoid(x),
  (d, _x, y) => multiply(d, multiply(y, subtract(1, y))),
);
/** The slope is 0 at 0. As a number made of a comparison: ONNX Runtime's Sign and Where take two to three times as long. */
const rectifier = unary(
  'relu',
  'Relu',
  (x) => Math.max(x, 0),
  (tf, [x]) => tf.relu(x),
  (d, _x, y) => multiply(d, cast(greater(y, 0), 'float32')),
);
const softRectifier = unary(
  'softplus',
  'Softplus',
  (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  (tf, [x]) => tf.softplus(x),
  (d, x) => multiply(d, sigmoid(x)),
);

const GELU_SCALE = 2 * Math.sqrt(2 / Math.PI);
const GELU_CUBIC = 0.044715;
/**
 * gelu(x) = x s(u) with s the logistic function and u = x (2c + 2ck x²), c = √(2/π), k = 0.044715: the tanh form.
 * Its slope is s + s(1 − s) w with w = x u′ = 3u − 4c x, written as s (1 + (1 − s) w) to save a pass.
 */
const geluTanh = unary(
  'gelu',
  (context) => context.result(0, context.emit('Gelu', context.inputs, { approximate: 'tanh' })[0]),
  (x) => x / (1 + Math.exp(-x * (GELU_SCALE + GELU_SCALE * GELU_CUBIC * x * x))),
  (tf, [x]) => tf.mul(x, tf.sigmoid(tf.mul(x, tf.add(tf.mul(tf.square(x), GELU_SCALE * GELU_CUBIC), GELU_SCALE)))),
  (d, x) => {
    const u = multiply(x, add(multiply(multiply(x, x), GELU_SCALE * GELU_CUBIC), GELU_SCALE));
    const s = sigmoid(u);
    const w = subtract(multiply(u, 3), multiply(x, 2 * GELU_SCALE));
    return multiply(d, multiply(s, add(multiply(subtract(1, s), w), 1)));
  },
);
/** gelu(x) = x Φ(x); its slope is Φ(x) + x φ(x). */
const geluExact = unary(
  'geluExact',
  (context) => context.result(0, context.emit('Gelu', context.inputs, { approximate: 'none' })[0]),
  (x) => 0.5 * x * (1 + erfOf(x / Math.SQRT2)),
  (tf, [x]) => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1)),
  (d, x) => {
    const cumulative = multiply(add(erf(multiply(x, Math.SQRT1_2)), 1), 0.5);
    const density = multiply(exp(multiply(multiply(x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
    return multiply(d, add(cumulative, multiply(x, density)));
  },
);

export const negate = (x: Value): Value => applyElementwise(negation, x);
export const absoluteValue = (x: Value): Value => applyElementwise(absolute, x);
export const sign = (x: Value): Value => applyElementwise(signum, x);
export const floor = (x: Value): Value => applyElementwise(flooring, x);
export const exp = (x: Value): Value => applyElementwise(exponential, x);
export const log = (x: Value): Value => applyElementwise(logarithm, x);
export const sqrt = (x: Value): Value => applyElementwise(squareRoot, x);
export const reciprocal = (x: Value): Value => applyElementwise(inverse, x);
export const sin = (x: Value): Value => applyElementwise(sine, x);
export const cos = (x: Value): Value => applyElementwise(cosine, x);
export const erf = (x: Value): Value => applyElementwise(errorFunction, x);
export const tanh = (x: Value): Value => applyElementwise(hyperbolicTangent, x);
export const sigmoid = (x: Value): Value => applyElementwise(logistic, x);
export const relu = (x: Value): Value => applyElementwise(rectifier, x);
export const softplus = (x: Value): Value => applyElementwise(softRectifier, x);
export const square = (x: Value): Value => multiply(x, x);
/** x σ(x) */
export const silu = (x: Value): Value => multiply(x, sigmoid(x));
/** Gaussian error linear unit, in the tanh approximation unless `exact`. */
export const gelu = (x: Value, { exact = false }: { exact?: boolean } = {}): Value => applyElementwise(exact ? geluExact : geluTanh, x);

export const functions = [
  negation,
  absolute,
  signum,
  flooring,
  exponential,
  logarithm,
  squareRoot,
  inverse,
  sine,
  cosine,
  errorFunction,
  hyperbolicTangent,
  logistic,
  rectifier,
  softRectifier,
  geluTanh,
  geluExact,
];
