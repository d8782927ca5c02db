/** The vector of a head that writes nearest to a direction: least squares, the shortest of them, and nothing where there is nothing. */
import { expect, test } from 'vitest';
import { expectClose } from '../../base/testing/closeTo.ts';
import { Random } from '../../base/random.ts';
import { headDirection, metricDirection } from './headDirections.ts';
import { plantedPairs, planted, randomModel } from './testing/subjects.ts';

const CONFIG = { vocabulary: 9, positions: 4, width: 8, heads: 2, headWidth: 5, layers: 1, mlp: 4 };

test('is a least-squares solution: what is left cannot be written, and no shorter one does as well', () => {
  const model = randomModel(CONFIG, 2);
  const out = model.parameters['blocks.0.attn.W_O'];
  // Two rows of head 1 alike: solutions are many, the shortest uses both alike.
  out.copyWithin(9 * 8, 5 * 8, 6 * 8);
  const random = new Random(1);
  const direction = Float64Array.from({ length: 8 }, () => random.normal());
  const k = headDirection(model, 0, 1, direction)!;
  const row = (i: number) => out.subarray((5 + i) * 8, (6 + i) * 8);
  const left = direction.map((value, j) => value - k.reduce((sum, x, i) => sum + x * row(i)[j], 0));
  const size = Math.hypot(...direction);
  for (let i = 0; i < 5; i++) expect(Math.abs(row(i).reduce((sum, x, j) => sum + x * left[j], 0))).toBeLessThan(1e-5 * size);
  expect(Math.hypot(...left)).toBeLessThan(size);
  expectClose([k[0]], [k[4]], { relative: 0, absolute: 1e-5 }, 'rows that are alike');
});

test('is none for a head that writes nothing there', () => {
  const { circuit, model } = planted();
  const pairs = plantedPairs();
  const metric = metricDirection(model, pairs);
  expectClose(
    [metric[circuit.features.indexOf('refuse')], metric[circuit.features.indexOf('answer 3')]],
    [1, -1 / 12],
    { relative: 0, absolute: 1e-6 },
    'metric',
  );
  expect(headDirection(model, 1, 2, metric)).toBeUndefined();
  expect(headDirection(model, 2, 0, metric)).toBeDefined();
  expect(headDirection(model, 2, 0, new Float64Array(circuit.config.width))).toBeUndefined();
});
