/**
 * Every operation and composite, forward, backward and to second order, over random shapes: ONNX Runtime against TensorFlow.js, both
 * against finite differences, the portable ONNX target against the fast one, the graph as written against the graph as simplified.
 */
import fc from 'fast-check';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { EXACT, expectClose, type Tolerance } from '../base/testing/closeTo.ts';
import { Random } from '../base/random.ts';
import { evaluateOnce, type Feeds, type Results } from '../execute/executor.ts';
import { bindSession, openSession, OnnxRuntimeExecutor, type NativeSession } from '../execute/onnxruntime.ts';
import { TensorFlowExecutor } from '../execute/tensorflow.ts';
import { Graph } from '../graph/graph.ts';
import { writeOnnx } from '../graph/onnx.ts';
import { program, type Program, type TensorData } from '../graph/program.ts';
import type { Value } from '../graph/value.ts';
import * as exported from './index.ts';
import { add, gradient, hessianVectorProduct, multiply, operations, sum } from './index.ts';
import { cases } from './testing/cases.ts';
import type { OperationCase } from './testing/operationCase.ts';
import { Drawing, drawn, dtypeOfDomain, type Drawn } from './testing/drawing.ts';

/** Set GATESCOPE_SEED to look at other shapes. */
const SEED = Number(process.env.GATESCOPE_SEED ?? 20_260_101);
const RUNS = 30;

/** float32 keeps 6e-8; a few dozen roundings, and the 1.5e-7 by which TensorFlow.js's erf (Abramowitz and Stegun 7.1.26) is off. */
const EXECUTORS: Tolerance = { relative: 1e-5, absolute: 1e-6 };
/**
 * A second derivative has been through some three times as many roundings and adds up terms from the directions of all inputs, which
 * cancel: it is held to the largest entry of all. (An attention block's 0.02388039 in double precision was 0.02389246 by TensorFlow.js and
 * 0.02385655 by ONNX Runtime, where the largest entry is 3.8.)
 */
const EXECUTORS_SECOND: Tolerance = { relative: 3e-5, absolute: 3e-6 };
/**
 * Central differences with steps h = 1/32 and h/2, extrapolated (Richardson): the error of truncation is h⁴f⁽⁵⁾/480 ≈ 2e-9 f⁽⁵⁾, at most
 * 2e-5 of the largest entry within the domains. Rounding what is differenced to float32 adds 2⁻²⁴ · 4/3 / (h/2) of its magnitude.
 */
const DIFFERENCES: Tolerance = { relative: 3e-4, absolute: 3e-4 };
const STEP = 1 / 32;
const ROUNDING = (2 ** -24 * (4 / 3)) / (STEP / 2);
const differencing = (magnitude: number): Tolerance => ({ ...DIFFERENCES, absolute: DIFFERENCES.absolute + ROUNDING * magnitude });

// Three in four of the programs of a case are, to the byte, one that it had before with other data; most of the time goes to opening sessions.
const onnx = new OnnxRuntimeExecutor({ cacheBytes: 128 * 2 ** 20 });
const tensorflow = new TensorFlowExecutor();
afterAll(() => onnx.dispose());

/** Of the case at hand, by their models. */
const portable = new Map<string, NativeSession>();
afterEach(() => {
  for (const session of portable.values()) session.dispose();
  portable.clear();
});

interface Built {
  readonly graph: Graph;
  readonly outputs: Record<string, Value>;
  readonly wrt: readonly string[];
  readonly smooth: boolean;
}

