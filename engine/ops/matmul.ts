/** Matrix product over the last two axes, with transposes, a scale and a bias folded in. */
import { sameShape } from '../graph/dimension.ts';
import type { Tensor } from '@tensorflow/tfjs-core';
import { ShapeError, type OnnxContext, type Operation } from '../graph/operation.ts';
import type { Node, Value } from '../graph/value.ts';
import { broadcastShape, sumTo } from './elementwise.ts';
import { mergeAxes } from './layout.ts';

export interface MatmulOptions {
  transposeA?: boolean;
  transposeB?: boolean;
  /** The product is multiplied by this before the bias is added. */
  scale?: number;
  /** [n], added to every row of the result. */
  bias?: Value | undefined;
}

interface Flags {
  transposeA: boolean;
  transposeB: boolean;
  scale: number;
}

const multiplication: Operation = {
  name: 'matmul',
  infer(inputs, attributes) {
    const [a, b, bias] = inputs;
    const { transposeA, transposeB } = attributes as unknown as Flags;
    if (a.rank < 2 || b.rank < 2) throw new ShapeError('matmul', 'both factors must have at least two axes', inputs);
    if (inputs.some((input) => input.dtype !== 'float32')) throw new ShapeError('matmul', 'takes float32', inputs);
    const [m, k] = transposeA ? [a.shape.at(-1)!, a.shape.at(-2)!] : [a.shape.at(-2)!, a.shape.at(-1)!];
    const [l, n] = transposeB ? [b.shape.at(-1)!, b.shape.at(-2)!] : [b.shape.at(-2)!, b.shape.at(-1)!];
    if (k !== l) throw new ShapeError('matmul', `the inner dimensions must agree (${String(k)} and ${String(l)})`, inputs);
    const batch = broadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
    if (!batch) throw new ShapeError('matmul', 'the leading dimensions must broadcast', inputs);
    if (bias && !sameShape(bias.shape, [n])) throw new ShapeError('matmul', `the bias must have shape [${String(n)}]`, inputs);
    return [{ shape: [...batch, m, n], dtype: 'float32' }];
  },
  simplify(inputs, _attributes, [type]) {
    return inputs.slice(0, 2).some((input) => input.uniform === 0) && inputs.length === 2
      ? inputs[0].graph.uniform(0, type.shape)
      : undefined;
  },
  gradient({ inputs: [a, b, bias], attributes, wanted }, [d]) {
    if (!d) return [];
    const { transposeA, transposeB, scale } = attributes as unknown as Flags;
    const shared = b.rank === 2 && a.rank > 2 && !transposeA;
    const [rows, rowsD] = shared ? [mergeAxes(a, 0, a.rank - 1), mergeAxes(d, 0, d.rank - 1)] : [a, d];
    return [
      wanted(0)
        ? sumTo(
            transposeA
              ? matmul(b, d, { transposeA: transposeB, transposeB: true, scale })
              : matmul(d, b, { transposeB: !transposeB, scale }),
            a.shape,
          )
        : undefined,
      wanted(1)
        ? sumTo(
            transposeB
              ? matmul(rowsD, rows, { transposeA: true, transposeB: transposeA, scale })
              : matmul(rows, rowsD, { transposeA: !transposeA, scale }),
            b.shape,
          )
        : undefined,
      bias && wanted(2) ? sumTo(d, bias.shape) : undefined,
    ];
  },
  along(node, axis) {
    const { inputs, outputs, attributes } = node;
    const [a, b, bias] = inputs as [Value, Value, Value | undefined];
    const { rank, shape } = outputs[0];
    const rest = bias ? [undefined] : [];
    if (axis === rank - 2) return [attributes.transposeA ? a.rank - 1 : a.rank - 2, undefined, ...rest];
    if (axis === rank - 1) return bias ? null : [undefined, attributes.transposeB ? b.rank - 2 : b.rank - 1];
    const batch = (input: Value) => {
      const own = axis - (rank - input.rank);
      return own >= 0 && input.shape[own] === shape[axis] ? own : undefined;
    };
    return [batch(a), batch(b), ...rest];
  },
  onnx(context, node) {
    context.result(0, writeMatmul(context, node));
  },
  tensorflow({ tf, sizes }, [a, b, bias], node) {
    const { transposeA, transposeB, scale } = node.attributes as unknown as Flags;
    const batch = sizes(node.outputs[0].shape.slice(0, -2));
    // Spelt out: the cpu backend counts through broadcast batches wrongly where both factors stretch.
    const full = (x: Tensor) => tf.broadcastTo(x, [...batch, ...x.shape.slice(-2)]);
    let y = tf.matMul(full(a), full(b), transposeA, transposeB);
    if (scale !== 1) y = tf.mul(y, scale);
    return bias ? tf.add(y, bias) : y;
  },
};

/**
 * One Gemm where the second factor is a matrix (rows merged into one axis), else a batched product. Batched transposes and scales are
 * free in com.microsoft.FusedMatMul; a portable graph spells them out.
 */
function writeMatmul(context: OnnxContext, node: Node): string {
  const [a, b] = node.inputs as [Value, Value];
  const { transposeA, transposeB, scale } = node.attributes as unknown as Flags;
  const [nameA, nameB, bias] = context.inputs as [string, string, string | undefined];
  const { shape } = node.outputs[0];
  const matrices = a.rank === 2 && b.rank === 2;
  const width = a.shape.at(-1)!;
  const rowsByMatrix = b.rank === 2 && !transposeA && bias !== undefined && typeof width === 'number';
  if (matrices || rowsByMatrix) {
    const flat = matrices ? nameA : context.emit('Reshape', [nameA, context.ints([-1, width as number])])[0];
    if (matrices && !transposeA && !transposeB && scale === 1 && bias === undefined) return context.emit('MatMul', [flat, nameB])[0];
    const [y] = context.emit('Gemm', [flat, nameB, ...(bias === undefined ? [] : [bias])], {
      transA: Number(transposeA),
      transB: Number(transposeB),
      alpha: { float: scale },
    });
    return matrices ? y : context.emit('Reshape', [y, context.reshapeTarget(shape, [])])[0];
  }
  let y: string;
  if (!transposeA && !transposeB && scale === 1) y = context.emit('MatMul', [nameA, nameB])[0]!;
  else if (context.target === 'fast')
    y = context.emit(
      'FusedMatMul',
      [nameA, nameB],
      { transA: Number(transposeA), transB: Number(transposeB), alpha: { float: scale } },
      { domain: 'com.microsoft' },
    )[0]!;
  else {
    const swap = (name: string, rank: number) =>
      context.emit('Transpose', [name], { perm: [...Array(rank - 2).keys(), rank - 1, rank - 2] })[0];
    y = context.emit('MatMul', [transposeA ? swap(nameA, a.rank) : nameA, transposeB ? swap(nameB, b.rank) : nameB])[0]!;
    if (scale !== 1) y = context.emit('Mul', [y, context.scalar(scale)])[0]!;
  }
  return bias === undefined ? y : context.emit('Add', [y, bias])[0];
}

/** [..., m, k] × [..., k, n] → [..., m, n]; leading axes broadcast. */
export function matmul(a: Value, b: Value, { transposeA = false, transposeB = false, scale = 1, bias }: MatmulOptions = {}): Value {
  const inputs = bias ? [a, b, bias] : [a, b];
  return a.graph.apply(multiplication, inputs, { transposeA, transposeB, scale })[0];
}

export const products = [multiplication];
