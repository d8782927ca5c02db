/** Suffixes and narrowed reads of random causal graphs against the whole graph; what is not known to be causal is refused. */
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { expectClose, type Tolerance } from '../base/testing/closeTo.ts';
import { UserError } from '../base/errors.ts';
import { evaluateOnce } from '../execute/executor.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { TensorFlowExecutor } from '../execute/tensorflow.ts';
import { minus } from '../graph/dimension.ts';
import { Graph } from '../graph/graph.ts';
import { program, reachableNodes, requireReached, type TensorData } from '../graph/program.ts';
import type { Value } from '../graph/value.ts';
import * as ops from '../ops/index.ts';
import { branchMask, branchRanges } from './branchMask.ts';
import { narrow } from './narrow.ts';
import { CutRefusal } from './restrict.ts';
import { BRANCHES, branchesOf, POSITIONS, suffix } from './suffix.ts';
import { reaches } from './sweep.ts';
import { buildCausalGraph, drawnGraph, normal, ROWS, WIDTH, type CausalGraph, type DrawnGraph } from './testing/causalGraphs.ts';

/** Set GATESCOPE_SEED to look at other graphs. */
const SEED = Number(process.env.GATESCOPE_SEED ?? 20_260_101);

/** float32 keeps 6e-8; up to ten steps, some of which sharpen differences (norms of small vectors, softmax of large scores). */
const CLOSE: Tolerance = { relative: 2e-5, absolute: 2e-5 };

const onnx = new OnnxRuntimeExecutor({ cacheBytes: 0 });
const tensorflow = new TensorFlowExecutor();
afterAll(() => onnx.dispose());

const PAIRS = 2;

/** One position of [rows, positions, …]: [rows, 1, …]; of another axis likewise. */
function at({ data, shape }: TensorData, axis: number, position: number): TensorData {
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const outer = shape.slice(0, axis).reduce((a, b) => a * b, 1);
  const part = data.slice(0, outer * inner);
  for (let i = 0; i < outer; i++)
    part.set(data.subarray((i * shape[axis] + position) * inner, (i * shape[axis] + position + 1) * inner), i * inner);
  return { data: part, shape: shape.map((size, i) => (i === axis ? 1 : size)) };
}

/** `whole` with one position of axis 1 written over by branch `branch` of `changed`, [rows, branches, width]. */
function written(whole: TensorData, changed: TensorData, branch: number, position: number): TensorData {
  const data = Float32Array.from(whole.data);
  const [rows, length, width] = whole.shape;
  const branches = changed.shape[1];
  for (let row = 0; row < rows; row++) {
    const from = (row * branches + branch) * width;
    data.set((changed.data as Float32Array).subarray(from, from + width), (row * length + position) * width);
  }
  return { data, shape: whole.shape };
}

function checkSuffix(drawn: DrawnGraph): void {
  const { graph, site, output, mask, feeds, random }: CausalGraph = buildCausalGraph(drawn, PAIRS);
  const { length, branches } = drawn;
  const read = length - 1;
  const input = graph.input('changed', [ROWS, BRANCHES, WIDTH]);
  const clean = evaluateOnce(tensorflow, program({ site }), feeds);
  const whole = tensorflow.compile(program({ y: output }, { site }));
  const common = { output, axis: 1, entries: [[{ value: site, axis: 1, changed: input }]], mask };
  const made = {
    earlier: suffix({ ...common, atRead: false, prefix: 'earlier' }),
    read: suffix({ ...common, atRead: true, prefix: 'read' }),
  };
  const compiled = {
    earlier: onnx.compile(program({ y: made.earlier.output, ...made.earlier.sizes })),
    read: onnx.compile(program({ y: made.read.output })),
  };
  const caches = [...made.earlier.caches, ...made.read.caches];
  const cached =
    caches.length === 0 ? {} : evaluateOnce(onnx, program(Object.fromEntries(caches.map(({ name, value }) => [name, value]))), feeds);
  for (let position = 0; position < length; position++) {
    const kind = position === read ? 'read' : 'earlier';
    const changed = normal(random, [PAIRS, branches, WIDTH]);
    const fed: Record<string, TensorData> = { ...feeds, changed };
    for (const cache of made[kind].caches)
      fed[cache.name] = cache.part === 'whole' ? cached[cache.name] : at(cached[cache.name], cache.axis, read);
    for (const [name, range] of made[kind].masks) fed[name] = branchMask(range, branches, position, read, length);
    for (const [name, list] of Object.entries(branchRanges(branches, position, read)))
      fed[`range.${name}`] = { data: list, shape: [list.length] };
    // The whole prompt is nothing a suffix reads but through its caches.
    for (const name of ['x', 'mask', 'positions', 'roles']) delete fed[name];
    const { y } = compiled[kind].run(fed);
    for (let branch = 0; branch < branches; branch++) {
      const expected = at(whole.run({ ...feeds, site: written(clean.site, changed, branch, position) }).y, 1, read);
      // What nothing reached is the same for all branches.
      const actual = y.shape[1] === 1 ? y : at(y, 1, branch);
      expectClose(actual.data, expected.data, CLOSE, `${kind}, position ${position} of ${length}, branch ${branch}`, expected.shape);
    }
  }
  Object.values(compiled).forEach((program) => program.dispose());
}

