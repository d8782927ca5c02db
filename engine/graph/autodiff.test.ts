/** Differentiation as such: what it refuses, what stops or replaces it, and that it is closed under itself. */
import { describe, expect, test } from 'vitest';
import { expectClose } from '../base/testing/closeTo.ts';
import { evaluateOnce } from '../execute/executor.ts';
import { TensorFlowExecutor } from '../execute/tensorflow.ts';
import * as ops from '../ops/index.ts';
import { symbol } from './dimension.ts';
import { Graph } from './graph.ts';
import { program } from './program.ts';
import type { Value } from './value.ts';

const tensorflow = new TensorFlowExecutor();
const rows = symbol('rows');

function setting() {
  const graph = new Graph();
  return { graph, x: graph.input('x', [rows, 2]), feeds: { x: { shape: [2, 2], data: Float32Array.of(0.5, -1, 2, 0.25) } } };
}
const evaluate = (outputs: Record<string, Value>, { x, feeds }: ReturnType<typeof setting>) =>
  evaluateOnce(tensorflow, program({ ...outputs, bind: ops.sin(x) }), feeds);
/** One rounding of each of a few operations. */
const ROUNDED = { relative: 1e-6, absolute: 1e-6 };

describe('gradient', () => {
  test('refuses what it cannot differentiate', () => {
    const { graph, x } = setting();
    const whole = graph.input('whole', [2], 'int32');
    expect(() => ops.gradient(whole, [x])).toThrow('gradient: y must be float32, got "int32"');
    expect(() => ops.gradient(ops.exp(x), [whole])).toThrow('gradient: wrt must be float32, got "int32"');
    expect(() => ops.gradient(x, [x], graph.uniform(1))).toThrow('gradient: seed must have the shape [rows, 2] of y, got "[]"');
    expect(() => ops.gradient(x, [new Graph().input('x', [2])])).toThrow(
      'gradient: wrt must belong to the graph of y, got "a value of another graph"',
    );
    expect(() => ops.gradient(ops.add(x, 1), [graph.uniform(1)])).toThrow(
      'gradient: wrt must not be a constant, nor what a rewrite has read past: mark it with site(), got "float32[]"',
    );
    expect(() => ops.hessianVectorProduct(ops.sum(x), [x], [graph.uniform(1)])).toThrow(
      'hessianVectorProduct: vector 0 must have the type float32[rows, 2], got "float32[]"',
    );
  });

  test.each<[string, (x: Value) => Value, (v: Value) => Value]>([
    ['a broadcast', (x) => ops.broadcastTo(x, [3, rows, 2]), (v) => ops.exp(v)],
    ['a reshape', (x) => ops.reshape(x, [2, rows]), (v) => ops.exp(ops.reshape(v, [rows, 2]))],
    ['a transpose', (x) => ops.transpose(x, [1, 0]), (v) => ops.exp(ops.transpose(v, [1, 0]))],
    ['a negation', (x) => ops.negate(x), (v) => ops.exp(ops.negate(v))],
    ['a multiple', (x) => ops.multiply(x, 2), (v) => ops.exp(ops.multiply(v, 3))],
  ])('never gives zeros for %s that a rewrite has read past', (_name, make, use) => {
    const given = setting();
    const value = make(given.x);
    const y = ops.sum(use(value));
    expect(() => ops.gradient(y, [value])).toThrow('mark it with site()');
    expect(() => program({ y }, { cut: value })).toThrow(
      'program: cut cut must not be a constant, nor what a rewrite has read past: mark it with site()',
    );
    const marked = ops.site('value', make(ops.sin(given.x)));
    const [g] = ops.gradient(ops.sum(use(marked)), [marked]);
    const plain = new Graph({ simplify: false });
    const x = plain.input('x', [rows, 2]);
    const [expected] = ops.gradient(ops.sum(use(make(ops.sin(x)))), [x]);
    // d/dx of the same expression in a graph without rewrites, by the chain rule through the marked value.
    const [chained] = ops.gradient(marked, [given.x], g);
    expectClose(
      evaluate({ chained }, given).chained.data,
      evaluateOnce(tensorflow, program({ expected, bind: ops.sin(x) }), given.feeds).expected.data,
      ROUNDED,
      'slope',
    );
  });

  test('is zero where y does not depend, and sums over every use', () => {
    const given = setting();
    const { graph, x } = given;
    const other = graph.input('other', [3]);
    expect(ops.gradient(ops.sum(x), [other])[0].uniform).toBe(0);
    const y = ops.sum(ops.add(ops.multiply(x, x), ops.multiply(x, ops.sum(ops.matmul(x, x, { transposeA: true })))));
    const [g] = ops.gradient(y, [x]);
    // y = Σ x² + Σx · Σ_ij Σ_r x_ri x_rj: 2x + S + 2 · total · (row sums)
    const [a, b, c, d] = given.feeds.x.data;
    const total = a + b + c + d;
    const S = (a + b) ** 2 + (c + d) ** 2;
    const expected = [a, b, c, d].map((v, i) => 2 * v + S + 2 * total * (i < 2 ? a + b : c + d));
    expectClose(evaluate({ g }, given).g.data, expected, ROUNDED, 'slope');
  });

  test('extrema share their slope where they tie', () => {
    const graph = new Graph();
    const x = graph.input('x', [4]);
    const feeds = { x: { shape: [4], data: Float32Array.of(1, 3, 3, 2) } };
    const run = (y: Value) => [...evaluateOnce(tensorflow, program({ g: ops.gradient(y, [x])[0], bind: ops.sin(x) }), feeds).g.data];
    expect(run(ops.max(x))).toEqual([0, 0.5, 0.5, 0]);
    expect(run(ops.maximum(x, 3))).toEqual([0, 0.5, 0.5, 0]);
    expect(run(ops.maximum(x, x))).toEqual([1, 1, 1, 1]);
    expect(run(ops.clip(x, 1, 2.5))).toEqual([0.5, 0, 0, 1]);
    expect(run(ops.relu(ops.subtract(x, 3)))).toEqual([0, 0, 0, 0]);
  });

  test('asks no rule of a node whose inputs nobody wants', () => {
    const { graph, x } = setting();
    let asked = 0;
    const hidden = ops.customGradient(ops.matmul(x, graph.input('w', [2, 2])), [x], (d) => {
      asked++;
      return [d];
    });
    const y = ops.sum(ops.square(hidden));
    const [g] = ops.gradient(y, [hidden]);
    expect(program({ g }).nodes.map((node) => node.operation.name)).toEqual(['matmul', 'customGradient', 'add']); // 1·h + 1·h
    expect(asked).toBe(0);
    ops.gradient(y, [hidden, x]);
    expect(asked).toBe(1);
  });
});

