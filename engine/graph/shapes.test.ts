/** Mistakes are found when the graph is built, and named: operation, rule, shapes. */
import { describe, expect, test } from 'vitest';
import * as ops from '../ops/index.ts';
import { symbol } from './dimension.ts';
import { Graph } from './graph.ts';
import { ShapeError } from './operation.ts';
import type { Value } from './value.ts';

const graph = new Graph();
const rows = symbol('rows');
const x = graph.input('x', [rows, 4]);
const y = graph.input('y', [3]);
const z = graph.input('z', [2, 4]);
const scalar = graph.input('scalar', []);
const whole = graph.input('whole', [2, 4], 'int32');
const truth = graph.input('truth', [2, 4], 'bool');
const gain = graph.input('gain', [4]);

const binary = {
  add: ops.add,
  subtract: ops.subtract,
  multiply: ops.multiply,
  maximum: ops.maximum,
  minimum: ops.minimum,
  greater: ops.greater,
  greaterEqual: ops.greaterEqual,
  less: ops.less,
  lessEqual: ops.lessEqual,
  equal: ops.equal,
};
const unary = {
  absolute: ops.absoluteValue,
  sign: ops.sign,
  floor: ops.floor,
  exp: ops.exp,
  log: ops.log,
  sqrt: ops.sqrt,
  reciprocal: ops.reciprocal,
  sin: ops.sin,
  cos: ops.cos,
  erf: ops.erf,
  tanh: ops.tanh,
  sigmoid: ops.sigmoid,
  relu: ops.relu,
  softplus: ops.softplus,
  gelu: (v: Value) => ops.gelu(v),
  geluExact: (v: Value) => ops.gelu(v, { exact: true }),
};
const reducing = { sum: ops.sum, mean: ops.mean, max: ops.max, min: ops.min };

