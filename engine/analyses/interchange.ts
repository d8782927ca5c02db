/**
 * Necessity and sufficiency of every hidden unit, by interchange between the same digit at an old and a new angle (Geiger et al. 2021,
 * arXiv:2106.02997): a unit is swapped, alone, for what it is on the other image.
 *
 * necessity = mean[M(x⁺) − M(x⁺; j ← x⁻)], sufficiency = mean[M(x⁻; j ← x⁺) − M(x⁻)], with the margin M, the sensitive image x⁺ (new angle) and the
 * control x⁻ (old angle). As shares both are divided by the mean gap mean[M(x⁺) − M(x⁻)], never pair by pair, where small gaps would explode.
 */
import { z } from 'zod';
import { UserError } from '../base/errors.ts';
import type { Findings, Measure } from '../base/findings.ts';
import { Random } from '../base/random.ts';
import { wholeBetween } from '../base/schema.ts';
import { bootstrapInterval, type Interval } from '../base/statistics.ts';
import type { ImageSet } from '../tasks/dataReference.ts';
import type { Analysis } from './analysis.ts';
import { angle, form, formFact, formOf } from './options.ts';
import { ground, ImageSets } from './scoring.ts';
import { chunksOf, ClassifierUnits, MARGIN, rightIn, STATE, UnitEffects, type Judged } from './unitEffects.ts';
import { requireUnits, unitLabels } from './units.ts';

/** Of the interval that says whether the gap may be divided by. */
const RESAMPLES = 2000;

const options = z.strictObject({
  control: angle(0, 'degrees of the control image x⁻: the old mode'),
  sensitive: angle(45, 'degrees of the sensitive image x⁺, the same digit: the new mode'),
  site: z
    .enum(['output', 'decision'], 'must be "output" or "decision"')
    .default('output')
    .meta({ description: "what is swapped of a unit: what the next layer reads, or its gate's decision" }),
  form: form('soft'),
  images: wholeBetween(2, 1_000_000).default(2000).meta({ description: 'how many test images, in order' }),
});

export const interchange: Analysis<typeof options> = {
  id: 'interchange',
  version: 1,
  title: 'necessity and sufficiency of every neuron, swapped between two angles of the same digit',
  models: { least: 1, most: 1, adapter: 'optional' },
  options,
  draws: true,
  async run({ models: [{ label, model }], seed, options: asked }, context) {
    requireUnits('interchange', label, model);
    const imagesAt = (angle: number) => new ImageSets('interchange', context, 'test', angle).for(label, model);
    const [sensitive, control] = [imagesAt(asked.sensitive), imagesAt(asked.control)];
    requireSameDigits(sensitive, control);
    const count = Math.min(asked.images, sensitive.count);
    const units = unitLabels(model);
    const [noised, denoised] = [new UnitEffects(units.length), new UnitEffects(units.length)];
    const moved = new Float64Array(units.length);
    const gaps: number[] = [];
    const right = { sensitive: 0, control: 0 };

    using sweep = new ClassifierUnits(context.executor, { place: 'interchange', model, form: formOf(model, asked.form), site: asked.site });
    for (const { begin, end } of chunksOf(count)) {
      context.progress({ stage: `interchange: ${label}`, done: begin, total: count });
      const plus = sweep.judge(sensitive, begin, end, asked.sensitive);
      const minus = sweep.judge(control, begin, end, asked.control);
      plus.margins.forEach((margin, row) => gaps.push(margin - minus.margins[row]));
      right.sensitive += rightIn(plus);
      right.control += rightIn(minus);
      addMoved(moved, plus, minus);
      await sweep.count(noised, plus, { op: 'swap', donor: minus.run }, context.breathe);
      await sweep.count(denoised, minus, { op: 'swap', donor: plus.run }, context.breathe);
    }

    const gap = bootstrapInterval(gaps, { random: new Random(seed).fork('interchange', 'gap'), resamples: RESAMPLES });
    return {
      axes: { unit: { values: units } },
      measures: {
        ...measuresOf('necessity', {
          effects: noised,
          effect: noised.margin.map((change) => 0 - change),
          gap,
          definition: 'M(x⁺) − M(x⁺ with the unit as on x⁻)',
          swap: 'when the unit of x⁺ is swapped for that on x⁻',
        }),
        ...measuresOf('sufficiency', {
          effects: denoised,
          effect: denoised.margin,
          gap,
          definition: 'M(x⁻ with the unit as on x⁺) − M(x⁻)',
          swap: 'when the unit of x⁻ is swapped for that on x⁺',
        }),
        moved: perUnit(
          '',
          'how far the swap moves its site: |value on x⁺ − value on x⁻|, mean over pairs',
          moved.map((sum) => sum / count),
        ),
      },
      facts: {
        ...ground(context, { part: 'test', count, angles: [asked.control, asked.sensitive] }),
        model: label,
        form: formFact([model], asked.form),
        site: asked.site,
        pairs: count,
        control: `${asked.control}°`,
        sensitive: `${asked.sensitive}°`,
        metric: MARGIN,
        'accuracy.sensitive': (100 * right.sensitive) / count,
        'accuracy.control': (100 * right.control) / count,
        'gap.low': gap.low,
        'gap.high': gap.high,
        gap: gap.estimate,
        denominator: denominatorOf(gap),
      },
    };
  },
};

