/** Paired differences against counting in double precision; intervals against resampling by hand. */
import { afterAll, describe, expect, test } from 'vitest';
import { EXACT, expectClose } from '../base/testing/closeTo.ts';
import { Random } from '../base/random.ts';
import { bootstrapInterval } from '../base/statistics.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { paired } from './paired.ts';
import { analysisContext, labelled, smallImages } from './testing/models.ts';
import { rightOf } from './testing/reference.ts';

const executor = new OnnxRuntimeExecutor();
afterAll(() => executor.dispose());
const context = analysisContext(executor);

const SEEDS = [1, 2, 3];
const ADAPTERS = ['dopamine', 'gain', 'lora-r2'];
const models = SEEDS.flatMap((seed) => ADAPTERS.map((adapter) => labelled(`${adapter}, seed ${seed}`, { adapter, seed })));
const angles = [0, 45];
const options = { angles, form: 'soft', part: 'test', resamples: 500, level: 0.9 } as const;
const run = (given = models, more: { angles?: number[]; resamples?: number } = {}) =>
  paired.run({ models: given, seed: 4, options: { ...options, angles, ...more } }, context);

/** Points above the foundation: [adapter][seed][angle]. */
const counted = ADAPTERS.map((adapter) =>
  SEEDS.map((seed) => {
    const { model } = models.find(({ label }) => label === `${adapter}, seed ${seed}`)!;
    return angles.map((angle) => {
      const set = smallImages('test', angle);
      return (100 * (rightOf(model, 'soft', set, angle) - rightOf(model, 'base', set, angle))) / 620;
    });
  }),
);

describe('three adapters on three foundations', () => {
  test('differences to the foundation, and between adapters on the same one', async () => {
    const { measures, axes, facts } = await run();
    expectClose(measures.difference.data, counted.flat(2), EXACT, 'difference');
    const means = counted.flatMap((bySeed) => angles.map((_angle, at) => (bySeed[0][at] + bySeed[1][at] + bySeed[2][at]) / 3));
    expectClose(measures.mean.data, means, { relative: 1e-12, absolute: 1e-12 }, 'mean');
    const pairs = [
      [0, 1],
      [0, 2],
      [1, 2],
    ];
    expect(axes.pair.values).toEqual(['dopamine − gain', 'dopamine − lora-r2', 'gain − lora-r2']);
    const between = pairs.flatMap(([one, other]) =>
      counted[one].flatMap((bySeed, i) => bySeed.map((value, at) => value - counted[other][i][at])),
    );
    expectClose(measures.pairDifference.data, between, { relative: 0, absolute: 1e-12 }, 'pairDifference');
    expect(axes.foundation.values).toEqual(SEEDS.map((seed) => `0°, 45°, seed ${seed}`));
    expect(facts).toMatchObject({
      foundations: 3,
      'n.gain': 3,
      images: 620,
      form: 'soft; models without gates have one form',
      intervals: 'percentile bootstrap over foundations, level 0.9, 500 resamples, seed 4',
    });
    expect(new Set(measures.difference.data).size).toBeGreaterThan(9);
  });

  test('intervals are those of the sample, whatever else is asked', async () => {
    const { measures } = await run();
    const sample = [0, 1, 2].map((seed) => counted[1][seed][1]);
    const random = new Random(4).fork('paired', 'gain', 45);
    const { low, high } = bootstrapInterval(sample, { random, resamples: 500, level: 0.9 });
    expectClose([measures.low.data[3], measures.high.data[3]], [low, high], EXACT, 'interval');
    // By hand: with three values a resampled mean is one of ten, and the middle 90 % of 27 equally likely triples leaves out the ends.
    const triples = sample.flatMap((a) => sample.flatMap((b) => sample.map((c) => (a + b + c) / 3))).sort((a, b) => a - b);
    expect(triples[0]).toBeLessThanOrEqual(low);
    expect(triples[26]).toBeGreaterThanOrEqual(high);
    expect([low, high].every((bound) => triples.some((mean) => Math.abs(mean - bound) < 1e-9))).toBe(true);
    const alone = await run(
      models.filter(({ model }) => model.adapter!.id === 'gain'),
      { angles: [45] },
    );
    expectClose([alone.measures.low.data[0], alone.measures.high.data[0]], [low, high], EXACT, 'interval, asked alone');
    // One resample is one mean, and shows which stream it was drawn from.
    const { measures: drawn } = await run(models, { resamples: 1 });
    const single = (name: string, degrees: number, values: readonly number[]) =>
      bootstrapInterval(values, { random: new Random(4).fork('paired', name, degrees), resamples: 1, level: 0.9 }).low;
    const expected = ADAPTERS.flatMap((name, adapter) =>
      angles.map((degrees, at) =>
        single(
          name,
          degrees,
          counted[adapter].map((row) => row[at]),
        ),
      ),
    );
    expectClose(drawn.low.data, expected, EXACT, 'one resample');
  });
});

test('one foundation has no interval, and says so', async () => {
  const { measures, facts } = await run(models.slice(0, 2));
  expectClose(measures.mean.data, [...counted[0][0], ...counted[1][0]], EXACT, 'mean');
  expect([...measures.low.data, ...measures.high.data, ...measures.pairLow.data, ...measures.pairHigh.data].every(Number.isNaN)).toBe(true);
  expect(facts.intervals).toContain('none: there is one foundation');
});

test('a missing model leaves a gap and changes nothing else', async () => {
  const whole = await run();
  const { measures, facts } = await run(models.filter(({ label }) => label !== 'gain, seed 2'));
  expectClose(
    measures.difference.data,
    counted.flat(2).map((value, i) => (i === 8 || i === 9 ? NaN : value)),
    EXACT,
    'difference',
  );
  expectClose(measures.mean.data.slice(0, 2), whole.measures.mean.data.slice(0, 2), EXACT, 'mean of another');
  expectClose(
    measures.mean.data.slice(2, 4),
    angles.map((_angle, at) => (counted[1][0][at] + counted[1][2][at]) / 2),
    { relative: 1e-12, absolute: 1e-12 },
    'mean',
  );
  expect(facts).toMatchObject({ 'n.gain': 2, 'n.dopamine': 3 });
});

test('one adapter has no pairs; two of one adapter on one foundation are refused', async () => {
  const { axes, measures } = await run(models.slice(0, 1));
  expect(axes.pair).toBeUndefined();
  expect(measures.pairMean).toBeUndefined();
  const twice = [models[0], labelled('again', { adapter: 'dopamine', variant: 1 })];
  await expect(run(twice)).rejects.toThrow(
    'paired: models must be one for each adapter and foundation, as dopamine, seed 1 is, got "again"',
  );
});
