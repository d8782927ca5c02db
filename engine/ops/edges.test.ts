/** The edges of operations: infinities, ties, empty tensors, scalars; by both executors. */
import { afterAll, describe, expect, test } from 'vitest';
import { EXACT, expectClose } from '../base/testing/closeTo.ts';
import { evaluateOnce } from '../execute/executor.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { TensorFlowExecutor } from '../execute/tensorflow.ts';
import { symbol, type Shape } from '../graph/dimension.ts';
import { Graph } from '../graph/graph.ts';
import { program } from '../graph/program.ts';
import type { Value } from '../graph/value.ts';
import * as ops from './index.ts';

const executors = [new OnnxRuntimeExecutor(), new TensorFlowExecutor()];
afterAll(() => executors.forEach((executor) => executor.dispose()));
const rows = symbol('rows');

interface Fed {
  shape: Shape;
  sizes?: number[];
  data: Float32Array | Int32Array | Uint8Array;
}

/** Both executors' values of what `build` makes of the inputs are `expected`, to `absolute`. */
function expectBoth(inputs: Fed[], build: (...inputs: Value[]) => Value, expected: readonly number[], absolute = 0): void {
  const graph = new Graph();
  const values = inputs.map(({ shape, data }, i) =>
    graph.input(`x${i}`, shape, data instanceof Float32Array ? 'float32' : data instanceof Int32Array ? 'int32' : 'bool'),
  );
  const run = program({ y: build(...values), ...Object.fromEntries(values.map((value, i) => [`bind${i}`, value])) });
  const feeds = Object.fromEntries(inputs.map(({ shape, sizes, data }, i) => [`x${i}`, { data, shape: sizes ?? (shape as number[]) }]));
  for (const executor of executors) expectClose(evaluateOnce(executor, run, feeds).y.data, expected, { ...EXACT, absolute }, executor.name);
}

const floats = (shape: Shape, ...data: number[]): Fed => ({ shape, data: Float32Array.from(data) });

describe('infinities and NaN', () => {
  test('logSumExp of masked rows', () => {
    const x = floats([4, 2], -Infinity, 0.5, -Infinity, -Infinity, 1000, 1000, 1, Infinity);
    expectBoth([x], ops.logSumExp, [0.5, -Infinity, Math.fround(1000 + Math.LN2), Infinity], 1e-4);
    const masked = floats([2], -Infinity, 0.5);
    expectBoth([masked], (v) => ops.gradient(ops.logSumExp(v), [v])[0], [0, 1]);
  });

  test('a choice keeps what was not chosen out of the value; takeAlong reads infinities', () => {
    expectBoth([floats([3], -1, 0, 2)], (x) => ops.where(ops.greater(x, 0), ops.log(x), 7), [7, 7, Math.LN2], 1e-7);
    expectBoth([floats([1, 3], -Infinity, 1, Infinity), { shape: [1, 3], data: Int32Array.of(2, 0, 1) }], ops.takeAlong, [
      Infinity,
      -Infinity,
      1,
    ]);
  });

  test('NaN passes through arithmetic and the rectifier', () => {
    expectBoth([floats([3], NaN, -1, 2)], (x) => ops.add(ops.multiply(x, 2), 1), [NaN, -1, 5]);
    expectBoth([floats([3], NaN, -1, 2)], ops.relu, [NaN, 0, 2]);
    expectBoth([floats([2], NaN, 1)], (x) => ops.sum(x), [NaN]);
  });
});

describe('ties', () => {
  test('the first comes first', () => {
    const x = floats([1, 4], 2, 5, 5, 2);
    expectBoth([x], (v) => ops.argMax(v), [1]);
    expectBoth([x], (v) => ops.topK(v, 3).indices, [1, 2, 0]);
  });
});

describe('empty and scalar', () => {
  test('no axes reduce nothing, with and without rewriting', () => {
    for (const simplify of [true, false]) {
      const graph = new Graph({ simplify });
      const x = graph.input('x', [2]);
      const run = program({ a: ops.sum(x, { axes: [] }), b: ops.mean(x, { axes: [] }), c: ops.max(x, { axes: [], keep: true }) });
      for (const executor of executors)
        for (const { data } of Object.values(evaluateOnce(executor, run, { x: { shape: [2], data: Float32Array.of(3, 4) } })))
          expect([...data]).toEqual([3, 4]);
    }
  });

  test('a scalar reduces to itself', () => {
    for (const reduce of [ops.sum, ops.mean, ops.max, ops.min])
      expectBoth([floats([], 3)], (x) => ops.exp(ops.negate(reduce(x))), [Math.fround(Math.exp(-3))], 1e-7);
    expectBoth([floats([], 3)], (x) => ops.gradient(ops.square(ops.sum(x)), [x])[0], [6]);
  });

  test('no rows', () => {
    const none: Fed = { shape: [rows, 4], sizes: [0, 4], data: new Float32Array() };
    const weight = floats([4, 2], 1, 2, 3, 4, 5, 6, 7, 8);
    expectBoth([none, weight], (x, w) => ops.matmul(ops.relu(x), w), []);
    expectBoth([none, weight], (x, w) => ops.gradient(ops.sum(ops.square(ops.matmul(x, w))), [w])[0], Array(8).fill(0));
    expectBoth([none], (x) => ops.sum(x, { axes: [0] }), [0, 0, 0, 0]);
    expectBoth([none], (x) => ops.reshape(ops.transpose(x, [1, 0]), [2, 2, rows]), []);
  });

  test('a static axis of size 0', () => {
    const x = floats([2, 3], 1, 2, 3, 4, 5, 6);
    expectBoth([x], (v) => ops.reshape(ops.slice(v, 1, 2, 2), [0, 5, 7]), []);
    expectBoth([x], (v) => ops.concat([ops.slice(v, 1, 0, 0), v, ops.slice(v, 1, 3, 3)], 1), [1, 2, 3, 4, 5, 6]);
    expectBoth([x], (v) => ops.gradient(ops.add(ops.sum(ops.square(ops.slice(v, 0, 1, 1))), ops.sum(v)), [v])[0], Array(6).fill(1));
    expect(ops.mean(new Graph().uniform(1, [0])).uniform).toBeNaN();
    expect(ops.sum(new Graph().uniform(1, [0])).uniform).toBe(0);
  });
});

test('gather reads from the end for negative indices only where ONNX Runtime does: indices are held to be in range', () => {
  expectBoth([{ shape: [3], data: Int32Array.of(-1, 4, 2) }], (i) => ops.oneHot(i, 4), [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0]);
});
