/** Arithmetic of two operands: + − × ÷ power, maximum, minimum. Numbers may stand for values. */
import { applyElementwise, elementwise, type Operand } from './elementwise.ts';
import { log, negate, sqrt } from './functions.ts';
import { cast, equal, greater } from './logic.ts';
import type { Value } from '../graph/value.ts';

const isZero = (value: Value) => value.uniform === 0;
const isOne = (value: Value) => value.uniform === 1;

const addition = elementwise({
  name: 'add',
  onnx: 'Add',
  commutative: true,
  tensorflow: (tf, [a, b]) => tf.add(a, b),
  scalar: (a, b) => a + b,
  rewrite: ([a, b]) => (isZero(a) ? b : isZero(b) ? a : undefined),
  gradient: [(d) => d, (d) => d],
});

const subtraction = elementwise({
  name: 'subtract',
  onnx: 'Sub',
  tensorflow: (tf, [a, b]) => tf.sub(a, b),
  scalar: (a, b) => a - b,
  rewrite: ([a, b]) => (isZero(b) ? a : isZero(a) ? negate(b) : undefined),
  gradient: [(d) => d, (d) => negate(d)],
});

const multiplication = elementwise({
  name: 'multiply',
  onnx: 'Mul',
  commutative: true,
  tensorflow: (tf, [a, b]) => tf.mul(a, b),
  scalar: (a, b) => a * b,
  rewrite([a, b], type) {
    if (isOne(a)) return b;
    if (isOne(b)) return a;
    if (isZero(a) || isZero(b)) return a.graph.uniform(0, type.shape, type.dtype);
    // (x · c) · k = x · (c k): one pass instead of two
    for (const [x, k] of [
      [a, b],
      [b, a],
    ] as const) {
      if (k.uniform === undefined || x.node?.operation !== multiplication || x.dtype !== 'float32') continue;
      const c = x.node.inputs.findIndex((input) => input.uniform !== undefined);
      if (c < 0) continue;
      const product = x.node.inputs[c].uniform! * k.uniform;
      // Two factors stay two where their product would overflow or lose digits.
      if (Math.abs(product) > 2 ** -126 && Math.abs(product) < 2 ** 127) return multiply(x.graph.readPast(x).node!.inputs[1 - c], product);
    }
    return undefined;
  },
  gradient: [(d, { inputs }) => multiply(d, inputs[1]), (d, { inputs }) => multiply(d, inputs[0])],
});

const division = elementwise({
  name: 'divide',
  onnx: 'Div',
  accepts: ['float32'],
  tensorflow: (tf, [a, b]) => tf.div(a, b),
  scalar: (a, b) => a / b,
  rewrite: ([a, b]) => (isOne(b) ? a : undefined),
  gradient: [(d, { inputs }) => divide(d, inputs[1]), (d, { inputs, outputs }) => negate(multiply(d, divide(outputs[0], inputs[1])))],
});

const exponentiation = elementwise({
  name: 'power',
  onnx: 'Pow',
  accepts: ['float32'],
  tensorflow: (tf, [a, b]) => tf.pow(a, b),
  scalar: (a, b) => a ** b,
  rewrite: ([a, b]) => (isOne(b) ? a : b.uniform === 2 ? multiply(a, a) : b.uniform === 0.5 ? sqrt(a) : undefined),
  gradient: [
    (d, { inputs: [a, b] }) => multiply(d, multiply(b, power(a, subtract(b, 1)))),
    (d, { inputs: [a], outputs: [y] }) => multiply(d, multiply(y, log(a))),
  ],
});

/** Where operands tie, each takes half of the cotangent. */
const extremum = (name: 'maximum' | 'minimum', onnx: 'Max' | 'Min') => {
  const share = (d: Value, mine: Value, other: Value) => {
    const wins = name === 'maximum' ? greater(mine, other) : greater(other, mine);
    return multiply(d, add(cast(wins, 'float32'), multiply(cast(equal(mine, other), 'float32'), 0.5)));
  };
  return elementwise({
    name,
    onnx,
    commutative: true,
    tensorflow: (tf, [a, b]) => tf[name](a, b),
    scalar: (a, b) => (name === 'maximum' ? Math.max(a, b) : Math.min(a, b)),
    gradient: [(d, { inputs: [a, b] }) => share(d, a, b), (d, { inputs: [a, b] }) => share(d, b, a)],
  });
};
const largest = extremum('maximum', 'Max');
const smallest = extremum('minimum', 'Min');

export const add = (a: Operand, b: Operand): Value => applyElementwise(addition, a, b);
export const subtract = (a: Operand, b: Operand): Value => applyElementwise(subtraction, a, b);
export const multiply = (a: Operand, b: Operand): Value => applyElementwise(multiplication, a, b);
export const divide = (a: Operand, b: Operand): Value => applyElementwise(division, a, b);
/** a to the power of b; the gradient in b needs a > 0. */
export const power = (a: Operand, b: Operand): Value => applyElementwise(exponentiation, a, b);
export const maximum = (a: Operand, b: Operand): Value => applyElementwise(largest, a, b);
export const minimum = (a: Operand, b: Operand): Value => applyElementwise(smallest, a, b);
/** x kept within [low, high]; the gradient passes inside and is halved on a bound. */
export const clip = (x: Value, low: number, high: number): Value => minimum(maximum(x, low), high);

export const arithmetic = [addition, subtraction, multiplication, division, exponentiation, largest, smallest];
