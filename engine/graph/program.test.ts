/** Programs: cuts, slices, and the binding of symbols to the sizes of what is fed. */
import { afterAll, describe, expect, test } from 'vitest';
import { EXACT, expectClose } from '../base/testing/closeTo.ts';
import { Random } from '../base/random.ts';
import { evaluateOnce, type Feeds } from '../execute/executor.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { TensorFlowExecutor } from '../execute/tensorflow.ts';
import * as ops from '../ops/index.ts';
import { plus, symbol, times, type Shape } from './dimension.ts';
import { Graph } from './graph.ts';
import { bindSymbols, dependents, program, sliceAfter } from './program.ts';
import type { Value } from './value.ts';

const onnx = new OnnxRuntimeExecutor();
const executors = [onnx, new TensorFlowExecutor()];
afterAll(() => executors.forEach((executor) => executor.dispose()));

const rows = symbol('rows');
const positions = symbol('positions');
const past = symbol('past');

function tensor(random: Random, shape: readonly number[]) {
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
  random.fillNormal(data, 0, 1);
  return { data, shape };
}

describe('cuts', () => {
  test('a cut value is fed, and what only it needed falls away', () => {
    const graph = new Graph();
    const x = graph.input('x', [rows]);
    const hidden = ops.exp(ops.sin(x));
    const run = program({ y: ops.multiply(hidden, 2) }, { hidden });
    expect([[...run.inputs.keys()], run.nodes.map((node) => node.operation.name)]).toEqual([['hidden'], ['multiply']]);
    for (const executor of executors)
      expect([...evaluateOnce(executor, run, { hidden: { data: Float32Array.of(1, 2), shape: [2] } }).y.data]).toEqual([2, 4]);
  });

  test('one output of a node is cut while another is computed', () => {
    const graph = new Graph();
    const x = graph.input('x', [2, 3]);
    const { values, indices } = ops.topK(x, 2);
    const run = program({ y: ops.add(ops.negate(values), ops.cast(indices, 'float32')) }, { values });
    const feeds = {
      x: { data: Float32Array.of(1, 2, 3, 6, 5, 4), shape: [2, 3] },
      values: { data: Float32Array.of(10, 20, 30, 40), shape: [2, 2] },
    };
    for (const executor of executors) expect([...evaluateOnce(executor, run, feeds).y.data]).toEqual([-8, -19, -30, -39]);
  });

  test('an output may be a cut value, an input, a constant, or another output', () => {
    const graph = new Graph();
    const x = graph.input('x', [2]);
    const y = ops.exp(x);
    const run = program({ a: y, b: y, c: x, d: graph.uniform(3, [2]), e: graph.uniform(3, [rows]), f: graph.input('r', [rows]) }, { y });
    const feeds = {
      x: { data: Float32Array.of(1, 2), shape: [2] },
      y: { data: Float32Array.of(5, 6), shape: [2] },
      r: { data: new Float32Array(100), shape: [100] },
    };
    for (const executor of executors) {
      const { a, b, c, d, e } = evaluateOnce(executor, run, feeds);
      expect([a, b, c, d].map(({ data }) => [...data])).toEqual([
        [5, 6],
        [5, 6],
        [1, 2],
        [3, 3],
      ]);
      expect([...e.data]).toEqual(Array(100).fill(3));
    }
  });

  test('mistakes', () => {
    const graph = new Graph();
    const [x, y] = [graph.input('x', [rows]), graph.input('y', [times(rows, positions)])];
    const hidden = ops.exp(x);
    expect(() => program({ z: ops.sin(hidden) }, { a: hidden, b: hidden })).toThrow(
      'program: cut b must be another value than the other cuts, got "a"',
    );
    expect(() => program({ z: ops.add(ops.sum(x), ops.sum(hidden)) }, { x: hidden })).toThrow(
      'program: input must have a name of its own, got "x"',
    );
    expect(() => program({ x: ops.sin(x) })).toThrow('program: output must have another name than the inputs, got "x"');
    expect(() => program({ '%1': ops.sin(x) })).toThrow('program: name must not be empty nor begin with %');
    expect(() => program({ z: ops.sin(y) })).toThrow(
      /^program: dimension of graph\/sin\.\d+ must appear on its own in the shape of some input, got "positions"$/,
    );
    expect(() => program({ z: graph.uniform(1, [rows]) })).toThrow(
      'program: dimension of z must appear on its own in the shape of some input, got "rows"',
    );
    expect(() => program({ z: ops.sizeOf(graph, rows) })).toThrow(/^program: dimension of graph\/size\.\d+ must appear on its own/);
    expect(() => program({ z: ops.slice(graph.input('z0', [10]), 0, past, plus(past, 2)) })).toThrow(
      /^program: dimension of graph\/slice\.\d+ must appear on its own in the shape of some input, got "past"$/,
    );
  });
});

