/** Substitution gives what building with the replaced values would have given, slopes of one's own included. */
import { afterAll, expect, test } from 'vitest';
import { EXACT, expectClose } from '../base/testing/closeTo.ts';
import { evaluateOnce } from '../execute/executor.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { add, customGradient, exp, gradient, matmul, multiply, sin, site, softmax, split, square, sum } from '../ops/index.ts';
import { Graph } from './graph.ts';
import { program, reachableNodes } from './program.ts';
import { substitute } from './rebuild.ts';
import type { Value } from './value.ts';

const executor = new OnnxRuntimeExecutor({ cacheBytes: 0 });
afterAll(() => executor.dispose());

/** Different numbers in [-1.2, 1.2]. */
const numbers = (shape: readonly number[]) => ({
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_entry, i) => 1.2 * Math.sin(5 * i + 1)),
  shape,
});

function expectEqual(mine: Value, theirs: Value): void {
  const compiled = program({ mine, theirs });
  const feeds = Object.fromEntries([...compiled.inputs].map(([name, { shape }]) => [name, numbers(shape as number[])]));
  const results = evaluateOnce(executor, compiled, feeds);
  expectClose(results.mine.data, results.theirs.data, EXACT, 'substituted');
}

test('what depends on a replaced value is built anew, the rest is shared', () => {
  const graph = new Graph();
  const x = graph.input('x', [2, 3]);
  const y = graph.input('y', [2, 3]);
  const middle = sin(x);
  const aside = exp(y);
  const out = add(square(middle), aside);
  const [replaced, same] = substitute([out, aside], new Map([[middle, y]]));
  expect(same).toBe(aside);
  expect([...program({ replaced }).inputs.keys()]).toEqual(['y']);
  expectEqual(replaced, add(square(y), exp(y)));
});

test('a replacement may depend on what it replaces', () => {
  const graph = new Graph();
  const x = graph.input('x', [2, 3]);
  const middle = sin(x);
  const [replaced] = substitute([square(middle)], new Map([[middle, add(middle, 1)]]));
  expectEqual(replaced, square(add(sin(x), 1)));
});

test('one output of several may be replaced', () => {
  const graph = new Graph();
  const x = graph.input('x', [2, 3]);
  const y = graph.input('y', [2, 1]);
  const [left, right] = split(exp(x), -1, [1, 2]);
  const out = add(left, sum(right, { axes: [-1], keep: true }));
  expectEqual(substitute([out], new Map([[left, y]]))[0], add(y, sum(right, { axes: [-1], keep: true })));
});

test('a gradient of its own that names values by closure reads them replaced, to second order', () => {
  const graph = new Graph();
  const w = graph.input('w', [3, 3]);
  const x = graph.input('x', [2, 3]);
  const y = graph.input('y', [2, 3]);
  /** Σ over a customGradient whose rule names `logits`, not its node's inputs; the rule's own slopes have such a gradient again. */
  const objective = (from: Value, name: string) => {
    const logits = site(name, matmul(from, w));
    const sine = customGradient(sin(logits), [logits], (d) => [
      multiply(
        d,
        customGradient(softmax(logits), [logits], (e) => [multiply(e, exp(logits))]),
      ),
    ]);
    return sum(multiply(sine, from));
  };
  const base = exp(x);
  const [mine] = substitute([objective(base, 'a')], new Map([[base, y]]));
  const theirs = objective(y, 'b');
  const slopes = [mine, theirs].map((loss) => gradient(loss, [w])[0]);
  for (const slope of slopes) expect([...program({ slope }).inputs.keys()].sort()).toEqual(['w', 'y']);
  expectEqual(slopes[0], slopes[1]);
  const seconds = slopes.map((slope) => gradient(sum(square(slope)), [w])[0]);
  for (const second of seconds) expect([...program({ second }).inputs.keys()].sort()).toEqual(['w', 'y']);
  expectEqual(seconds[0], seconds[1]);
  expect(reachableNodes([slopes[0]]).length).toBe(reachableNodes([slopes[1]]).length);
});

test('another shape or dtype is refused', () => {
  const graph = new Graph();
  const x = graph.input('x', [2, 3]);
  const middle = sin(x);
  expect(() => substitute([square(middle)], new Map([[middle, graph.input('y', [3, 2])]]))).toThrow(
    'substitute: replacement must be float32[2, 3], got "float32[3, 2]"',
  );
  expect(() => substitute([square(middle)], new Map([[middle, graph.input('i', [2, 3], 'int32')]]))).toThrow('got "int32[2, 3]"');
});
