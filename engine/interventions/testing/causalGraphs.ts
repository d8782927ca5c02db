/** Random causal graphs with one site, drawn by fast-check, so that a failure shrinks to the fewest steps that show it. For tests. */
import fc from 'fast-check';
import { Random } from '../../base/random.ts';
import { symbol } from '../../graph/dimension.ts';
import { Graph } from '../../graph/graph.ts';
import type { TensorData } from '../../graph/program.ts';
import type { Value } from '../../graph/value.ts';
import { causalMask, HIDDEN } from '../../models/transformer.ts';
import {
  add,
  broadcastTo,
  cast,
  concat,
  cos,
  customGradient,
  expandAxis,
  gather,
  gelu,
  greater,
  layerNorm,
  logSoftmax,
  matmul,
  maximum,
  mean,
  mergeAxes,
  multiply,
  negate,
  oneHot,
  reshape,
  rmsNorm,
  sin,
  site,
  slice,
  softmax,
  split,
  straightThrough,
  stopGradient,
  sum,
  takeAlong,
  tanh,
  topK,
  transpose,
  where,
} from '../../ops/index.ts';
import { POSITIONS } from '../suffix.ts';

export const ROWS = symbol('rows');
export const WIDTH = 4;

interface Context {
  readonly graph: Graph;
  readonly mask: Value;
  /** Parameters, as inputs with random numbers. */
  readonly weight: (...shape: number[]) => Value;
}
type Step = (context: Context, a: Value, b: Value, c: Value) => Value;

/** [head, role of the query, role of the key] */
const HIDES = [0, 0, 0, 0, 0, 0, HIDDEN, 0];

/** [rows, positions, width] as [rows, heads, positions, d]. */
const heads = (x: Value, count: number, width = WIDTH) => transpose(reshape(x, [ROWS, POSITIONS, count, width / count]), [0, 2, 1, 3]);
const merged = (z: Value) => mergeAxes(transpose(z, [0, 2, 1, 3]), 2, 4);
const attend = (q: Value, k: Value, v: Value, mask: Value, scale: number) =>
  matmul(softmax(add(matmul(q, k, { transposeB: true, scale }), mask)), v);

const steps = {
  gelu: (_context, a) => gelu(a),
  product: (_context, a, b) => tanh(multiply(a, b)),
  together: (_context, a, b) => add(a, b),
  largest: (_context, a, b) => maximum(a, b),
  choice: (_context, a, b, c) => where(greater(a, b), c, multiply(a, 0.5)),
  layerNorm: ({ weight }, a) => layerNorm(a, weight(WIDTH), weight(WIDTH), 0.1),
  rmsNorm: ({ weight }, a) => rmsNorm(a, weight(WIDTH), 0.1),
  softmax: (_context, a) => softmax(a),
  straightThrough: (_context, a, b) => straightThrough(tanh(a), b),
  ownGradient: (_context, a, b) => customGradient(tanh(a), [b], (d) => [d]),
  taken: (_context, a, b) => takeAlong(a, concat([topK(b, 2).indices, cast(greater(slice(b, 2, 0, 2), 0), 'int32')], 2)),
  logSoftmax: (_context, a) => logSoftmax(stopGradient(a)),
  linear: ({ weight }, a) => matmul(a, weight(WIDTH, 6), { bias: weight(6) }),
  average: (_context, a) => broadcastTo(mean(a, { axes: [-1], keep: true }), a.shape),
  pieces: (_context, a, b) => concat([slice(a, -1, 1, 3), split(b, -1, [1, 2, 1])[1]], 2),
  transposed: ({ weight }, a) => transpose(matmul(weight(WIDTH, WIDTH), transpose(a, [0, 2, 1]), { scale: 0.5 }), [0, 2, 1]),
  position: ({ graph, weight }, a) => add(a, gather(weight(16, WIDTH), graph.inputs.get('positions')!)),
  attention: ({ mask }, a, b, c) => attend(a, b, c, mask, 0.7),
  twoHeads: ({ mask }, a, b, c) => merged(attend(heads(a, 2), heads(b, 2), heads(c, 2), mask, 1)),
  /** Queries, keys and values from one product, as in GPT-2; keys transposed by hand; scores and pattern are sites. */
  selfAttention: ({ graph, weight, mask }, a) => {
    const [q, k, v] = split(matmul(a, weight(WIDTH, 3 * WIDTH), { bias: weight(3 * WIDTH) }), -1, [WIDTH, WIDTH, WIDTH]).map((x) =>
      heads(x, 4),
    );
    return graph.within(`attention${graph.sites.size}`, () => {
      const scores = site('scores', add(mask, matmul(q, transpose(k, [0, 1, 3, 2]))));
      return add(a, merged(matmul(site('pattern', softmax(scores)), v)));
    });
  },
  /** Queries, keys and values with positions as their last axis. */
  positionsLast: ({ mask }, a, b, c) => {
    const turned = (x: Value) => transpose(x, [0, 2, 1]);
    const scores = matmul(turned(a), turned(b), { transposeA: true, scale: 0.5 });
    return matmul(softmax(add(scores, mask)), turned(c), { transposeB: true });
  },
  /** Two heads, of which the second does not see some roles; one head of keys and values serves both. */
  attentionByRole: ({ graph, mask }, a, b, c) => {
    const roles = graph.inputs.get('roles')!;
    const table = graph.constant(Float32Array.from(HIDES), [2, 2, 2]);
    const hiding = gather(gather(table, roles, 1), roles, 2);
    const shared = (x: Value) => gather(heads(slice(x, 2, 0, 2), 1, 2), graph.constant(Int32Array.of(0, 0), [2]), 1);
    return merged(attend(heads(a, 2), shared(b), shared(c), add(mask, hiding), 1));
  },
  /** Halves turned by the number of the position. */
  rotary: ({ graph }, a) => {
    const angles = expandAxis(cast(graph.inputs.get('positions')!, 'float32'), 1);
    const [first, second] = split(a, -1, [2, 2]);
    return add(multiply(a, cos(angles)), multiply(concat([negate(second), first], -1), sin(angles)));
  },
  writtenByRole: ({ graph }, a, b) => {
    const roles = graph.inputs.get('roles')!;
    return add(b, multiply(a, gather(graph.constant(Float32Array.of(1, 0), [2, 1]), roles)));
  },
  /** Each position takes the expert that is best for it. */
  routed: ({ weight }, a, b) => {
    const chosen = oneHot(topK(matmul(b, weight(WIDTH, 3)), 1).indices, 3);
    return sum(
      multiply(
        transpose(chosen, [0, 1, 3, 2]),
        concat(
          [tanh(a), a, gelu(a)].map((x) => expandAxis(x, 2)),
          2,
        ),
      ),
      { axes: [2] },
    );
  },
} satisfies Record<string, Step>;