/** Outputs y0…, and for those that are float32: the loss Σ w·y, its gradient g.x and its Hessian times v, h.x. */
function build(spec: OperationCase, drawing: Drawing, options: ConstructorParameters<typeof Graph>[0] = {}): Built {
  const graph = new Graph(options);
  const inputs = spec.inputs(drawing).map(({ shape, domain }, i) => graph.input(`x${i}`, shape, dtypeOfDomain(domain)));
  const made = spec.build(inputs, drawing);
  const ys = Array.isArray(made) ? (made as readonly Value[]) : [made as Value];
  const outputs: Record<string, Value> = Object.fromEntries(ys.map((y, i) => [`y${i}`, y]));
  const floats = ys.flatMap((y, i) => (y.dtype === 'float32' ? [multiply(y, graph.input(`w${i}`, y.shape))] : []));
  const wrt =
    floats.length === 0 ? [] : inputs.filter((x, i) => (spec.differentiable ? spec.differentiable.includes(i) : x.dtype === 'float32'));
  const names = wrt.map((x) => `x${inputs.indexOf(x)}`);
  if (wrt.length === 0) return { graph, outputs, wrt: [], smooth: false };
  const loss = floats.map((y) => sum(y)).reduce(add);
  gradient(loss, wrt).forEach((g, i) => (outputs[`g.${names[i]}`] = g));
  const vectors = wrt.map((x, i) => graph.input(`v.${names[i]}`, x.shape));
  hessianVectorProduct(loss, wrt, vectors).forEach((h, i) => (outputs[`h.${names[i]}`] = h));
  return { graph, outputs, wrt: names, smooth: spec.smooth !== false && spec.declared !== true };
}

function feedsOf(spec: OperationCase, drawing: Drawing, { graph }: Built): Record<string, TensorData> {
  const random = new Random(drawing.drawn.seed);
  const feeds: Record<string, TensorData> = {};
  spec.inputs(drawing).forEach((input, i) => (feeds[`x${i}`] = drawing.data(input, random)));
  for (const [name, { shape }] of graph.inputs) {
    if (name in feeds) continue;
    feeds[name] = drawing.data({ shape, domain: 'any' }, random);
    if (name.startsWith('v.')) feeds[name].data.forEach((entry, i, data) => (data[i] = entry / 2)); // directions in [-1, 1]
  }
  return feeds;
}

function compare(actual: Results, expected: Results, what: string): void {
  const second = { relative: 0, absolute: EXECUTORS_SECOND.absolute + EXECUTORS_SECOND.relative * largest(flat(expected, 'h.')) };
  for (const [name, { data, shape }] of Object.entries(expected)) {
    expect(actual[name].shape, `${what}: shape of ${name}`).toEqual(shape);
    const tolerance = !(data instanceof Float32Array) ? EXACT : name.startsWith('h.') ? second : EXECUTORS;
    expectClose(actual[name].data, data, tolerance, `${what}: ${name}`, shape);
  }
}

function runPortable(run: Program, feeds: Feeds): Results {
  const model = writeOnnx(run, { target: 'portable' });
  const key = Buffer.from(model).toString('latin1');
  const session = portable.get(key) ?? openSession(model);
  portable.set(key, session);
  const inputs = Object.fromEntries([...run.inputs].map(([name, { dtype }]) => [name, { dtype, ...feeds[name] }]));
  const raw = bindSession(session, inputs, Object.fromEntries([...run.outputs.keys()].map((name) => [name, null])))();
  return Object.fromEntries(Object.entries(raw).map(([name, { data, dims }]) => [name, { data: data as Float32Array, shape: dims }]));
}

/** d/dt of what `read` computes from inputs moved by t·v, at t = 0. */
function difference(feeds: Feeds, directions: Feeds, read: (feeds: Feeds) => readonly number[]): number[] {
  const moved = (t: number) =>
    read({
      ...feeds,
      ...Object.fromEntries(
        Object.entries(directions).map(([name, v]) => [
          name,
          { shape: v.shape, data: feeds[name].data.map((x, i) => x + t * v.data[i]) as Float32Array },
        ]),
      ),
    });
  const central = (h: number) => {
    const [after, before] = [moved(h), moved(-h)];
    return after.map((value, i) => (value - before[i]) / (2 * h));
  };
  const [coarse, fine] = [central(STEP), central(STEP / 2)];
  return fine.map((value, i) => (4 * value - coarse[i]) / 3);
}

/** All elements of the outputs whose names begin with `prefix`, in their order. */
const flat = (results: Results, prefix: string) =>
  Object.entries(results).flatMap(([name, { data }]) => (name.startsWith(prefix) ? [...data] : []));
const largest = (numbers: readonly number[]) => numbers.reduce((sofar, number) => Math.max(sofar, Math.abs(number)), 0);
const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => Array.from(a).reduce((total, entry, i) => total + entry * b[i], 0);

