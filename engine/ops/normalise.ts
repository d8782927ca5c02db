/** Layer norm and RMS norm over the last axis. */
import { sameShape } from '../graph/dimension.ts';
import { ShapeError, type Operation } from '../graph/operation.ts';
import type { Value } from '../graph/value.ts';
import { add, divide, multiply, subtract } from './arithmetic.ts';
import { sumTo } from './elementwise.ts';
import { broadcastTo } from './layout.ts';
import { mean, sizeOf } from './reduce.ts';

/** Outputs: the normalised value, and per row the mean and 1/σ, which its gradient uses and may itself be differentiated through. */
const layerNormalisation: Operation = {
  name: 'layerNorm',
  infer(inputs) {
    const [x, gain, bias] = inputs;
    const width = x.shape.at(-1);
    if (inputs.some((input) => input.dtype !== 'float32')) throw new ShapeError('layerNorm', 'takes float32', inputs);
    if (width === undefined || ![gain, bias].every((p) => sameShape(p.shape, [width])))
      throw new ShapeError('layerNorm', `gain and bias must have the shape [${String(width)}] of the last axis`, inputs);
    const perRow = { shape: [...x.shape.slice(0, -1), 1], dtype: 'float32' as const };
    return [{ shape: x.shape, dtype: 'float32' }, perRow, perRow];
  },
  gradient({ inputs: [x, gain, bias], outputs: [, average, inverse], wanted }, [d, dAverage, dInverse]) {
    const rows = { axes: [-1], keep: true };
    const centred = subtract(x, average);
    const unit = multiply(centred, inverse);
    const terms: Value[] = [];
    if (wanted(0)) {
      if (d) {
        const h = multiply(d, gain);
        terms.push(multiply(subtract(subtract(h, mean(h, rows)), multiply(unit, mean(multiply(h, unit), rows))), inverse));
      }
      const width = sizeOf(x.graph, x.shape.at(-1)!);
      if (dAverage) terms.push(broadcastTo(divide(dAverage, width), x.shape));
      if (dInverse)
        terms.push(multiply(centred, divide(multiply(dInverse, multiply(inverse, multiply(inverse, inverse))), multiply(width, -1))));
    }
    return [
      terms.length > 0 ? terms.reduce((a, b) => add(a, b)) : undefined,
      d && wanted(1) ? sumTo(multiply(d, unit), gain.shape) : undefined,
      d && wanted(2) ? sumTo(d, bias.shape) : undefined,
    ];
  },
  along: (node, axis) => (axis === node.outputs[0].rank - 1 ? null : [axis, undefined, undefined]),
  onnx(context, node) {
    const outputs = context.emit(
      'LayerNormalization',
      context.inputs,
      { axis: -1, epsilon: { float: node.attributes.epsilon as number } },
      { count: 3 },
    );
    outputs.forEach((name, slot) => context.result(slot, name));
  },
  tensorflow({ tf }, [x, gain, bias], node) {
    const average = tf.mean(x, -1, true);
    const centred = tf.sub(x, average);
    const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), node.attributes.epsilon as number));
    return [tf.add(tf.mul(tf.mul(centred, inverse), gain), bias), average, inverse];
  },
};

/** Outputs: the normalised value, and per row 1 over its root mean square. One pass of ONNX Runtime's where seven small ones would do. */
const rmsNormalisation: Operation = {
  name: 'rmsNorm',
  infer(inputs) {
    const [x, gain] = inputs;
    const width = x.shape.at(-1);
    if (inputs.some((input) => input.dtype !== 'float32')) throw new ShapeError('rmsNorm', 'takes float32', inputs);
    if (width === undefined || !sameShape(gain.shape, [width]))
      throw new ShapeError('rmsNorm', `gain must have the shape [${String(width)}] of the last axis`, inputs);
    return [
      { shape: x.shape, dtype: 'float32' },
      { shape: [...x.shape.slice(0, -1), 1], dtype: 'float32' },
    ];
  },
  gradient({ inputs: [x, gain], outputs: [, inverse], wanted }, [d, dInverse]) {
    const rows = { axes: [-1], keep: true };
    const unit = multiply(x, inverse);
    const terms: Value[] = [];
    if (wanted(0)) {
      if (d) {
        const h = multiply(d, gain);
        terms.push(multiply(subtract(h, multiply(unit, mean(multiply(h, unit), rows))), inverse));
      }
      if (dInverse) {
        const cube = multiply(inverse, multiply(inverse, inverse));
        terms.push(multiply(x, divide(multiply(dInverse, cube), multiply(sizeOf(x.graph, x.shape.at(-1)!), -1))));
      }
    }
    return [
      terms.length > 0 ? terms.reduce((a, b) => add(a, b)) : undefined,
      d && wanted(1) ? sumTo(multiply(d, unit), gain.shape) : undefined,
    ];
  },
  along: (node, axis) => (axis === node.outputs[0].rank - 1 ? null : [axis, undefined]),
  onnx(context, node) {
    const epsilon = node.attributes.epsilon as number;
    const [x, gain] = context.inputs;
    if (context.target === 'fast') {
      const outputs = context.emit('SimplifiedLayerNormalization', [x, gain], { axis: -1, epsilon: { float: epsilon } }, { count: 2 });
      outputs.forEach((name, slot) => context.result(slot, name));
      return;
    }
    const [square] = context.emit('Mul', [x, x]);
    const [average] = context.emit('ReduceMean', [square, context.ints([-1])], { keepdims: 1 });
    const [root] = context.emit('Sqrt', context.emit('Add', [average, context.scalar(epsilon)]));
    const [inverse] = context.emit('Reciprocal', [root]);
    context.result(0, context.emit('Mul', [context.emit('Mul', [x, inverse])[0], gain])[0]);
    context.result(1, inverse);
  },
  tensorflow({ tf }, [x, gain], node) {
    const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), node.attributes.epsilon as number));
    return [tf.mul(tf.mul(x, inverse), gain), inverse];
  },
};

/** A norm, and 1/σ of each row (or 1 over its root mean square) with an axis of 1. */
export interface Normalised {
  readonly value: Value;
  readonly inverse: Value;
}

export function layerNormParts(x: Value, gain: Value, bias: Value, epsilon = 1e-5): Normalised {
  const [value, , inverse] = x.graph.apply(layerNormalisation, [x, gain, bias], { epsilon });
  return { value, inverse };
}

export function rmsNormParts(x: Value, gain: Value, epsilon = 1e-6): Normalised {
  const [value, inverse] = x.graph.apply(rmsNormalisation, [x, gain], { epsilon });
  return { value, inverse };
}

/** (x − mean) / √(var + ε) · gain + bias over the last axis; gain and bias [width]. */
export const layerNorm = (x: Value, gain: Value, bias: Value, epsilon?: number): Value => layerNormParts(x, gain, bias, epsilon).value;

/** x / √(mean(x²) + ε) · gain over the last axis; gain [width]. */
export const rmsNorm = (x: Value, gain: Value, epsilon?: number): Value => rmsNormParts(x, gain, epsilon).value;

export const norms = [layerNormalisation, rmsNormalisation];
