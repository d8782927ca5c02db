/** Paired differences over seeds: each adapter against its own foundation, and adapters against one another on the same one. */
import { z } from 'zod';
import type { Measure } from '../base/findings.ts';
import { Random } from '../base/random.ts';
import { between, wholeBetween } from '../base/schema.ts';
import { bootstrapInterval, mean, type Interval } from '../base/statistics.ts';
import type { Analysis } from './analysis.ts';
import { differencesOf } from './differences.ts';
import { angles, form, formFact, part } from './options.ts';
import { ground, pointsAbove } from './scoring.ts';

const options = z.strictObject({
  angles: angles([0, 45], 'degrees the images are turned by'),
  form: form('soft'),
  part,
  resamples: wholeBetween(1, 1_000_000).default(10_000).meta({ description: 'samples drawn with replacement for an interval' }),
  level: between(0.5, 0.999).default(0.95).meta({ description: 'share of the resampled means that an interval holds' }),
});

export const paired: Analysis<typeof options> = {
  id: 'paired',
  version: 1,
  title: 'paired differences over seeds, with bootstrap intervals',
  models: { least: 1, most: Infinity, adapter: 'any' },
  options,
  draws: true,
  async run({ models, options: asked, seed }, context) {
    const { adapters, foundations, bases, count, score, gain } = await differencesOf('paired', models, asked, context);
    const pairs = adapters.flatMap((_one, i) => adapters.slice(i + 1).map((_other, j) => [i, i + 1 + j] as const));
    const names = pairs.map(([one, other]) => `${adapters[one]} − ${adapters[other]}`);

    /** Figures of every row (an adapter, a pair) at every angle: by foundation, and over the foundations that have one. */
    const summarise = (
      axis: string,
      rows: readonly string[],
      what: string,
      figure: (row: number, foundation: number, angle: number) => number | undefined,
    ) => {
      const byFoundation = rows.flatMap((_row, row) =>
        foundations.flatMap((_foundation, foundation) => asked.angles.map((_angle, angle) => figure(row, foundation, angle) ?? NaN)),
      );
      const summaries = rows.flatMap((name, row) =>
        asked.angles.map((degrees, angle) => {
          const sample = foundations.flatMap((_foundation, foundation) => figure(row, foundation, angle) ?? []);
          // A stream of its own, so that an interval does not depend on what else is asked.
          return intervalOf(sample, { ...asked, random: new Random(seed).fork('paired', name, degrees) });
        }),
      );
      const over = (definition: string, value: (interval: Interval) => number): Measure => ({
        axes: [axis, 'angle'],
        unit: 'points',
        definition,
        data: Float64Array.from(summaries, value),
      });
      const sample = `${what}, over the foundations`;
      const rule = `percentile bootstrap of the mean, ${asked.resamples} resamples; NaN with fewer than two foundations`;
      return {
        each: {
          axes: [axis, 'foundation', 'angle'],
          unit: 'points',
          definition: `${what}; NaN where there is no such model`,
          data: Float64Array.from(byFoundation),
        },
        mean: over(`mean of: ${sample}`, ({ estimate }) => estimate),
        low: over(`lower bound at level ${asked.level} of the mean of: ${sample}; ${rule}`, ({ low }) => low),
        high: over(`upper bound at level ${asked.level} of the mean of: ${sample}; ${rule}`, ({ high }) => high),
      };
    };

    const own = summarise('adapter', adapters, 'accuracy of the adapter less that of its own foundation', gain);
    const between = summarise(
      'pair',
      names,
      'accuracy of the first adapter less that of the second, on the same foundation',
      (row, foundation, angle) => {
        const [one, other] = pairs[row].map((adapter) => score(adapter, foundation, angle));
        return one && other && pointsAbove(one, other);
      },
    );
    return {
      axes: {
        adapter: { values: adapters },
        ...(pairs.length > 0 && { pair: { values: names } }),
        foundation: { values: foundations.map(({ label }) => label) },
        angle: { values: asked.angles, unit: '°' },
      },
      measures: {
        base: {
          axes: ['foundation', 'angle'],
          unit: '%',
          definition: 'right answers of the foundation alone, of all images',
          data: Float64Array.from(bases.flat(), (base) => (100 * base.right) / base.count),
        },
        difference: own.each,
        mean: own.mean,
        low: own.low,
        high: own.high,
        ...(pairs.length > 0 && { pairDifference: between.each, pairMean: between.mean, pairLow: between.low, pairHigh: between.high }),
      },
      facts: {
        ...ground(context, { ...asked, count }),
        form: formFact(
          models.map(({ model }) => model),
          asked.form,
        ),
        foundations: foundations.length,
        ...Object.fromEntries(
          adapters.map((id, adapter) => [`n.${id}`, foundations.filter((_foundation, i) => score(adapter, i, 0) !== undefined).length]),
        ),
        intervals:
          foundations.length < 2
            ? 'none: there is one foundation, and one value has no spread'
            : `percentile bootstrap over foundations, level ${asked.level}, ${asked.resamples} resamples, seed ${seed}`,
      },
    };
  },
};

/** NaN bounds for fewer than two values, NaN throughout for none. */
function intervalOf(sample: readonly number[], drawing: { random: Random; resamples: number; level: number }): Interval {
  if (sample.length >= 2) return bootstrapInterval(sample, drawing);
  return { estimate: sample.length === 1 ? mean(sample) : NaN, low: NaN, high: NaN };
}