/** A block with a residual stream, a part that a change at `hook` cannot reach, and one that several changed values reach. */
function blocks() {
  const graph = new Graph();
  const x = graph.input('x', [rows, positions, 6]);
  const w = graph.input('w', [6, 6]);
  const mask = graph.input('mask', [positions, positions], 'bool');
  let stream: Value = x;
  const hooks: Value[] = [];
  for (let layer = 0; layer < 2; layer++)
    graph.within(`blocks.${layer}`, () => {
      const q = ops.site('q', ops.matmul(stream, w));
      const scores = ops.softmax(ops.where(mask, ops.matmul(q, stream, { transposeB: true, scale: 0.4 }), -30));
      const z = ops.site('z', ops.matmul(scores, ops.tanh(ops.matmul(stream, w, { transposeB: true }))));
      hooks.push(q, z);
      stream = ops.site('stream', ops.add(stream, ops.gelu(z)));
    });
  return { graph, x, w, mask, hooks, y: stream, loss: ops.mean(ops.square(stream)) };
}

function blockFeeds(): Feeds {
  const random = new Random(9);
  return {
    x: tensor(random, [2, 4, 6]),
    w: tensor(random, [6, 6]),
    mask: { shape: [4, 4], data: Uint8Array.from({ length: 16 }, (_entry, i) => Number(i % 4 <= i >> 2)) },
  };
}

describe('sliceAfter', () => {
  test.each([0, 1, 2, 3])('the frontier is what does not depend on the change at hook %i, and nothing is missing', (which) => {
    const { y, loss, hooks } = blocks();
    const changed = hooks[which];
    const { after, frontier } = sliceAfter({ y, loss }, { changed });
    const reached = dependents([y, loss], [changed]);
    for (const value of frontier.values()) {
      expect(reached.has(value)).toBe(false);
      expect(dependents([value], [changed]).has(value)).toBe(false);
      expect(
        after.nodes.some((node) => node.inputs.includes(value)),
        'is read',
      ).toBe(true);
    }
    for (const node of after.nodes) expect(node.outputs.every((output) => reached.has(output))).toBe(true);
    const given = new Set(['changed', 'x', 'w', 'mask', ...frontier.keys()]);
    expect([...after.inputs.keys()].filter((name) => !given.has(name))).toEqual([]);
    expect([...frontier.keys()].filter((name) => !after.inputs.has(name))).toEqual([]);
  });

  test.each([0, 1, 2, 3])('upstream once and the rest after give the bits of the whole program (hook %i)', (which) => {
    const { y, loss, hooks } = blocks();
    const changed = hooks[which];
    const { after, frontier } = sliceAfter({ y, loss }, { changed });
    const feeds = blockFeeds();
    for (const executor of executors) {
      const whole = evaluateOnce(executor, program({ y, loss }), feeds);
      const upstream = evaluateOnce(executor, program({ ...Object.fromEntries(frontier), changed }), feeds);
      const rest = evaluateOnce(executor, after, { ...feeds, ...upstream });
      for (const name of ['y', 'loss'])
        expectClose(rest[name].data, whole[name].data, EXACT, `${executor.name}: ${name}`, whole[name].shape);
      const zeros = { ...upstream.changed, data: new Float32Array(upstream.changed.data.length) };
      const patched = evaluateOnce(executor, program({ y, loss }, { changed }), { ...feeds, changed: zeros });
      const sliced = evaluateOnce(executor, after, { ...feeds, ...upstream, changed: zeros });
      for (const name of ['y', 'loss'])
        expectClose(sliced[name].data, patched[name].data, EXACT, `${executor.name}: ${name} after a change`, patched[name].shape);
    }
  });

  test('one piece of a split changes: the other pieces are cached, what they came from is not', () => {
    const graph = new Graph();
    const x = graph.input('x', [4]);
    const [a, b] = ops.split(ops.exp(ops.sin(x)), 0, [2, 2]);
    const { after, frontier } = sliceAfter({ y: ops.multiply(a, b) }, { a });
    expect([...frontier.values()]).toEqual([b]);
    expect([...after.inputs.keys()].sort()).toEqual(['a', ...frontier.keys()].sort());
  });

  test('an output that nothing changed is passed through; what is kept is computed again', () => {
    const { y, hooks, w } = blocks();
    const still = ops.transpose(w, [1, 0]);
    const { after, frontier } = sliceAfter(
      { y: ops.matmul(y, still), same: ops.exp(still) },
      { changed: hooks[3] },
      (value) => value === still,
    );
    expect([...frontier.values()].map((value) => value.node!.operation.name).sort()).toEqual(['exp', 'site']);
    expect(after.nodes.map((node) => node.operation.name)).toContain('transpose');
    expect([...after.outputs.keys()]).toEqual(['y', 'same']);
  });

  test('refuses a change at a value that was read past', () => {
    const graph = new Graph();
    const x = graph.input('x', [2, 3]);
    const turned = ops.transpose(x, [1, 0]);
    const back = ops.exp(ops.transpose(turned, [1, 0]));
    expect(() => sliceAfter({ back }, { turned })).toThrow(
      'sliceAfter: changed turned must not be a constant, nor what a rewrite has read past: mark it with site()',
    );
  });
});

