/** All units of 784-256-128-10, both directions, 2 000 images: against whole graphs on a sample of units, and how much faster than those it is. */
import { afterAll, expect, test } from 'vitest';
import { recordFigure } from '../../scripts/figures.ts';
import { feedsOf, ROWS, tapped } from '../analyses/forward.ts';
import { Random } from '../base/random.ts';
import { median } from '../base/statistics.ts';
import { expectClose } from '../base/testing/closeTo.ts';
import type { Feeds } from '../execute/executor.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { program } from '../graph/program.ts';
import { meanDifference, NaiveUnits, randomClassifier, tabulated } from './testing/unitSweeps.ts';
import { UnitSweep, type WholeRun } from './unitSweep.ts';

const WIDTHS = [784, 256, 128, 10];
const IMAGES = 2000;
/** Rows of a whole run, as in the analyses. */
const CHUNK = 500;
/** Units of each layer that are run the slow way. */
const SAMPLE = 12;
const ROUNDS = 3;

const onnx = new OnnxRuntimeExecutor();
afterAll(() => onnx.dispose());

const secondsOf = (act: () => void): number => {
  const began = performance.now();
  act();
  return (performance.now() - began) / 1000;
};

test.each(['out', 'decision'] as const)('384 units, both directions, 2 000 images, at %s', (name) => {
  const model = randomClassifier(WIDTHS, 1, 'dopamine');
  const { logits, layers } = tapped(model, 'soft');
  const graph = { output: logits, sites: layers.map((layer) => layer[name]!), rows: ROWS };
  const fixed = feedsOf(model, 'soft');
  using sweep = new UnitSweep(onnx, graph, fixed);
  const chunks = Array.from({ length: IMAGES / CHUNK }, (_entry, chunk) =>
    [1, 2].map((kind): Feeds => {
      const data = new Float32Array(CHUNK * WIDTHS[0]);
      new Random(kind).fork(chunk).fillNormal(data, 0, 1);
      return { images: { data, shape: [CHUNK, WIDTHS[0]] } };
    }),
  );
  const directions = ([clean, donor]: WholeRun[]): [WholeRun, WholeRun][] => [
    [clean, donor],
    [donor, clean],
  ];

  let run = 0;
  const times = Array.from({ length: ROUNDS }, () =>
    secondsOf(() => {
      for (const pair of chunks)
        for (const [clean, donor] of directions(pair.map((feeds) => sweep.whole(feeds))))
          for (const site of [0, 1]) for (const { units } of sweep.run(clean, site, { op: 'swap', donor })) run += units.length;
    }),
  );
  expect(run).toBeGreaterThan(0.4 * ROUNDS * 2 * 384 * IMAGES);

  let worst = 0;
  const slow: number[][] = [[], []];
  const [clean, donor] = chunks[0].map((feeds) => sweep.whole(feeds));
  const gap = meanDifference(clean.output, donor.output);
  for (const site of [0, 1]) {
    const units = WIDTHS[site + 1];
    const naive = new NaiveUnits(onnx, graph, site, { ...fixed, ...chunks[0][0] });
    const { table } = tabulated(sweep, clean, site, { op: 'swap', donor });
    for (let i = 0; i < SAMPLE; i++) {
      const unit = Math.floor((i * units) / SAMPLE);
      let expected: Float32Array = new Float32Array();
      slow[site].push(secondsOf(() => (expected = naive.patched(unit, donor.sites[site]))));
      const actual = table.subarray(unit * expected.length, (unit + 1) * expected.length);
      expectClose(actual, expected, { relative: 0, absolute: 1e-5 * gap }, `site ${site}, unit ${unit}`);
      expected.forEach((logit, at) => (worst = Math.max(worst, Math.abs(actual[at] - logit))));
    }
  }
  const whole = onnx.compile(program({ logits }));
  const forwards = Array.from({ length: SAMPLE }, () => secondsOf(() => whole.run({ ...fixed, ...chunks[0][0] })));
  const runs = 2 * chunks.length;
  const naiveSeconds = runs * 384 * median(forwards);
  // Cut at the site, a graph need not run what only the site's own value came from.
  const suffixSeconds = runs * [0, 1].reduce((total, site) => total + median(slow[site]) * WIDTHS[site + 1], 0);
  recordFigure(`unit sweep at ${name}: 384 units × 2 directions × 2 000 images, 1 thread`, median(times), 's');
  recordFigure(`unit sweep at ${name}: one whole forward a unit, 1 thread (from a sample)`, naiveSeconds, 's');
  recordFigure(`unit sweep at ${name}: one whole forward a unit / sweep`, naiveSeconds / median(times), 'times');
  recordFigure(`unit sweep at ${name}: one graph cut at the site a unit / sweep`, suffixSeconds / median(times), 'times');
  recordFigure(`unit sweep at ${name}: largest error / gap`, worst / gap, '');
});
