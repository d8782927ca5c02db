/**
 * What single hidden units give: exactly, for the last hidden layer, of whose outputs the logits are a sum; and by force, for every hidden unit:
 * what changes if it is held open or shut.
 */
import { z } from 'zod';
import type { Measure } from '../base/findings.ts';
import { wholeBetween } from '../base/schema.ts';
import { adapterOf } from '../models/adapters/index.ts';
import type { Analysis } from './analysis.ts';
import { angle, form, formFact, formOf } from './options.ts';
import { Readout } from './readout.ts';
import { ground, ImageSets } from './scoring.ts';
import { chunksOf, ClassifierUnits, MARGIN, rightIn, STATE, UnitEffects } from './unitEffects.ts';
import { layersOf, requireUnits, unitLabels } from './units.ts';

const options = z.strictObject({
  angle: angle(45, 'degrees the images are turned by'),
  form: form('soft'),
  images: wholeBetween(2, 1_000_000).default(2000).meta({ description: 'how many test images, in order' }),
});

export const contributions: Analysis<typeof options> = {
  id: 'contributions',
  version: 1,
  title: 'what every neuron gives to each logit, and what changes when it is forced open or shut',
  models: { least: 1, most: 1, adapter: 'optional' },
  options,
  async run({ models: [{ label, model }], options: asked }, context) {
    requireUnits('contributions', label, model);
    const form = formOf(model, asked.form);
    const set = new ImageSets('contributions', context, 'test', asked.angle).for(label, model);
    const count = Math.min(asked.images, set.count);
    const units = unitLabels(model);
    const gated = model.adapter !== undefined && adapterOf(model.adapter.id).gated;
    const site = gated ? 'decision' : 'output';
    const [opened, shut] = [new UnitEffects(units.length), new UnitEffects(units.length)];
    let [right, margin] = [0, 0];
    using readout = new Readout(context.executor, model, form, set, asked.angle);
    using sweep = new ClassifierUnits(context.executor, { place: 'contributions', model, form, site });
    for (const { begin, end } of chunksOf(count)) {
      context.progress({ stage: `contributions: ${label}`, done: begin, total: count });
      readout.add(set, begin, end, asked.angle);
      const judged = sweep.judge(set, begin, end, asked.angle);
      right += rightIn(judged);
      margin += judged.margins.reduce((a, b) => a + b, 0);
      await sweep.count(shut, judged, { op: 'set', value: 0 }, context.breathe);
      if (gated) await sweep.count(opened, judged, { op: 'set', value: 1 }, context.breathe);
    }

    const rule = gated
      ? "open: the decision of the unit's gate set to 1; shut: set to 0"
      : 'shut: the output of the unit set to 0; open: NaN, since nothing here has gates';
    const forced = (unit: string, definition: string, of: (effects: UnitEffects) => ArrayLike<number>): Measure => ({
      axes: ['forced', 'unit'],
      unit,
      definition: `${definition}; ${rule}`,
      data: Float64Array.from([...(gated ? Array.from(of(opened)) : units.map(() => NaN)), ...Array.from(of(shut))]),
    });
    const { begin: first } = layersOf(model)[model.widths.length - 3];
    return {
      axes: {
        class: { values: set.classes },
        lastUnit: { values: units.slice(first) },
        logit: { values: Array.from({ length: readout.logits }, (_entry, k) => set.classes[k] ?? String(k)) },
        forced: { values: ['open', 'shut'] },
        unit: { values: units },
      },
      measures: {
        contribution: {
          axes: ['class', 'lastUnit', 'logit'],
          unit: 'logits',
          definition: 'output of the unit times its weight to the logit, mean over the images of the class; NaN for a class without images',
          data: readout.byClass,
        },
        contributionOverall: {
          axes: ['lastUnit', 'logit'],
          unit: 'logits',
          definition: 'output of the unit times its weight to the logit, mean over all images',
          data: readout.overall,
        },
        bias: {
          axes: ['logit'],
          unit: 'logits',
          definition: 'the logit where every unit of the last hidden layer gives 0',
          data: readout.bias,
        },
        logits: {
          axes: ['class', 'logit'],
          unit: 'logits',
          definition: 'mean over the images of the class, and so the sum of its contributions and the bias; NaN for a class without images',
          data: readout.logitsByClass,
        },
        margin: forced('logits', `change of the ${MARGIN}; mean over all images`, (effects) => effects.margin),
        marginError: forced('logits', `standard error over images of the change of the ${MARGIN}`, (effects) => effects.error),
        accuracy: forced('points', 'change of the right answers of all images', (effects) => effects.accuracy),
        flips: forced('share', 'images whose answer changes, of all images', (effects) => effects.flips),
        state: forced('', STATE, (effects) => effects.state),
      },
      facts: {
        ...ground(context, { part: 'test', count, angles: [asked.angle] }),
        model: label,
        form: formFact([model], asked.form),
        forcedAt: site,
        metric: MARGIN,
        denominator: `${count} images`,
        'accuracy.clean': (100 * right) / count,
        'margin.clean': margin / count,
        'completeness.error': readout.largestError,
        completeness: 'largest |sum of contributions + bias − logit| over images and logits, in logits',
      },
    };
  },
};