const perUnit = (unit: string, definition: string, data: Measure['data']): Measure => ({ axes: ['unit'], unit, definition, data });

/** A gap that may as well be 0 is no denominator. */
const divides = ({ low, high }: Interval): boolean => low > 0 || high < 0;

function denominatorOf(gap: Interval): string {
  const numbers = `mean gap M(x⁺) − M(x⁻) = ${gap.estimate.toPrecision(4)} logits, 95 % interval [${gap.low.toPrecision(4)}, ${gap.high.toPrecision(4)}]`;
  return divides(gap) ? `${numbers}, ${RESAMPLES} bootstrap samples of pairs` : `refused: ${numbers}, contains 0, so there are no shares`;
}

interface Direction {
  readonly effects: UnitEffects;
  /** With the sign of the definition. */
  readonly effect: Float64Array;
  readonly gap: Interval;
  readonly definition: string;
  readonly swap: string;
}

const measuresOf = (name: string, { effects, effect, gap, definition, swap }: Direction): Findings['measures'] => ({
  [name]: perUnit('logits', `${definition}, mean over pairs; M is the ${MARGIN}`, effect),
  [`${name}Error`]: perUnit('logits', `standard error over pairs of ${definition}`, effects.error),
  [`${name}Share`]: perUnit(
    'share',
    `mean over pairs of ${definition}, divided by the mean gap of M; NaN where the 95 % interval of the gap contains 0`,
    effect.map((value) => (divides(gap) ? value / gap.estimate : NaN)),
  ),
  [`${name}Flips`]: perUnit('share', `images whose answer changes ${swap}, of all images`, effects.flips),
  [`${name}State`]: perUnit('', STATE, effects.state),
});

/** Adds |value on x⁺ − value on x⁻| of every unit. */
function addMoved(moved: Float64Array, { run: plus }: Judged, { run: minus }: Judged): void {
  let first = 0;
  plus.sites.forEach((site, layer) => {
    const width = site.length / plus.rows;
    site.forEach((value, at) => (moved[first + (at % width)] += Math.abs(value - minus.sites[layer][at])));
    first += width;
  });
}

function requireSameDigits(sensitive: ImageSet, control: ImageSet): void {
  const same = sensitive.count === control.count && sensitive.labels.every((label, i) => label === control.labels[i]);
  if (!same)
    throw new UserError('interchange: images', 'must be the same digits at both angles', `${sensitive.count} and ${control.count}`);
}
