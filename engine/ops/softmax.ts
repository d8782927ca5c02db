/** Softmax and its logarithm over the last axis. */
import { ShapeError, type Operation, type TensorFlow } from '../graph/operation.ts';
import type { Value } from '../graph/value.ts';
import type { Tensor } from '@tensorflow/tfjs-core';
import { add, multiply, subtract } from './arithmetic.ts';
import { stopGradient } from './control.ts';
import { absoluteValue, exp, log } from './functions.ts';
import { reshape } from './layout.ts';
import { equal, where } from './logic.ts';
import { max, sum } from './reduce.ts';

const overLastAxis = (
  name: string,
  onnx: string,
  tensorflow: (tf: TensorFlow, x: Tensor) => Tensor,
  derivative: (d: Value, y: Value) => Value,
): Operation => ({
  name,
  infer([x]) {
    if (x.rank < 1 || x.dtype !== 'float32') throw new ShapeError(name, 'takes float32 with at least one axis', [x]);
    return [x];
  },
  gradient: ({ outputs }, [d]) => [d && derivative(d, outputs[0])],
  along: (node, axis) => (axis === node.outputs[0].rank - 1 ? null : [axis]),
  onnx: (context) => context.result(0, context.emit(onnx, context.inputs, { axis: -1 })[0]),
  tensorflow: ({ tf }, [x]) => tensorflow(tf, x),
});

const normalisation = overLastAxis(
  'softmax',
  'Softmax',
  (tf, x) => tf.softmax(x),
  (d, y) => {
    const weighted = multiply(d, y);
    return subtract(weighted, multiply(y, sum(weighted, { axes: [-1], keep: true })));
  },
);
const logNormalisation = overLastAxis(
  'logSoftmax',
  'LogSoftmax',
  (tf, x) => tf.logSoftmax(x),
  (d, y) => subtract(d, multiply(exp(y), sum(d, { axes: [-1], keep: true }))),
);

export const softmax = (x: Value): Value => x.graph.apply(normalisation, [x])[0];
export const logSoftmax = (x: Value): Value => x.graph.apply(logNormalisation, [x])[0];

/** log Σ exp over the last axis, safe for large entries, −∞ for a row of −∞: [..., n] → [...]. */
export function logSumExp(x: Value): Value {
  const largest = max(x, { axes: [-1], keep: true });
  // An infinite peak would give ∞ − ∞.
  const peak = stopGradient(where(equal(absoluteValue(largest), Infinity), 0, largest));
  const shifted = log(sum(exp(subtract(x, peak)), { axes: [-1] }));
  return add(shifted, reshape(peak, shifted.shape));
}

export const normalisations = [normalisation, logNormalisation];