const isReached = (value: Value, nodes: ReturnType<typeof reachableNodes>): boolean => {
  try {
    requireReached('value', value, nodes);
    return true;
  } catch {
    return false;
  }
};

describe(`random causal graphs (fast-check seed ${SEED})`, () => {
  test('a suffix is the whole graph with the site changed: every position, several branches', () => {
    fc.assert(fc.property(drawnGraph, checkSuffix), { seed: SEED, numRuns: 150 });
  });

  test('changes of two values at the read position, one below the other, in one suffix', () => {
    let compared = 0;
    let refused = 0;
    const property = fc.property(drawnGraph, fc.nat(), (drawn, which) => {
      const { graph, site, output, made, mask, feeds, random } = buildCausalGraph(drawn, PAIRS);
      // What a rewrite has read past is nobody's to change.
      const nodes = reachableNodes([output]);
      const below = made.filter((value) => value !== site && reaches(site, value) && isReached(value, nodes));
      if (below.length === 0) return;
      const values = [site, below[which % below.length]];
      const counts = [drawn.branches, 1 + (which % 2)];
      const changes = values.map((_value, entry) => normal(random, [PAIRS, counts[entry], WIDTH]));
      const changed = values.map((_value, entry) => graph.input(`changed ${entry}`, [ROWS, branchesOf(entry), WIDTH]));
      const entries = values.map((value, entry) => [{ value, axis: 1, changed: changed[entry] }]);
      let cut;
      try {
        cut = suffix({ output, axis: 1, entries, mask, atRead: true, prefix: 'entries' });
      } catch (error) {
        if (!(error instanceof CutRefusal)) throw error;
        refused++;
        return;
      }
      const read = drawn.length - 1;
      const caches = Object.fromEntries(cut.caches.map(({ name, value }) => [name, value]));
      const cached = cut.caches.length === 0 ? {} : evaluateOnce(onnx, program(caches), feeds);
      const fed: Record<string, TensorData> = { ...feeds, 'changed 0': changes[0], 'changed 1': changes[1] };
      for (const { name, part, axis } of cut.caches) fed[name] = part === 'whole' ? cached[name] : at(cached[name], axis, read);
      for (const [name, range] of cut.masks) fed[name] = branchMask(range, 1, read, read, drawn.length);
      fed['range.position'] = { data: Int32Array.of(read), shape: [1] };
      for (const name of ['x', 'mask', 'positions', 'roles']) delete fed[name];
      const { y } = evaluateOnce(onnx, program({ y: cut.output, ...cut.sizes }), fed);
      const clean = evaluateOnce(tensorflow, program({ first: values[0], second: values[1] }), feeds);
      let branch = 0;
      values.forEach((value, entry) => {
        const whole = program({ y: output }, { cut: value });
        for (let own = 0; own < counts[entry]; own++, branch++) {
          const here = written(clean[entry === 0 ? 'first' : 'second'], changes[entry], own, read);
          const expected = at(evaluateOnce(tensorflow, whole, { ...feeds, cut: here }).y, 1, read);
          expectClose(
            (y.shape[1] === 1 ? y : at(y, 1, branch)).data,
            expected.data,
            CLOSE,
            `entry ${entry}, branch ${own}`,
            expected.shape,
          );
          compared++;
        }
      });
    });
    fc.assert(property, { seed: SEED, numRuns: 150 });
    expect(compared).toBeGreaterThan(100);
    expect(refused).toBeLessThan(40);
  });

  test('a narrowed read is one position of the whole', () => {
    const property = fc.property(drawnGraph, fc.nat(), fc.boolean(), (drawn, place, siteWhole) => {
      const { graph, site, output, feeds } = buildCausalGraph(drawn, PAIRS);
      const position = place % drawn.length;
      const index = graph.input('index', [1], 'int32');
      const targets = [output, site].map((value) => ({ value, axis: 1 }));
      const [y, s] = narrow(targets, siteWhole ? [site] : [], index);
      const actual = evaluateOnce(onnx, program({ y, s }), { ...feeds, index: { data: Int32Array.of(position), shape: [1] } });
      const expected = evaluateOnce(tensorflow, program({ y: output, s: site }), feeds);
      for (const name of ['y', 's']) expectClose(actual[name].data, at(expected[name], 1, position).data, CLOSE, name);
    });
    fc.assert(property, { seed: SEED, numRuns: 150 });
  });

  test('a narrowed read leaves nothing but keys and values at all positions', () => {
    const graph = new Graph();
    const x = graph.input('x', [ROWS, POSITIONS, WIDTH]);
    const w = graph.input('w', [WIDTH, WIDTH]);
    const mask = graph.input('mask', [POSITIONS, POSITIONS]);
    const [q, k, v] = [ops.matmul(x, w), ops.matmul(ops.tanh(x), w), ops.matmul(ops.sin(x), w)];
    const z = ops.matmul(ops.softmax(ops.add(ops.matmul(q, k, { transposeB: true }), mask)), v);
    const [y] = narrow([{ value: ops.gelu(ops.matmul(z, w)), axis: 1 }], [], graph.input('index', [1], 'int32'));
    const wide = program({ y })
      .nodes.filter(({ outputs }) => outputs[0].shape.at(-2) === POSITIONS)
      .map(({ operation }) => operation.name);
    expect(wide).toEqual(['tanh', 'matmul', 'sin', 'matmul']);
  });
});