const mistakes: [build: () => unknown, message: string][] = [
  ...Object.entries(binary).flatMap<[() => unknown, string]>(([name, build]) => [
    [() => build(x, y), `${name}: shapes must broadcast (trailing axes equal, or 1), got float32[rows, 4] and float32[3]`],
    [() => build(x, whole), `${name}: inputs must all be float32 or all int32, got float32[rows, 4] and int32[2, 4]`],
  ]),
  ...Object.entries({ divide: ops.divide, power: ops.power }).flatMap<[() => unknown, string]>(([name, build]) => [
    [() => build(x, y), `${name}: shapes must broadcast (trailing axes equal, or 1), got float32[rows, 4] and float32[3]`],
    [() => build(whole, whole), `${name}: inputs must all be float32, got int32[2, 4] and int32[2, 4]`],
  ]),
  [() => ops.add(x, z), 'add: shapes must broadcast (trailing axes equal, or 1), got float32[rows, 4] and float32[2, 4]'],
  [() => ops.add(1, 2), 'add: one operand must be a value of a graph, got 1 and 2'],
  ...Object.entries(unary).map<[() => unknown, string]>(([name, build]) => [
    () => build(whole),
    `${name}: inputs must all be float32, got int32[2, 4]`,
  ]),
  [() => ops.negate(truth), 'negate: inputs must all be float32 or all int32, got bool[2, 4]'],
  [() => ops.and(truth, x), 'and: inputs must all be bool, got bool[2, 4] and float32[rows, 4]'],
  [() => ops.or(x, truth), 'or: inputs must all be bool, got float32[rows, 4] and bool[2, 4]'],
  [() => ops.not(x), 'not: inputs must all be bool, got float32[rows, 4]'],
  [() => ops.where(x, x, x), 'where: takes bool and two of one dtype, got float32[rows, 4] and float32[rows, 4] and float32[rows, 4]'],
  [() => ops.where(truth, z, whole), 'where: takes bool and two of one dtype, got bool[2, 4] and float32[2, 4] and int32[2, 4]'],
  [() => ops.where(truth, y, 0), 'where: shapes must broadcast (trailing axes equal, or 1), got bool[2, 4] and float32[3] and float32[]'],
  ...Object.entries(reducing).flatMap<[() => unknown, string]>(([name, build]) => [
    [() => build(whole), `${name}: takes float32, got int32[2, 4]`],
    [() => build(x, { axes: [2] }), `${name}: axes must be different and in [-2, 1], not [2], got float32[rows, 4]`],
    [() => build(x, { axes: [0, -2] }), `${name}: axes must be different and in [-2, 1], not [0, -2], got float32[rows, 4]`],
    [() => build(scalar, { axes: [-1] }), `${name}: a scalar has no axes, got float32[]`],
  ]),
  [() => ops.max(graph.input('empty', [2, 0])), 'max: an empty axis has no extremum, got float32[2, 0]'],
  [() => ops.argMax(whole), 'argMax: takes float32, got int32[2, 4]'],
  [() => ops.argMax(x, 2), 'argMax: axes must be different and in [-2, 1], not [2], got float32[rows, 4]'],
  [() => ops.matmul(x, z), 'matmul: the inner dimensions must agree (4 and 2), got float32[rows, 4] and float32[2, 4]'],
  [
    () => ops.matmul(x, z, { transposeA: true }),
    'matmul: the inner dimensions must agree (rows and 2), got float32[rows, 4] and float32[2, 4]',
  ],
  [() => ops.matmul(x, y), 'matmul: both factors must have at least two axes, got float32[rows, 4] and float32[3]'],
  [() => ops.matmul(x, whole, { transposeB: true }), 'matmul: takes float32, got float32[rows, 4] and int32[2, 4]'],
  [
    () => ops.matmul(x, z, { transposeB: true, bias: y }),
    'matmul: the bias must have shape [2], got float32[rows, 4] and float32[2, 4] and float32[3]',
  ],
  [
    () => ops.matmul(ops.reshape(z, [2, 2, 2]), graph.input('b', [3, 2, 2])),
    'matmul: the leading dimensions must broadcast, got float32[2, 2, 2] and float32[3, 2, 2]',
  ],
  [() => ops.softmax(scalar), 'softmax: takes float32 with at least one axis, got float32[]'],
  [() => ops.logSoftmax(whole), 'logSoftmax: takes float32 with at least one axis, got int32[2, 4]'],
  [() => ops.logSumExp(scalar), 'max: a scalar has no axes, got float32[]'],
  [
    () => ops.layerNorm(x, y, gain),
    'layerNorm: gain and bias must have the shape [4] of the last axis, got float32[rows, 4] and float32[3] and float32[4]',
  ],
  [() => ops.layerNorm(whole, gain, gain), 'layerNorm: takes float32, got int32[2, 4] and float32[4] and float32[4]'],
  [() => ops.rmsNorm(x, y), 'rmsNorm: gain must have the shape [4] of the last axis, got float32[rows, 4] and float32[3]'],
  [() => ops.reshape(x, [rows, 2]), 'reshape: both shapes must have the same number of elements, got [rows, 4] and [rows, 2]'],
  [() => ops.reshape(z, [-2, -4]), 'reshape: a shape must hold whole numbers ≥ 0 or symbols, got [-2, -4]'],
  [() => ops.transpose(x, [0, 0]), 'transpose: order must hold each axis once, not [0, 0], got float32[rows, 4]'],
  [() => ops.broadcastTo(x, [4, rows]), 'broadcast: the shape must stretch to the target, got [rows, 4] and [4, rows]'],
  [() => ops.mergeAxes(x, 1, 3), 'mergeAxes: [1, 3) must be axes, got float32[rows, 4]'],
  [() => ops.expandAxis(x, 3), 'expandAxis: axis must be in [-3, 2], not 3, got float32[rows, 4]'],
  [() => ops.concat([x, z], 1), 'concat: all dimensions but axis 1 must agree, got float32[rows, 4] and float32[2, 4]'],
  [() => ops.concat([], 0), 'concat: takes at least one value, got none'],
  [() => ops.split(x, 1, [1, 2]), 'split: sizes [1, 2] must add up to axis 1, got float32[rows, 4]'],
  [() => ops.split(x, 1, [3]), 'split: sizes [3] must add up to axis 1, got float32[rows, 4]'],
  [() => ops.split(x, 1, [5, -1]), 'split: sizes must be whole numbers ≥ 0, not [5, -1], got float32[rows, 4]'],
  [() => ops.slice(x, 1, 2, 5), 'slice: [2, 5) must lie within axis 1 of size 4, got float32[rows, 4]'],
  [() => ops.slice(x, 0, -1, rows), 'slice: [-1, rows) must lie within axis 0 of size rows, got float32[rows, 4]'],
  [() => ops.pad(x, 0, 1, -1), 'pad: widths must be whole numbers ≥ 0, not 1 and -1, got float32[rows, 4]'],
  [() => ops.gather(x, y), 'gather: indices must be int32, got float32[3]'],
  [() => ops.gather(x, whole, 2), 'gather: axes must be different and in [-2, 1], not [2], got float32[rows, 4]'],
  [() => ops.topK(x, 5), 'topK: k must be an integer in [1, 4], not 5, got float32[rows, 4]'],
  [() => ops.topK(scalar, 1), 'topK: takes float32 with at least one axis, got float32[]'],
  [
    () => ops.takeAlong(x, whole),
    'takeAlong: indices must agree with the values but for the last axis, got float32[rows, 4] and int32[2, 4]',
  ],
  [() => ops.takeAlong(x, x), 'takeAlong: indices must be int32, got float32[rows, 4]'],
  [() => ops.oneHot(x, 3), 'oneHot: indices must be int32, got float32[rows, 4]'],
  [() => ops.scatterAdd(whole, x, 3), 'scatterAdd: updates must begin with the shape of the indices, got int32[2, 4] and float32[rows, 4]'],
  [() => ops.scatterAdd(whole, z, rows), 'scatterAdd: the number of rows must be known, got rows'],
  [() => ops.spreadAlong(z, whole, rows), 'spreadAlong: the width must be known, got rows'],
  [() => ops.straightThrough(x, z), 'straightThrough: both values must be float32 of one shape, got float32[rows, 4] and float32[2, 4]'],
  [() => ops.add(x, new Graph().input('x', [4])), 'add: inputs must belong to one graph, got "values of two graphs"'],
  [() => graph.input('x', [2]), 'graph.input: name must be new in this graph, got "x"'],
  [() => graph.input('bad', [1.5]), 'graph.input: shape of bad must hold whole numbers ≥ 0 or symbols, got "[1.5]"'],
  [() => graph.constant(Float32Array.of(1, 2), [3]), 'graph.constant: data must have the 3 elements of [3], got 2'],
  [() => [ops.site('mark', x), ops.site('mark', y)], 'site: name must be new in this graph, got "mark"'],
];

describe('mistakes in shapes', () => {
  test.each(mistakes.map(([build, message]) => [message, build] as const))('%s', (message, build) => {
    expect(build).toThrow(expect.objectContaining({ message }) as Error);
  });

  test('every operation with a rule of its own is here', () => {
    const named = new Set(mistakes.map(([, message]) => message.slice(0, message.indexOf(':'))));
    const without = ['cast', 'size', 'stopGradient']; // these take whatever they are given
    expect(ops.operations.map(({ name }) => name).filter((name) => !named.has(name))).toEqual(without);
  });

  test('a ShapeError carries its parts', () => {
    expect.assertions(3);
    try {
      ops.matmul(x, y);
    } catch (error) {
      expect(error).toBeInstanceOf(ShapeError);
      expect((error as ShapeError).field).toBe('matmul: inputs');
      expect((error as ShapeError).rule).toBe('both factors must have at least two axes');
    }
  });
});
