/** Random graphs whose rows are independent, with one site, drawn by fast-check, so that a failure shrinks to the fewest steps. For tests. */
import fc from 'fast-check';
import { Random } from '../../base/random.ts';
import type { Feeds } from '../../execute/executor.ts';
import { symbol } from '../../graph/dimension.ts';
import { Graph } from '../../graph/graph.ts';
import type { TensorData } from '../../graph/program.ts';
import type { Value } from '../../graph/value.ts';
import {
  add,
  concat,
  greater,
  layerNorm,
  matmul,
  mean,
  multiply,
  relu,
  sigmoid,
  site,
  slice,
  softmax,
  subtract,
  tanh,
  transpose,
  where,
} from '../../ops/index.ts';
import { normal } from './causalGraphs.ts';

export const ROWS = symbol('rows');
export const UNITS = 4;

interface Context {
  /** Parameters, as inputs with random numbers. */
  readonly weight: (...shape: number[]) => Value;
  /** [rows, {@link UNITS}] that no write reaches. */
  readonly beside: Value;
}
type Step = (context: Context, a: Value, b: Value) => Value;

const steps = {
  // Each unit by itself.
  tanh: (_context, a) => tanh(a),
  gated: (_context, a, b) => multiply(sigmoid(a), b),
  shifted: ({ weight }, a) => add(a, weight(UNITS)),
  besides: ({ beside }, a) => where(greater(beside, 0), multiply(a, beside), a),
  rectified: (_context, a, b) => relu(subtract(a, multiply(b, 0.5))),
  // Products with fixed matrices.
  linear: ({ weight }, a) => matmul(a, weight(UNITS, UNITS), { bias: weight(UNITS) }),
  scaled: ({ weight }, a) => matmul(a, weight(UNITS, UNITS), { scale: 0.5 }),
  lowRank: ({ weight }, a, b) => add(matmul(a, weight(UNITS, UNITS)), matmul(matmul(b, weight(UNITS, 2)), weight(2, UNITS))),
  computed: ({ weight }, a) => matmul(a, tanh(weight(UNITS, UNITS))),
  transposed: ({ weight }, a) => matmul(a, weight(UNITS, UNITS), { transposeB: true }),
  turned: ({ weight }, a) => transpose(matmul(weight(UNITS, UNITS), transpose(a, [1, 0])), [1, 0]),
  // Units meet.
  softmax: (_context, a) => softmax(a),
  norm: ({ weight }, a) => layerNorm(a, weight(UNITS), weight(UNITS), 0.1),
  centred: (_context, a) => subtract(a, mean(a, { axes: [-1], keep: true })),
  reversed: (_context, a) => concat([slice(a, 1, 2, 4), slice(a, 1, 0, 2)], 1),
  sum: (_context, a, b) => add(a, b),
} satisfies Record<string, Step>;

export interface DrawnGraph {
  readonly steps: readonly { readonly name: keyof typeof steps; readonly from: readonly number[] }[];
  readonly site: number;
  readonly rows: number;
  readonly seed: number;
}

export const drawnGraph: fc.Arbitrary<DrawnGraph> = fc.record({
  steps: fc.array(
    fc.record({
      name: fc.constantFrom(...(Object.keys(steps) as (keyof typeof steps)[])),
      // How far back each operand stands.
      from: fc.array(fc.nat(2), { minLength: 2, maxLength: 2 }),
    }),
    { minLength: 1, maxLength: 7 },
  ),
  site: fc.nat(4),
  rows: fc.integer({ min: 1, max: 3 }),
  seed: fc.nat(),
});

export interface UnitGraph {
  readonly graph: Graph;
  readonly site: Value;
  /** [rows, 3] */
  readonly output: Value;
  readonly feeds: Feeds;
  /** Of the inputs with rows: those of another run. */
  readonly donor: Feeds;
}

export function buildUnitGraph(drawn: DrawnGraph): UnitGraph {
  const random = new Random(drawn.seed);
  const graph = new Graph();
  const feeds: Record<string, TensorData> = {};
  const weight = (...shape: number[]) => {
    const name = `weight${graph.inputs.size}`;
    feeds[name] = normal(random, shape);
    return graph.input(name, shape);
  };
  const beside = graph.input('beside', [ROWS, UNITS]);
  const made = [graph.input('x', [ROWS, UNITS])];
  let marked: Value | undefined;
  const mark = () => (marked = made[made.length - 1] = site('here', made[made.length - 1]));
  if (drawn.site === 0) mark();
  drawn.steps.forEach(({ name, from }, i) => {
    const [a, b] = from.map((back) => made[Math.max(0, made.length - 1 - back)]);
    made.push(steps[name]({ weight, beside }, a, b));
    if (!marked && (drawn.site === i + 1 || i === drawn.steps.length - 1)) mark();
  });
  const output = matmul(made[made.length - 1], weight(UNITS, 3));
  const rows = () => normal(random, [drawn.rows, UNITS]);
  feeds.x = rows();
  feeds.beside = rows();
  return { graph, site: marked!, output, feeds, donor: { x: rows(), beside: rows() } };
}