describe('bindSymbols', () => {
  const graph = new Graph();
  const shapes: Record<string, Shape> = { cache: [rows, plus(past, positions), 4], x: [rows, positions, 4], p: [past] };
  const inputs = new Map(Object.entries(shapes).map(([name, shape]) => [name, graph.input(name, shape)]));
  const feeds = (change: Record<string, number[] | undefined>) =>
    Object.fromEntries(
      Object.entries({ cache: [2, 8, 4], x: [2, 5, 4], p: [3], ...change }).flatMap(([name, shape]) => (shape ? [[name, { shape }]] : [])),
    );

  test('reads every symbol', () => {
    expect([...bindSymbols(inputs, feeds({}))]).toEqual([
      ['rows', 2],
      ['positions', 5],
      ['past', 3],
    ]);
    expect([...bindSymbols(inputs, feeds({ p: [0], cache: [2, 5, 4] }))]).toEqual([
      ['rows', 2],
      ['positions', 5],
      ['past', 0],
    ]);
  });

  test.each<[Record<string, number[] | undefined>, string]>([
    [{ x: undefined }, 'run: input x must be fed with float32[rows, positions, 4], got undefined'],
    [{ x: [2, 5] }, 'run: input x must have the shape of float32[rows, positions, 4], got [2, 5]'],
    [{ x: [2, 5, 3] }, 'run: input x must have 4 along axis 2 of float32[rows, positions, 4], got [2, 5, 3]'],
    [{ x: [3, 5, 4] }, 'run: input x must have 2 along axis 0 of float32[rows, positions, 4], got [3, 5, 4]'],
    [{ cache: [2, 9, 4] }, 'run: input cache must have 8 along axis 1 of float32[rows, past + positions, 4], got [2, 9, 4]'],
  ])('refuses %j', (change, message) => {
    expect(() => bindSymbols(inputs, feeds(change))).toThrow(expect.objectContaining({ message }) as Error);
  });

  test.each(executors)('$name refuses data that do not fit', (executor) => {
    const run = program({ y: ops.exp(new Graph().input('x', [2])) });
    expect(() => evaluateOnce(executor, run, { x: { shape: [2], data: new Float32Array(3) } })).toThrow(
      'run: input x must hold 2 elements of float32, got "3 elements of Float32Array"',
    );
    expect(() => evaluateOnce(executor, run, { x: { shape: [2], data: new Int32Array(2) } })).toThrow(
      'run: input x must hold 2 elements of float32, got "2 elements of Int32Array"',
    );
  });
});
