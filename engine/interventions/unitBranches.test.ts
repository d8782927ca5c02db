/** Where changes of units may enter, found in graphs of many forms; every form against whole graphs, and what is refused. */
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { UserError } from '../base/errors.ts';
import { Random } from '../base/random.ts';
import { expectClose } from '../base/testing/closeTo.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { times } from '../graph/dimension.ts';
import { Graph } from '../graph/graph.ts';
import type { Value } from '../graph/value.ts';
import { add, gather, matmul, mean, multiply, reshape, sigmoid, site, softmax, subtract, tanh, transpose } from '../ops/index.ts';
import { normal } from './testing/causalGraphs.ts';
import { buildUnitGraph, drawnGraph, ROWS, UNITS } from './testing/unitGraphs.ts';
import { NaiveUnits, tabulated } from './testing/unitSweeps.ts';
import { unitBranches } from './unitBranches.ts';
import { unitProducts } from './unitProducts.ts';
import { UnitSweep } from './unitSweep.ts';

const SEED = 20260101;
const onnx = new OnnxRuntimeExecutor();
afterAll(() => onnx.dispose());

describe(`random graphs (fast-check seed ${SEED})`, () => {
  test('a sweep is whole graphs with the site changed, whichever way changes enter', () => {
    const forms = { added: 0, replaced: 0, unread: 0 };
    fc.assert(
      fc.property(drawnGraph, (drawn) => {
        const { output, site: at, feeds, donor: other } = buildUnitGraph(drawn);
        const graph = { output, sites: [at], rows: ROWS };
        const naive = new NaiveUnits(onnx, graph, 0, feeds);
        const otherSite = new NaiveUnits(onnx, graph, 0, { ...feeds, ...other }).site;
        for (const products of [true, false]) {
          using sweep = new UnitSweep(onnx, graph, feeds, { products });
          if (products) forms[sweep.form(0)] += 1;
          const [clean, donor] = [sweep.whole({}), sweep.whole(other)];
          for (const value of [otherSite, 0.75]) {
            const { table } = tabulated(sweep, clean, 0, typeof value === 'number' ? { op: 'set', value } : { op: 'swap', donor });
            for (let unit = 0; unit < UNITS; unit++)
              // Sums of a few float32 terms, put together in another order, through at most seven steps.
              expectClose(
                table.subarray(unit * clean.output.length, (unit + 1) * clean.output.length),
                naive.patched(unit, value),
                { relative: 2e-5, absolute: 2e-5 },
                `products ${products}, unit ${unit}`,
              );
          }
        }
      }),
      { seed: SEED, numRuns: 150 },
    );
    // Both ways are taken often enough to mean something.
    expect(Math.min(forms.added, forms.replaced)).toBeGreaterThan(20);
  });
});

describe('where changes enter', () => {
  const graph = new Graph();
  const input = (name: string, ...shape: number[]) => graph.input(name, shape);
  const x = site('here', graph.input('x', [ROWS, 3]));
  const [square, other, flat] = [input('square', 3, 3), input('other', 3, 2), input('flat', 3)];
  const product = matmul(x, square, { bias: flat, scale: 2 });
  const entered = (output: Value) => unitProducts(output, x)?.map(({ factor, weight }) => [factor, weight]);

  test.each<[string, Value, readonly (readonly Value[])[] | undefined]>([
    ['a product', product, [[x, square]]],
    ['a product behind what acts on each unit', matmul(tanh(multiply(x, flat)), other), [[tanh(multiply(x, flat)), other]]],
    ['two products of one factor', add(matmul(x, other), matmul(product, other)), [[x, square], [x, other]]], // prettier-ignore
    ['products of two factors', add(product, matmul(sigmoid(x), square)), [[x, square], [sigmoid(x), square]]], // prettier-ignore
    ['no product', tanh(x), undefined],
    ['a residual way around it', add(product, x), undefined],
    ['units that meet first', matmul(softmax(x), square), undefined],
    ['a weight that depends on the units', matmul(x, matmul(x, x, { transposeA: true })), undefined],
    ['a transposed weight', matmul(x, square, { transposeB: true }), undefined],
    ['units on an axis that is not summed', matmul(reshape(x, [ROWS, 3, 1]), input('column', 1, 2)), undefined],
    ['another axis', matmul(square, transpose(x, [1, 0])), undefined],
  ])('%s', (_name, output, expected) => expect(entered(output)).toEqual(expected));
});

test('products of two factors change by what each of them changes', () => {
  const graph = new Graph();
  const x = site('here', graph.input('x', [ROWS, 3]));
  const [square, other] = [graph.input('square', [3, 2]), graph.input('other', [3, 2])];
  const output = tanh(add(matmul(x, square, { scale: 2 }), matmul(sigmoid(x), other)));
  const random = new Random(4);
  const feeds = { x: normal(random, [5, 3]), square: normal(random, [3, 2]), other: normal(random, [3, 2]) };
  const swept = { output, sites: [x], rows: ROWS };
  const sweep = new UnitSweep(onnx, swept, feeds);
  const naive = new NaiveUnits(onnx, swept, 0, feeds);
  expect(sweep.form(0)).toBe('added');
  const { table } = tabulated(sweep, sweep.whole({}), 0, { op: 'set', value: 0.5 });
  for (const unit of [0, 1, 2])
    expectClose(table.subarray(10 * unit, 10 * (unit + 1)), naive.patched(unit, 0.5), { relative: 1e-6, absolute: 0 }, `unit ${unit}`);
});

describe('refused: rows that see one another', () => {
  test.each<[string, (x: Value) => Value, RegExp]>([
    ['by a mean', (x) => subtract(x, mean(x, { axes: [0] })), /cut rows: graph\/mean.* must have one axis of rows, .* got "float32\[3\]"/],
    ['by a product over rows', (x) => matmul(softmax(matmul(x, x, { transposeB: true })), x), /cut rows: graph\/matmul/],
    ['by an index', (x) => gather(tanh(x), x.graph.input('index', [ROWS], 'int32')), /cut rows: graph\/gather.* got "float32\[rows, 3\]"/],
    ['merged with units', (x) => reshape(tanh(x), [times(3, ROWS)]), /cut rows: graph\/reshape.* got "float32\[3·rows\]"/],
  ])('%s', (_name, build, message) => {
    const x = site('here', new Graph().input('x', [ROWS, 3]));
    const output = build(x);
    const act = () => unitBranches({ output, site: x, rows: ROWS, products: true });
    expect(act).toThrow(UserError);
    expect(act).toThrow(message);
  });
});