export interface DrawnGraph {
  readonly steps: readonly { readonly name: keyof typeof steps; readonly from: readonly number[] }[];
  readonly site: number;
  readonly length: number;
  readonly branches: number;
  readonly seed: number;
}

export const drawnGraph: fc.Arbitrary<DrawnGraph> = fc.record({
  steps: fc.array(
    fc.record({
      name: fc.oneof(
        fc.constantFrom(...(Object.keys(steps) as (keyof typeof steps)[])),
        fc.constantFrom(
          'attention' as const,
          'twoHeads' as const,
          'selfAttention' as const,
          'attentionByRole' as const,
          'positionsLast' as const,
        ),
      ),
      // How far back each operand stands.
      from: fc.array(fc.nat(3), { minLength: 3, maxLength: 3 }),
    }),
    { minLength: 1, maxLength: 9 },
  ),
  site: fc.nat(5),
  length: fc.integer({ min: 1, max: 5 }),
  branches: fc.integer({ min: 1, max: 3 }),
  seed: fc.nat(),
});

export interface CausalGraph {
  readonly graph: Graph;
  /** [rows, positions, {@link WIDTH}], both. */
  readonly site: Value;
  readonly output: Value;
  /** The results of all steps, likewise. */
  readonly made: readonly Value[];
  readonly mask: Value;
  readonly feeds: Record<string, TensorData>;
  readonly random: Random;
}

export function buildCausalGraph(drawn: DrawnGraph, rows: number): CausalGraph {
  const random = new Random(drawn.seed);
  const { length } = drawn;
  const graph = new Graph();
  const feeds: Record<string, TensorData> = {};
  const mask = graph.input('mask', [POSITIONS, POSITIONS]);
  feeds.mask = { data: causalMask(length), shape: [length, length] };
  graph.input('positions', [POSITIONS], 'int32');
  graph.input('roles', [POSITIONS], 'int32');
  // The second role reads itself at least.
  feeds.roles = { data: Int32Array.from({ length }, () => random.integer(2)), shape: [length] };
  feeds.positions = { data: Int32Array.from({ length }, (_entry, i) => i), shape: [length] };
  const weight = (...shape: number[]) => {
    const name = `weight${graph.inputs.size}`;
    feeds[name] = normal(random, shape);
    return graph.input(name, shape);
  };
  feeds.x = normal(random, [rows, length, WIDTH]);
  const made = [graph.input('x', [ROWS, POSITIONS, WIDTH])];
  let marked: Value | undefined;
  const mark = () => (marked = made[made.length - 1] = site('here', made[made.length - 1]));
  if (drawn.site === 0) mark();
  drawn.steps.forEach(({ name, from }, i) => {
    const operands = from.map((back) => made[Math.max(0, made.length - 1 - back)]) as [Value, Value, Value];
    const result = steps[name]({ graph, mask, weight }, ...operands);
    made.push(result.shape[2] === WIDTH ? result : slice(result, 2, 0, WIDTH));
    if (!marked && (drawn.site === i + 1 || i === drawn.steps.length - 1)) mark();
  });
  return { graph, site: marked!, output: made.at(-1)!, made, mask, feeds, random };
}

export function normal(random: Random, shape: readonly number[]): TensorData {
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
  random.fillNormal(data, 0, 1);
  return { data, shape };
}
