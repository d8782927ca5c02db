/** What changes if some hidden units are held open or shut: accuracies, and the images whose answer is another. */
import { z } from 'zod';
import type { Measure } from '../base/findings.ts';
import { Random } from '../base/random.ts';
import { wholeBetween } from '../base/schema.ts';
import { bootstrapInterval, type Interval } from '../base/statistics.ts';
import type { Analysis } from './analysis.ts';
import { checkForced, FORCED_OPEN, FORCED_SHUT, forcedFeeds, forcedUnits, forcible, inOrder, isGated } from './forcing.ts';
import { Forward, Passes } from './forward.ts';
import { angles, form, formFact, formOf } from './options.ts';
import { ACCURACY, answerOf, firstOf, ground, ImageSets } from './scoring.ts';
import { MARGIN, marginOf } from './unitEffects.ts';
import { requireUnits } from './units.ts';

const options = z.strictObject({
  units: forcedUnits.default([]).meta({ description: 'units that are held, such as L0U17=shut,L1U4=open; none: nothing changes' }),
  angles: angles([0, 45], 'degrees the images are turned by'),
  form: form('soft'),
  images: wholeBetween(2, 1_000_000).default(10_000).meta({ description: 'how many test images, in order' }),
  most: wholeBetween(1, 10_000).default(200).meta({ description: 'how many images whose answer changes are listed at each angle' }),
});

/** Samples drawn for an interval: as many as ten thousand images allow in a tenth of a second. */
const RESAMPLES = 1000;
const LEVEL = 0.95;

/** An image whose answer is another. */
interface Change {
  readonly image: number;
  readonly from: number;
  readonly to: number;
  readonly label: number;
  /** Change of the margin. */
  readonly margin: number;
}

interface AtAngle {
  readonly count: number;
  readonly right: number;
  readonly rightForced: number;
  readonly interval: Interval;
  readonly changes: readonly Change[];
}

export const forced: Analysis<typeof options> = {
  id: 'forced',
  version: 1,
  title: 'what changes if neurons are held open or shut: accuracy and answers',
  models: { least: 1, most: 1, adapter: 'optional' },
  draws: true,
  options,
  canonical(given, [{ label, model }]) {
    checkForced(`forced: ${label}`, model, formOf(model, given.form), given.units);
    return { ...given, units: inOrder(given.units) };
  },
  async run({ models: [{ label, model }], options: asked, seed }, context) {
    requireUnits('forced', label, model);
    const form = formOf(model, asked.form);
    const [clean, held] = [[], asked.units].map((units) => forcedFeeds(`forced: ${label}`, model, form, units));
    const classes = model.widths[model.widths.length - 1];
    const passes = new Passes(context, asked.angles.length);
    using forward = new Forward(context.executor, model, form, (taps) => ({ outputs: { logits: forcible(taps, form).logits } }));
    const measured: AtAngle[] = [];
    let most = 0;
    for (const angle of asked.angles) {
      const set = firstOf(new ImageSets('forced', context, 'test', angle).for(label, model), asked.images);
      most = Math.min(asked.most, set.count);
      /** −1, 0, 1: what forcing does to an answer's being right. */
      const gained = new Float64Array(set.count);
      const changes: Change[] = [];
      let [right, rightForced] = [0, 0];
      await passes.over(`forced: ${label}, ${angle}°`, set, (begin, end) => {
        const [before, after] = [clean, held].map((feeds) => forward.run(set, begin, end, angle, feeds).logits.data);
        for (let row = 0; row < end - begin; row++) {
          const label = set.labels[begin + row];
          const [from, to] = [before, after].map((logits) => answerOf(logits, row, classes));
          right += Number(from === label);
          rightForced += Number(to === label);
          if (from === to) continue;
          gained[begin + row] = Number(to === label) - Number(from === label);
          const margin = marginOf(after, row, classes, label) - marginOf(before, row, classes, label);
          changes.push({ image: begin + row, from, to, label, margin });
        }
      });
      const random = new Random(seed).fork('forced', angle);
      const interval = changes.length === 0 ? NOTHING : bootstrapInterval(gained, { random, resamples: RESAMPLES, level: LEVEL });
      measured.push({ count: set.count, right, rightForced, interval, changes: inImportance(changes) });
      await context.breathe();
    }

    const gated = isGated(model, form);
    const rule = gated ? FORCED_OPEN : FORCED_SHUT;
    const figure = (unit: string, definition: string, of: (one: AtAngle) => number): Measure => ({
      axes: ['angle'],
      unit,
      definition: `${definition}; ${rule}`,
      data: Float64Array.from(measured, of),
    });
    const listed = (definition: string, of: (change: Change) => number): Measure => ({
      axes: ['angle', 'rank'],
      unit: '',
      definition: `${definition}, of the images whose answer changes: those that become right or wrong first, by the size of the change of the ${MARGIN}; −1 beyond the last`,
      data: Int32Array.from(
        measured.flatMap(({ changes }) => Array.from({ length: most }, (_entry, i) => (i < changes.length ? of(changes[i]) : -1))),
      ),
    });
    const bootstrap = `bound of the ${100 * LEVEL} % interval of the change: percentile bootstrap over images, paired, ${RESAMPLES} resamples`;
    return {
      axes: {
        angle: { values: asked.angles, unit: '°' },
        rank: { values: Array.from({ length: most }, (_entry, i) => i + 1) },
      },
      measures: {
        accuracy: figure('%', `units let be: ${ACCURACY}`, ({ right, count }) => (100 * right) / count),
        accuracyForced: figure('%', `units held: ${ACCURACY}`, ({ rightForced, count }) => (100 * rightForced) / count),
        change: figure(
          'points',
          'accuracy with units held less that with units let be',
          ({ right, rightForced, count }) => (100 * (rightForced - right)) / count,
        ),
        changeLow: figure('points', `lower ${bootstrap}`, ({ interval }) => 100 * interval.low),
        changeHigh: figure('points', `upper ${bootstrap}`, ({ interval }) => 100 * interval.high),
        changed: {
          ...figure('images', 'images whose answer changes', () => 0),
          data: Int32Array.from(measured, ({ changes }) => changes.length),
        },
        changedImage: listed('number of the test image, from 0', ({ image }) => image),
        from: listed('place of the answer with units let be, among the classes', ({ from }) => from),
        to: listed('place of the answer with units held, among the classes', ({ to }) => to),
        label: listed('place of the right answer, among the classes', ({ label }) => label),
      },
      facts: {
        ...ground(context, { part: 'test', count: measured[0].count, angles: asked.angles }),
        model: label,
        form: formFact([model], asked.form),
        forced: asked.units.map(({ unit, state }) => `${unit} ${state}`).join(', ') || 'none',
        forcedAt: gated ? 'decision' : 'output',
        metric: MARGIN,
        denominator: `${measured[0].count} images`,
        intervals: `percentile bootstrap over images, level ${LEVEL}, ${RESAMPLES} resamples, seed ${seed}`,
      },
    };
  },
};

const NOTHING: Interval = { estimate: 0, low: 0, high: 0 };

/** Images that become right or wrong, then those that stay wrong; within both by how far the margin moves, then as they come. */
function inImportance(changes: readonly Change[]): Change[] {
  const matters = ({ from, to, label }: Change) => Number(from === label || to === label);
  return [...changes].sort((a, b) => matters(b) - matters(a) || Math.abs(b.margin) - Math.abs(a.margin) || a.image - b.image);
}
