/**
 * What `along` and `resized` promise: part of an operation's output, along one axis, is the operation on parts of those inputs that run with
 * that axis. Every node of every case is held to it, for every axis and for parts in any order, with repeats, shorter or longer than the whole.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectClose, EXACT, type Tolerance } from '../base/testing/closeTo.ts';
import { Random } from '../base/random.ts';
import { evaluateOnce } from '../execute/executor.ts';
import { TensorFlowExecutor } from '../execute/tensorflow.ts';
import { Graph } from '../graph/graph.ts';
import { program, type TensorData } from '../graph/program.ts';
import type { Node, Value } from '../graph/value.ts';
import { operations } from './index.ts';
import { cases } from './testing/cases.ts';
import type { OperationCase } from './testing/operationCase.ts';
import { Drawing, drawn, dtypeOfDomain, type Drawn } from './testing/drawing.ts';

/** Set GATESCOPE_SEED to look at other shapes. */
const SEED = Number(process.env.GATESCOPE_SEED ?? 20_260_101);
const RUNS = 15;

/** The same sums of the same numbers; the executor may add them up in another order. */
const CLOSE: Tolerance = { relative: 1e-6, absolute: 1e-6 };

const tensorflow = new TensorFlowExecutor();

/** `data` at `indices` along `axis`. */
function take({ data, shape }: TensorData, axis: number, indices: readonly number[]): TensorData {
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const outer = shape.slice(0, axis).reduce((a, b) => a * b, 1);
  const part = new (data.constructor as Float32ArrayConstructor)(outer * indices.length * inner);
  for (let i = 0; i < outer; i++)
    indices.forEach((index, j) => {
      const from = (i * shape[axis] + index) * inner;
      part.set((data as Float32Array).subarray(from, from + inner), (i * indices.length + j) * inner);
    });
  return { data: part, shape: shape.map((size, i) => (i === axis ? indices.length : size)) };
}

/** Every node of a case and the numbers of every value, with all sizes known. */
function run(spec: OperationCase, choice: Drawn) {
  const drawing = new Drawing({ ...choice, symbolic: [false, false, false] });
  const random = new Random(choice.seed);
  const graph = new Graph({ share: false, simplify: false });
  const feeds: Record<string, TensorData> = {};
  const inputs = spec.inputs(drawing).map((input, i) => {
    feeds[`x${i}`] = drawing.data(input, random);
    return graph.input(`x${i}`, input.shape, dtypeOfDomain(input.domain));
  });
  const made = spec.build(inputs, drawing);
  const { nodes } = program(Object.fromEntries((Array.isArray(made) ? (made as Value[]) : [made as Value]).map((y, i) => [`y${i}`, y])));
  const values = [...new Set(nodes.flatMap((node) => [...node.inputs, ...node.outputs]))];
  const results = evaluateOnce(tensorflow, program(Object.fromEntries(values.map((value) => [`value${value.id}`, value]))), feeds);
  return { nodes, random, numbers: (value: Value) => results[`value${value.id}`] };
}

/** What is held to its promise, by operation: axes that may be restricted. */
const seen = new Map<string, number>();

function checkNode(node: Node, numbers: (value: Value) => TensorData, random: Random): void {
  const { operation, inputs, outputs, attributes } = node;
  const shape = numbers(outputs[0]).shape;
  for (let axis = 0; axis < shape.length; axis++) {
    const axes = operation.along?.(node, axis);
    if (!axes) continue;
    expect(axes.length, `${operation.name}: an entry for each input`).toBe(inputs.length);
    const indices = Array.from({ length: 1 + random.integer(shape[axis] + 2) }, () => random.integer(shape[axis]));
    const graph = new Graph({ share: false, simplify: false });
    const feeds: Record<string, TensorData> = {};
    const parts = inputs.map((input, i) => {
      const own = axes[i];
      const part = own === undefined ? numbers(input) : take(numbers(input), own, indices);
      if (own !== undefined) expect(numbers(input).shape[own], `${operation.name}: size of input ${i} along ${own}`).toBe(shape[axis]);
      feeds[`input${i}`] = part;
      return graph.input(`input${i}`, part.shape, input.dtype);
    });
    const resized = operation.resized ? operation.resized(attributes, axis, indices.length) : attributes;
    const made = graph.apply(operation, parts, resized);
    const actual = evaluateOnce(tensorflow, program(Object.fromEntries(made.map((value, i) => [`y${i}`, value]))), feeds);
    outputs.forEach((output, i) => {
      const expected = take(numbers(output), axis, indices);
      const what = `${operation.name}: output ${i} at [${indices.join(', ')}] of axis ${axis}`;
      expect(actual[`y${i}`].shape, what).toEqual(expected.shape);
      expectClose(actual[`y${i}`].data, expected.data, output.dtype === 'float32' ? CLOSE : EXACT, what, expected.shape);
    });
    seen.set(operation.name, (seen.get(operation.name) ?? 0) + 1);
  }
}

describe(`parts of outputs from parts of inputs (fast-check seed ${SEED})`, () => {
  test.each(cases.map((spec) => [spec.name, spec] as const))('%s', (_name, spec) => {
    const property = fc.property(drawn, (choice) => {
      const { nodes, numbers, random } = run(spec, choice);
      for (const node of nodes) checkNode(node, numbers, random);
    });
    fc.assert(property, { seed: SEED, numRuns: RUNS });
  });

  test('every operation with a rule was restricted; those without one are known', () => {
    const without = operations.filter((operation) => !operation.along).map(({ name }) => name);
    expect(without).toEqual(['argMax', 'size']);
    expect(operations.filter((operation) => operation.along && !seen.has(operation.name)).map(({ name }) => name)).toEqual([]);
  });
});