/** The oracle of derivatives is TensorFlow.js: it sums in double precision and rounds only what it stores. */
function checkDifferences(spec: OperationCase, { outputs, wrt, smooth }: Built, feeds: Feeds, results: Results): void {
  const weights = Object.keys(outputs).filter((name) => name.startsWith('y') && `w${name.slice(1)}` in feeds);
  const forward = tensorflow.compile(program(Object.fromEntries(weights.map((name) => [name, outputs[name]]))));
  const loss = (at: Feeds) => {
    const ys = forward.run(at);
    return [weights.reduce((total, name) => total + dot(ys[name].data, feeds[`w${name.slice(1)}`].data), 0)];
  };
  const terms = weights.reduce(
    (total, name) => total + dot(results[name].data.map(Math.abs), feeds[`w${name.slice(1)}`].data.map(Math.abs)),
    0,
  );
  for (const name of wrt) {
    const v = feeds[`v.${name}`];
    expectClose(
      [dot(results[`g.${name}`].data, v.data)],
      difference(feeds, { [name]: v }, loss),
      differencing(terms),
      `${spec.name}: slope along a random direction of ${name} against differences`,
    );
  }
  if (!smooth) return;
  const slopes = tensorflow.compile(program(outputs));
  const directions = Object.fromEntries(wrt.map((name) => [name, feeds[`v.${name}`]]));
  const expected = difference(feeds, directions, (at) => flat(slopes.run(at), 'g.'));
  expectClose(
    flat(results, 'h.'),
    expected,
    differencing(largest(flat(results, 'g.'))),
    `${spec.name}: Hessian times vector against differences of gradients`,
  );
}

function check(spec: OperationCase, choice: Drawn): void {
  const drawing = new Drawing(choice);
  const built = build(spec, drawing);
  const feeds = feedsOf(spec, drawing, built);
  const run = program(built.outputs);
  const expected = evaluateOnce(tensorflow, run, feeds);
  const results = evaluateOnce(onnx, run, feeds);
  for (const [name, value] of run.outputs)
    expect(results[name].data.constructor, `dtype of ${name}`).toBe(
      { float32: Float32Array, int32: Int32Array, bool: Uint8Array }[value.dtype],
    );
  compare(results, expected, `${spec.name}: ONNX Runtime against TensorFlow.js`);
  compare(runPortable(run, feeds), results, `${spec.name}: portable against fast`);
  const plain = program(build(spec, drawing, { share: false, simplify: false }).outputs);
  compare(evaluateOnce(onnx, plain, feeds), results, `${spec.name}: as written against simplified`);
  compare(evaluateOnce(tensorflow, plain, feeds), results, `${spec.name}: as written, TensorFlow.js, against simplified`);
  if (built.wrt.length > 0 && !spec.declared) checkDifferences(spec, built, feeds, results);
}

describe(`operations (fast-check seed ${SEED})`, () => {
  test.each(cases.map((spec) => [spec.name, spec] as const))('%s', (_name, spec) => {
    fc.assert(
      fc.property(drawn, (choice) => check(spec, choice)),
      { seed: SEED, numRuns: RUNS },
    );
  });
});

describe('every operation is in some case', () => {
  test('what is exported', () => {
    const covered = new Set(cases.flatMap((spec) => spec.covers ?? [spec.name]));
    const notCases = ['operations', 'gradient', 'hessianVectorProduct']; // every case is held to the latter two
    expect(Object.keys(exported).filter((name) => !covered.has(name) && !notCases.includes(name))).toEqual([]);
  });

  test('what is registered', () => {
    const seen = new Set<string>();
    for (const spec of cases)
      for (const seed of [0, 1])
        for (const node of program(
          build(
            spec,
            new Drawing({
              sizes: [2, 3, 2],
              symbolic: [true, false, true],
              rank: 3,
              drops: [0, 1, 0],
              ones: Array<boolean[]>(3).fill([false, false, false]),
              pick: seed,
              seed,
            }),
            { simplify: false },
          ).outputs,
        ).nodes)
          seen.add(node.operation.name);
    expect(operations.map(({ name }) => name).filter((name) => !seen.has(name))).toEqual([]);
    expect(new Set(operations.map(({ name }) => name)).size).toBe(operations.length);
  });
});
