/** Building: sharing, folding, lazy broadcast, names; and that none of it changes a number. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectClose } from '../base/testing/closeTo.ts';
import { Random } from '../base/random.ts';
import { evaluateOnce } from '../execute/executor.ts';
import { TensorFlowExecutor } from '../execute/tensorflow.ts';
import * as ops from '../ops/index.ts';
import { symbol } from './dimension.ts';
import { Graph, type GraphOptions } from './graph.ts';
import { program } from './program.ts';
import type { Value } from './value.ts';

const rows = symbol('rows');
const tensorflow = new TensorFlowExecutor();
const names = (...outputs: Value[]) =>
  program(Object.fromEntries(outputs.map((output, i) => [`out${i}`, output]))).nodes.map((node) => node.operation.name);

describe('sharing', () => {
  test('equal subexpressions are one value, commuted operands too', () => {
    const graph = new Graph();
    const [a, b] = [graph.input('a', [rows, 4]), graph.input('b', [4])];
    expect(ops.add(a, b)).toBe(ops.add(b, a));
    expect(ops.subtract(a, b)).not.toBe(ops.subtract(b, a));
    expect(ops.sum(a, { axes: [-1] })).toBe(ops.sum(a, { axes: [1] }));
    expect(ops.sum(a, { axes: [1] })).not.toBe(ops.sum(a, { axes: [1], keep: true }));
    expect(graph.constant(Float32Array.of(1, 2), [2])).toBe(graph.constant(Float32Array.of(1, 2), [2]));
    expect(graph.constant(Float32Array.of(0, 1), [2])).not.toBe(graph.constant(Float32Array.of(-0, 1), [2]));
  });

  test('what JSON cannot tell apart is kept apart', () => {
    const graph = new Graph();
    const a = graph.input('a', [2, 2]);
    expect(ops.matmul(a, a, { scale: Infinity })).not.toBe(ops.matmul(a, a, { scale: NaN }));
  });

  test('two gradients of their own over the same values stay two', () => {
    const graph = new Graph();
    const a = graph.input('a', [2]);
    const y = ops.exp(a);
    const [one, two] = [1, 2].map((factor) => ops.customGradient(y, [a], (d) => [ops.multiply(d, factor)]));
    expect(one).not.toBe(two);
    expect(ops.gradient(two, [a])[0].uniform).toBe(2);
  });

  test('a constant is what it was when it was made', () => {
    const graph = new Graph();
    const data = Float32Array.of(1, 2);
    const constant = graph.constant(data, [2]);
    data[0] = 9;
    expect(constant.source).toMatchObject({ kind: 'constant', data: Float32Array.of(1, 2) });
  });
});

describe('rewriting', () => {
  test('folds constants', () => {
    const graph = new Graph();
    const two = graph.uniform(2, [3]);
    expect(ops.exp(ops.multiply(two, 0)).uniform).toBe(1);
    expect(ops.sum(two).uniform).toBe(6);
    expect(ops.reshape(two, [1, 3]).uniform).toBe(2);
    expect(ops.add(graph.constant(Float32Array.of(1, 2), [2]), 1).source).toMatchObject({ kind: 'constant', data: Float32Array.of(2, 3) });
    expect(ops.where(ops.greater(two, 1), graph.input('yes', [3]), 0).source).toMatchObject({ kind: 'input', name: 'yes' });
  });

  test('chains of numbers become one, unless that would overflow or vanish', () => {
    const graph = new Graph();
    const x = graph.input('x', [rows]);
    expect(names(ops.multiply(ops.multiply(ops.multiply(x, 2), 3), 4))).toEqual(['multiply']);
    expect(names(ops.multiply(ops.multiply(x, 1e-30), 1e-30))).toEqual(['multiply', 'multiply']);
    expect(names(ops.multiply(ops.multiply(x, 1e30), 1e30))).toEqual(['multiply', 'multiply']);
  });

  test('the gradient of a mean feeds elementwise operations without being spread out', () => {
    const graph = new Graph();
    const x = graph.input('x', [rows, 256]);
    const y = ops.mean(ops.square(ops.tanh(x)));
    const [g] = ops.gradient(y, [x]);
    expect(names(y, g)).toEqual(['tanh', 'multiply', 'mean', 'size', 'reciprocal', 'multiply', 'add', 'subtract', 'multiply']);
  });

  test('so does that of a choice, and of a mean over one axis', () => {
    const graph = new Graph();
    const x = graph.input('x', [rows, 4]);
    const y = ops.mean(ops.mean(ops.where(ops.greater(x, 0), x, ops.exp(x)), { axes: [-1] }));
    expect(names(y, ...ops.gradient(y, [x]))).not.toContain('broadcast');
  });

  test('an operation on stretched operands runs on what was stretched', () => {
    const graph = new Graph();
    const x = graph.input('x', [rows, 1]);
    const y = ops.exp(ops.multiply(ops.broadcastTo(x, [rows, 4]), graph.uniform(3, [rows, 4])));
    expect(program({ y }).nodes.map((node) => [node.operation.name, String(node.outputs[0])])).toEqual([
      ['multiply', 'float32[rows, 1]'],
      ['exp', 'float32[rows, 1]'],
      ['broadcast', 'float32[rows, 4]'],
    ]);
  });

  test('dead code is left out', () => {
    const graph = new Graph();
    const x = graph.input('x', [rows]);
    const unused = graph.input('unused', [2]);
    ops.exp(ops.add(x, unused.graph.uniform(1)));
    const run = program({ y: ops.sin(x) });
    expect([run.nodes.map((node) => node.operation.name), [...run.inputs.keys()]]).toEqual([['sin'], ['x']]);
  });
});

describe('names', () => {
  test('scopes, sites and labels', () => {
    const graph = new Graph();
    const x = graph.input('x', [rows]);
    const y = graph.within('blocks.0', () => graph.within('attn', () => ops.site('hook_z', ops.exp(x))));
    expect([...graph.sites.keys()]).toEqual(['blocks.0.attn.hook_z']);
    expect(y.node!.label).toBe(`blocks.0.attn/site.${y.id}`);
    expect(ops.sin(x).node!.label).toMatch(/^graph\/sin\.\d+$/);
    const [g] = ops.gradient(ops.sum(ops.sin(y)), [x]);
    const labels = program({ g }).nodes.map((node) => node.label.replace(/\.\d+$/, ''));
    expect(labels).toEqual(['blocks.0.attn/exp', 'blocks.0.attn/site', 'gradient/cos', 'blocks.0.attn.gradient/multiply']);
    const [h] = ops.gradient(ops.sum(g), [x]);
    expect(program({ h }).nodes.map((node) => node.site)).toContain('gradient.gradient');
    expect(() =>
      graph.within('a', () => {
        throw new Error('inside');
      }),
    ).toThrow('inside');
    expect(graph.scoped('top')).toBe('top');
  });
});

type Random2 = { step: number; first: number; second: number }[];

/** A small program of random operations on [rows, 3], [3] and numbers; the same choices give the same expression in any graph. */
function randomExpression(graph: Graph, steps: Random2): Value {
  const pool: Value[] = [
    graph.input('x', [rows, 3]),
    graph.input('y', [3]),
    graph.uniform(0.5, [rows, 3]),
    graph.uniform(1),
    graph.uniform(0, [3]),
    graph.constant(Float32Array.of(0.5, -1, 2), [3]),
  ];
  for (const { step, first, second } of steps) {
    const a = pool[first % pool.length];
    const b = pool[second % pool.length];
    const build: (() => Value)[] = [
      () => ops.add(a, b),
      () => ops.subtract(a, b),
      () => ops.multiply(ops.tanh(a), b),
      () => ops.divide(a, ops.add(ops.square(b), 1)),
      () => ops.negate(a),
      () => ops.sin(a),
      () => ops.broadcastTo(a, [rows, 3]),
      () => ops.mean(a, { axes: a.rank === 0 ? [] : [-1], keep: true }),
      () => ops.multiply(ops.multiply(ops.sigmoid(a), 0.5), 3),
      () => ops.where(ops.greater(a, b), a, b),
      () => ops.maximum(a, b),
      () => ops.transpose(ops.transpose(ops.broadcastTo(a, [rows, 3]), [1, 0]), [1, 0]),
      () => (a.rank === 2 ? ops.reshape(ops.reshape(a, [...a.shape, 1]), a.shape) : ops.cast(ops.less(a, b), 'float32')),
      () => (a.rank === 0 ? ops.exp(ops.sin(a)) : ops.softmax(a)),
      () => ops.pad(ops.slice(ops.broadcastTo(a, [rows, 3]), 1, 1, 3), 1, 0, 1),
    ];
    pool.push(build[step % build.length]());
  }
  return ops.add(ops.sum(ops.broadcastTo(pool.at(-1)!, [rows, 3])), ops.sum(ops.multiply(pool.at(-2)!, pool[0])));
}