/** A graph around `mix`, which is given a site [rows, positions, width] and the mask. */
function cut(mix: (x: Value, mask: Value, graph: Graph) => Value): () => void {
  const graph = new Graph();
  const mask = graph.input('mask', [POSITIONS, POSITIONS]);
  const x = ops.site('here', graph.input('x', [ROWS, POSITIONS, WIDTH]));
  const output = graph.within('model', () => ops.add(x, mix(x, mask, graph)));
  const changed = graph.input('changed', [ROWS, BRANCHES, WIDTH]);
  return () => {
    for (const atRead of [true, false])
      suffix({ output, axis: 1, entries: [[{ value: x, axis: 1, changed }]], mask, atRead, prefix: `cut.${atRead}` });
  };
}

const scores = (x: Value) => ops.matmul(x, x, { transposeB: true });
const roles = (graph: Graph) => graph.inputs.get('roles') ?? graph.input('roles', [POSITIONS], 'int32');
/** [positions, positions]: `amount` where the second role looks at the first. */
const byRole = (graph: Graph, amount: number) =>
  ops.gather(ops.gather(graph.constant(Float32Array.of(0, 0, amount, 0), [2, 2]), roles(graph), 0), roles(graph), 1);
/** [rows, 1, 1] */
const lastOf = (x: Value) => ops.slice(ops.slice(x, 1, minus(POSITIONS, 1), POSITIONS), 2, 0, 1);
const input = (graph: Graph, ...shape: Parameters<Graph['input']>[1]) => graph.input('other', shape);

