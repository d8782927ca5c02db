/** The TensorFlow.js executor beyond what every operation's test says of it: nothing leaks, every dtype, constants of all kinds. */
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { Graph } from '../graph/graph.ts';
import { program } from '../graph/program.ts';
import { add, cast, concat, greater, multiply } from '../ops/index.ts';
import { TensorFlowExecutor } from './tensorflow.ts';

test('a run leaves no tensor behind, a failed one neither', () => {
  const graph = new Graph();
  const x = graph.input('x', [2]);
  const compiled = new TensorFlowExecutor().compile(
    program({ y: add(multiply(x, x), graph.constant(Float32Array.of(1, 2), [2])), z: greater(x, 1) }),
  );
  const before = tf.memory().numTensors;
  const { y, z } = compiled.run({ x: { shape: [2], data: Float32Array.of(1, 2) } });
  expect([y.data, z.data]).toEqual([Float32Array.of(2, 6), Uint8Array.of(0, 1)]);
  expect(() => compiled.run({ x: { shape: [2], data: new Float32Array(1) } })).toThrow('run: input x');
  expect(tf.memory().numTensors).toBe(before);
});

test('constants of every dtype', () => {
  const graph = new Graph();
  const x = graph.input('x', [1], 'int32');
  const truth = concat([graph.constant(Uint8Array.of(1, 0), [2]), graph.uniform(1, [1], 'bool')], 0);
  const whole = concat([x, graph.constant(Int32Array.of(7, -7), [2])], 0);
  const results = new TensorFlowExecutor()
    .compile(program({ truth, whole, both: add(cast(truth, 'int32'), whole) }))
    .run({ x: { shape: [1], data: Int32Array.of(3) } });
  expect(Object.values(results).map(({ data }) => data)).toEqual([
    Uint8Array.of(1, 0, 1),
    Int32Array.of(3, 7, -7),
    Int32Array.of(4, 7, -6),
  ]);
});

test('an unknown backend is refused', () => {
  expect(() => new TensorFlowExecutor(tf, 'abacus')).toThrow('tensorflow: backend must be registered, got "abacus"');
});