test('sharing and rewriting change no number of any expression and its gradients', () => {
  const step = fc.record({ step: fc.nat(1000), first: fc.nat(1000), second: fc.nat(1000) });
  fc.assert(
    fc.property(fc.array(step, { minLength: 2, maxLength: 9 }), fc.nat(), (steps, seed) => {
      const random = new Random(seed);
      const draw = (shape: number[]) => ({
        shape,
        data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
      });
      const feeds = { x: draw([2, 3]), y: draw([3]) };
      const run = (options: GraphOptions) => {
        const graph = new Graph(options);
        const loss = randomExpression(graph, steps);
        const wrt = [graph.inputs.get('x')!, graph.inputs.get('y')!];
        const [gx, gy] = ops.gradient(loss, wrt);
        // The sum of all gradients has a gradient too: the second order.
        const second = ops.gradient(ops.add(ops.sum(ops.square(gx)), ops.sum(gy)), wrt);
        return evaluateOnce(tensorflow, program({ loss, gx, gy, hx: second[0], hy: second[1], same: ops.sin(wrt[0]) }), feeds);
      };
      const expected = run({ share: false, simplify: false });
      for (const options of [{}, { share: false }, { simplify: false }])
        // Rewrites may save a rounding; sums of terms up to 1e3 through two derivatives: 1e-5 of the largest.
        for (const [name, { data }] of Object.entries(run(options)))
          expectClose(data, expected[name].data, { relative: 1e-5, absolute: 1e-5 }, `${name} with ${JSON.stringify(options)}`);
    }),
    { seed: 11, numRuns: 60 },
  );
});