describe('steering', () => {
  test('stopGradient', () => {
    const given = setting();
    const [g] = ops.gradient(ops.sum(ops.multiply(given.x, ops.stopGradient(given.x))), [given.x]);
    expect([...evaluate({ g }, given).g.data]).toEqual([...given.feeds.x.data]);
    expect(ops.gradient(ops.stopGradient(ops.exp(given.x)), [given.x])[0].uniform).toBe(0);
  });

  test('straightThrough: the hard value, the soft slope, to second order', () => {
    const given = setting();
    const { x } = given;
    const y = ops.straightThrough(ops.sign(x), ops.tanh(x));
    const [g] = ops.gradient(y, [x]);
    const [h] = ops.gradient(ops.sum(g), [x]);
    const tanh = [...given.feeds.x.data].map(Math.tanh);
    const results = evaluate({ y, g, h }, given);
    expect([...results.y.data]).toEqual([1, -1, 1, 1]);
    expectClose(
      results.g.data,
      tanh.map((t) => 1 - t * t),
      ROUNDED,
      'slope',
    );
    expectClose(
      results.h.data,
      tanh.map((t) => -2 * t * (1 - t * t)),
      ROUNDED,
      'curvature',
    );
  });

  test('customGradient: the rule is all that flows, and is differentiated in turn', () => {
    const given = setting();
    const { x } = given;
    const y = ops.customGradient(ops.exp(x), [x], (d) => [ops.multiply(d, ops.multiply(x, x))]);
    const [g] = ops.gradient(y, [x]);
    const [h] = ops.gradient(g, [x]);
    const data = [...given.feeds.x.data];
    const results = evaluate({ y, g, h }, given);
    expectClose(results.y.data, data.map(Math.exp), ROUNDED, 'value');
    expectClose(
      results.g.data,
      data.map((v) => v * v),
      ROUNDED,
      'slope',
    );
    expectClose(
      results.h.data,
      data.map((v) => 2 * v),
      ROUNDED,
      'curvature',
    );
  });

  test('a rule of the wrong shape is named', () => {
    const { x } = setting();
    const y = ops.customGradient(ops.exp(x), [x], (d) => [ops.sum(d)]);
    expect(() => ops.gradient(y, [x])).toThrow(
      /^gradient of graph\/customGradient\.\d+: a cotangent has shape \[\] where \[rows, 2\] belongs$/,
    );
  });
});

test('closed under itself to third order', () => {
  const given = setting();
  const { x } = given;
  const loss = (v: Value) => ops.sum(ops.square(ops.softmax(ops.tanh(v))));
  const first = ops.gradient(loss(x), [x])[0];
  const second = ops.gradient(ops.sum(ops.multiply(first, ops.sin(x))), [x])[0];
  const third = ops.gradient(ops.sum(ops.square(second)), [x])[0];
  const run = program({ second, third, bind: ops.sin(x) });
  const at = (move: (i: number) => number) =>
    evaluateOnce(tensorflow, run, { x: { shape: [2, 2], data: given.feeds.x.data.map((v, i) => v + move(i)) } });
  const exact = at(() => 0);
  const energy = (r: ReturnType<typeof at>) => Array.from(r.second.data).reduce((total, v) => total + v * v, 0);
  const slope = (i: number, h: number) => (energy(at((j) => (i === j ? h : 0))) - energy(at((j) => (i === j ? -h : 0)))) / (2 * h);
  // Richardson over h = 1/16 and 1/32: truncation ≈ h⁴ f⁽⁵⁾ / 480 < 1e-5; rounding 6e-8 · 43 · |f|.
  const differences = [0, 1, 2, 3].map((i) => (4 * slope(i, 1 / 32) - slope(i, 1 / 16)) / 3);
  expectClose(exact.third.data, differences, { relative: 1e-3, absolute: 1e-4 }, 'third order against differences of the second');
});