describe('what may not be cut is refused, with its place', () => {
  test.each<[string, RegExp, (x: Value, mask: Value, graph: Graph) => Value]>([
    ['softmax without a mask', /model\/matmul/, (x) => ops.matmul(ops.softmax(scores(x)), x)],
    ['scores without softmax', /model\/matmul/, (x) => ops.matmul(scores(x), x)],
    ['masked scores without softmax', /model\/matmul/, (x, mask) => ops.matmul(ops.add(scores(x), mask), x)],
    [
      'another mask',
      /model\/matmul/,
      (x, _mask, graph) => ops.matmul(ops.softmax(ops.add(scores(x), input(graph, POSITIONS, POSITIONS))), x),
    ],
    ['a mask that is scaled', /model\/matmul/, (x, mask) => ops.matmul(ops.softmax(ops.add(scores(x), ops.multiply(mask, 0.5))), x)],
    [
      'a mask the other way round',
      /model\/matmul/,
      (x, mask) => ops.matmul(ops.softmax(ops.add(scores(x), ops.transpose(mask, [1, 0]))), x),
    ],
    ['a function after the mask', /model\/matmul/, (x, mask) => ops.matmul(ops.softmax(ops.tanh(ops.add(scores(x), mask))), x)],
    [
      'a bias for each pair of positions',
      /model\/matmul/,
      (x, mask, graph) => ops.matmul(ops.softmax(ops.add(ops.add(scores(x), input(graph, POSITIONS, POSITIONS)), mask)), x),
    ],
    [
      'weights that are changed after softmax',
      /model\/matmul/,
      (x, mask) => ops.matmul(ops.add(ops.softmax(ops.add(scores(x), mask)), 0.1), x),
    ],
    [
      'a table by role that unhides',
      /model\/matmul/,
      (x, mask, graph) => ops.matmul(ops.softmax(ops.add(scores(x), ops.add(mask, byRole(graph, 1e9)))), x),
    ],
    [
      'a table by role in place of the mask',
      /model\/matmul/,
      (x, _mask, graph) => ops.matmul(ops.softmax(ops.add(scores(x), byRole(graph, -1e9))), x),
    ],
    [
      'a table by role the other way round',
      /model\/matmul/,
      (x, mask, graph) => {
        const table = ops.transpose(ops.gather(graph.constant(Float32Array.of(-1, -2, -3, -4), [2, 2]), roles(graph), 1), [1, 0]);
        return ops.matmul(ops.softmax(ops.add(scores(x), ops.add(mask, ops.transpose(ops.gather(table, roles(graph), 1), [1, 0])))), x);
      },
    ],
    [
      'one decision for a whole row',
      /model\/.* must not be one for all positions/,
      (x) => ops.where(ops.greater(lastOf(x), 0), ops.tanh(x), x),
    ],
    [
      'a capacity: places are given in the order of positions',
      /model\/matmul/,
      (x, _mask, graph) =>
        ops.where(ops.less(ops.matmul(input(graph, POSITIONS, POSITIONS), ops.cast(ops.greater(x, 0), 'float32')), 2), x, 0),
    ],
    [
      'a capacity: the tokens that want an expert most',
      /must not be one for all positions/,
      (x) =>
        ops.transpose(
          ops.spreadAlong(ops.topK(ops.transpose(x, [0, 2, 1]), 1).values, ops.topK(ops.transpose(x, [0, 2, 1]), 1).indices, 1),
          [0, 2, 1],
        ),
    ],
    ['weights transposed', /model\/softmax/, (x, mask) => ops.matmul(ops.softmax(ops.add(scores(x), mask)), x, { transposeA: true })],
    ['the mask itself as weights', /model\/matmul/, (x, mask) => ops.matmul(mask, x)],
    ['a matrix over positions', /model\/matmul/, (x, _mask, graph) => ops.matmul(input(graph, POSITIONS, POSITIONS), x)],
    ['positions in another order', /model\/gather/, (x, _mask, graph) => ops.gather(x, graph.input('order', [POSITIONS], 'int32'), 1)],
    ['a sum over positions, broadcast', /sum/, (x) => ops.sum(x, { axes: [1], keep: true })],
    ['a mean over positions, by rows', /mean|reshape/, (x) => ops.expandAxis(ops.mean(x, { axes: [1] }), 1)],
    ['a largest over positions', /max/, (x) => ops.max(x, { axes: [1], keep: true })],
    ['the sum of scores over keys', /model\/sum/, (x) => ops.sum(scores(x), { axes: [-1], keep: true })],
    [
      'softmax over positions as the last axis',
      /model\/softmax/,
      (x) => ops.transpose(ops.softmax(ops.transpose(x, [0, 2, 1])), [0, 2, 1]),
    ],
    ['concat along positions', /model\/concat/, (x) => ops.concat([ops.slice(x, 1, 0, 1), ops.slice(ops.tanh(x), 1, 1, POSITIONS)], 1)],
    ['a shift along positions', /model\/slice/, (x) => ops.slice(ops.pad(x, 1, 1, 0), 1, 0, POSITIONS)],
    ['rows and positions merged', /model\/reshape/, (x) => ops.reshape(ops.layerNorm(ops.mergeAxes(x, 0, 2), ...gains(x)), x.shape)],
    ['positions and width merged', /model\/reshape/, (x) => ops.reshape(ops.softmax(ops.mergeAxes(x, 1, 3)), x.shape)],
    [
      'positions and width exchanged in place',
      /model\/reshape/,
      (x) => ops.transpose(ops.reshape(ops.tanh(x), [ROWS, WIDTH, POSITIONS]), [0, 2, 1]),
    ],
    [
      'differences of positions',
      /model\/(subtract|sum)/,
      (x) => ops.sum(ops.subtract(ops.expandAxis(x, 2), ops.expandAxis(x, 1)), { axes: [2] }),
    ],
  ])('%s', (_name, place, mix) => {
    const act = cut(mix);
    expect(act).toThrow(UserError);
    expect(act).toThrow(place);
  });

  test('attention as it should be is not', () => {
    expect(cut((x, mask) => ops.matmul(ops.softmax(ops.add(scores(x), mask)), x))).not.toThrow();
    expect(cut((x, mask, graph) => ops.matmul(ops.softmax(ops.add(scores(x), ops.add(mask, byRole(graph, -1)))), x))).not.toThrow();
  });

  test('entries that do not follow from one another, or do not all reach what is read', () => {
    const graph = new Graph();
    const mask = graph.input('mask', [POSITIONS, POSITIONS]);
    const x = graph.input('x', [ROWS, POSITIONS, WIDTH]);
    const [q, k] = [ops.site('q', ops.tanh(x)), ops.site('k', ops.sin(x))];
    const v = ops.site('v', ops.gelu(q));
    const z = ops.matmul(ops.softmax(ops.add(ops.matmul(q, k, { transposeB: true }), mask)), v);
    const changed = [0, 1].map((entry) => graph.input(`changed ${entry}`, [ROWS, branchesOf(entry), WIDTH]));
    const of = (sites: readonly Value[], atRead = true) => {
      const entries = sites.map((value, entry) => [{ value, axis: 1, changed: changed[entry] }]);
      return () => suffix({ output: z, axis: 1, entries, mask, atRead, prefix: 'entries' });
    };
    expect(of([q, k])).toThrow(/suffix: entries must each be computed from the one before/);
    expect(of([q, v])).toThrow(/must be reached by all entries that share a run/);
    expect(of([q, v], false)).toThrow(/suffix: entries must be one, or of one value each if the changed position is read/);
    expect(of([q])).not.toThrow();
  });

  test('sites, masks and changes of wrong shapes', () => {
    const graph = new Graph();
    const mask = graph.input('mask', [POSITIONS, POSITIONS]);
    const x = ops.site('here', graph.input('x', [ROWS, POSITIONS, WIDTH]));
    const pattern = ops.site('pattern', ops.softmax(ops.add(scores(x), mask)));
    const output = ops.matmul(pattern, x);
    const changed = graph.input('changed', [ROWS, BRANCHES, WIDTH]);
    const given = { value: x, axis: 1, changed };
    const options = { output, axis: 1, entries: [[given]], mask, atRead: true, prefix: 'p' };
    const wrong = (more: Partial<typeof options>) => () => suffix({ ...options, ...more });
    const otherwise = (more: Partial<typeof given>) => wrong({ entries: [[{ ...given, ...more }]] });
    expect(otherwise({ axis: 2 })).toThrow(/suffix: site must have positions along axis 2/);
    expect(wrong({ axis: 0 })).toThrow(/suffix: output must have positions along axis 0/);
    expect(otherwise({ value: pattern })).toThrow(/must have one axis of positions/);
    expect(otherwise({ changed: x })).toThrow(/suffix: changed must be float32 \[rows, branches, 4\]/);
    expect(wrong({ mask: pattern })).toThrow(/suffix: mask must be an input \[positions, positions\]/);
  });

  test('narrow refuses what mixes positions where it is asked for one', () => {
    const graph = new Graph();
    const x = graph.input('x', [ROWS, POSITIONS, WIDTH]);
    const index = graph.input('index', [1], 'int32');
    const soft = graph.within('model', () => ops.softmax(ops.transpose(x, [0, 2, 1])));
    expect(() => narrow([{ value: soft, axis: 2 }], [], index)).toThrow(/cut positions: model\/softmax.*axis 2/);
    // Where it is needed whole anyway, it is read at one position.
    expect(narrow([{ value: soft, axis: 2 }], [soft], index)[0].shape).toEqual([ROWS, WIDTH, 1]);
  });
});

const gains = (x: Value): [Value, Value] => [x.graph.input('gain', [WIDTH]), x.graph.input('shift', [WIDTH])];
