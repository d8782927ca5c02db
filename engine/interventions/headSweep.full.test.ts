/** Heads × all positions of a model of some size: against whole graphs on a sample of cells, and how much faster than those it is. */
import { afterAll, expect, test } from 'vitest';
import { recordFigure } from '../../scripts/figures.ts';
import { EXACT, expectClose } from '../base/testing/closeTo.ts';
import { Random } from '../base/random.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { shared } from '../execute/sharedMemory.ts';
import { Team } from '../execute/team.ts';
import type { HeadSweepData } from './headSweepMember.ts';
import { gap, Naive, randomPrompts, range, room, weights } from './testing/sweeps.ts';

const CONFIG = { vocabulary: 128, positions: 32, width: 128, heads: 4, layers: 4, mlp: 512 };
const PAIRS = 64;
const CHUNK = 32;
/** Cells run the slow way; as many again of those that are proved to be zero. */
const SAMPLE = 40;
const ROUNDS = 3;

const onnx = new OnnxRuntimeExecutor();
afterAll(() => onnx.dispose());

const median = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

test('four layers d128 H4 T32, 64 pairs, heads × 32 positions', async () => {
  const { heads, layers, positions } = CONFIG;
  const drawn = randomPrompts(CONFIG, PAIRS, positions, 2);
  const prompts = {
    ...drawn,
    clean: shared(drawn.clean),
    donor: shared(drawn.donor),
    answer: shared(drawn.answer),
    other: shared(drawn.other),
  };
  const parameters = Object.fromEntries(Object.entries(weights(CONFIG, 1)).map(([name, data]) => [name, shared(data)]));
  const naive = new Naive(onnx, CONFIG, parameters, prompts);
  const tolerance = { relative: 0, absolute: 1e-5 * gap(naive) };
  const random = new Random(3);

  const seconds: Record<number, number> = {};
  const result = room(CONFIG, positions, PAIRS);
  let bits: Float32Array | undefined;
  for (const threads of [1, 2]) {
    const data: HeadSweepData = { config: CONFIG, parameters, prompts, positions: range(positions), ...result };
    const team = await Team.create(new URL('./headSweepMember.ts', import.meta.url).href, data, { threads, chunk: CHUNK });
    const times = range(ROUNDS).map(() => {
      const began = performance.now();
      team.run(PAIRS);
      return (performance.now() - began) / 1000;
    });
    await team.dispose();
    seconds[threads] = median(times);
    if (bits) expectClose(result.patched, bits, EXACT, `${threads} threads`);
    bits = result.patched.slice();
  }

  expectClose(result.clean, naive.clean, tolerance, 'clean');
  expectClose(result.donor, naive.donor, tolerance, 'donor');
  let worst = 0;
  const times: number[] = [];
  const check = (layer: number, head: number, position: number) => {
    const began = performance.now();
    const expected = naive.cell(layer, head, position);
    times.push((performance.now() - began) / 1000);
    const begin = ((layer * heads + head) * positions + position) * PAIRS;
    const actual = result.patched.subarray(begin, begin + PAIRS);
    const what = `L${layer}H${head} at ${position}`;
    if (layer === layers - 1 && position < positions - 1) {
      expectClose(actual, result.clean, EXACT, `${what}: proved zero`);
      expectClose(expected, naive.clean, EXACT, `${what}: zero in the naive way`);
    } else expectClose(actual, expected, tolerance, what);
    expected.forEach((metric, pair) => (worst = Math.max(worst, Math.abs(actual[pair] - metric))));
  };
  // The same number of cells of each layer, so that their mean time is that of all: whole graphs are cut at z, and later layers cost less.
  for (const layer of range(layers)) {
    for (let i = 0; i < SAMPLE / layers; i++) check(layer, random.integer(heads), random.integer(positions));
    for (const head of range(heads)) check(layer, head, positions - 1);
  }

  const cells = layers * heads * positions;
  // What runs cell by cell would take, on one core: they share no rows, so two cores would at best take half.
  const slow = (times.reduce((a, b) => a + b, 0) / times.length) * cells;
  recordFigure('head sweep, all positions: 1 thread', seconds[1], 's');
  recordFigure('head sweep, all positions: 2 threads', seconds[2], 's');
  recordFigure('head sweep, all positions: cell by cell, 1 thread (from a sample)', slow, 's');
  recordFigure('head sweep, all positions: cell by cell / sweep, 1 thread each', slow / seconds[1], 'times');
  recordFigure('head sweep, all positions: largest error / gap', worst / gap(naive), '');
  expect(slow / seconds[1]).toBeGreaterThan(2);
});
