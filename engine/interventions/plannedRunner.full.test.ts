/** The planned way against whole forwards of both executors: every architecture option, and prompts that differ from the start, the middle, the end on. */
import { afterAll, expect, test } from 'vitest';
import { recordFigure } from '../../scripts/figures.ts';
import { EXACT, expectClose } from '../base/testing/closeTo.ts';
import { Random } from '../base/random.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { TensorFlowExecutor } from '../execute/tensorflow.ts';
import { options } from '../models/testing/options.ts';
import { randomWeights } from '../models/testing/plainTransformer.ts';
import { metricOf } from './effects.ts';
import { modelGraph } from './modelGraph.ts';
import { PlannedRunner } from './plannedRunner.ts';
import { drawnPairs, meanGap } from './testing/drawnPairs.ts';
import { ALLOWED, holdToWholes, LENGTH } from './testing/holdToWholes.ts';
import { heads } from './testing/screens.ts';
import { WholeRunner } from './wholeRunner.ts';

const onnx = new OnnxRuntimeExecutor();
const tensorflow = new TensorFlowExecutor();
afterAll(() => onnx.dispose());

test.each(Object.entries({ 'as it is by default': {}, ...options }))('%s', async (_name, option) => {
  await holdToWholes([onnx, tensorflow], option, [0, LENGTH / 2, LENGTH - 1]);
});

test('four layers d128 H4 T32, 64 pairs, heads × 32 positions: by one thread and two, and a sample of cells as whole forwards', async () => {
  const config = { vocabulary: 128, positions: 32, width: 128, heads: 4, layers: 4, mlp: 512 };
  const model = modelGraph({ config, parameters: randomWeights(config, new Random(1)) });
  const pairs = drawnPairs(config, { pairs: 64, length: 32, seed: 2 });
  const cells = Array.from({ length: 32 }, (_entry, position) => heads(config, [position])).flat();
  const seconds: number[] = [];
  const runs = [];
  for (const threads of [1, 2]) {
    const runner = new PlannedRunner(onnx, model, { threads });
    await runner.run({ ...pairs }, 'sensitive', cells);
    const began = performance.now();
    runs.push(await runner.run({ ...pairs }, 'sensitive', cells));
    seconds.push((performance.now() - began) / 1000);
    runner.dispose();
  }
  const [actual, other] = runs;
  expect(other).toEqual(actual);
  const random = new Random(3);
  const sample = random.permutation(cells.length).slice(0, 80);
  const whole = new WholeRunner(onnx, model);
  const began = performance.now();
  const expected = await whole.run(
    pairs,
    'sensitive',
    [...sample].map((i) => cells[i]),
  );
  const slow = (((performance.now() - began) / 1000) * cells.length) / sample.length;
  const gap = meanGap(metricOf(expected, 'difference'), metricOf(await whole.run(pairs, 'control', []), 'difference'));
  for (const id of expected.interventions) {
    const [one, two] = [metricOf(actual, 'difference', id), metricOf(expected, 'difference', id)];
    expectClose(one, two, { relative: 0, absolute: ALLOWED * gap }, id);
    if (actual.state[actual.interventions.indexOf(id)] === 'proved-zero') expectClose(one, metricOf(actual, 'difference'), EXACT, id);
  }
  expect(actual.state.filter((state) => state === 'proved-zero')).toHaveLength(4 * 31);
  recordFigure('heads × positions: 1 thread', seconds[0], 's');
  recordFigure('heads × positions: 2 threads', seconds[1], 's');
  recordFigure('heads × positions: cell by cell, 1 thread (from a sample)', slow, 's');
  recordFigure('heads × positions: cell by cell / planned, 1 thread each', slow / seconds[0], 'times');
  expect(slow / seconds[0]).toBeGreaterThan(2);
});
