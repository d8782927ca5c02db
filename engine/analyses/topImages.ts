/** What single hidden units stand for, by example: the test images on which each gives most to the next layer. */
import { z } from 'zod';
import { wholeBetween } from '../base/schema.ts';
import { concat } from '../ops/index.ts';
import type { Analysis } from './analysis.ts';
import { Forward, overChunks } from './forward.ts';
import { angle, form, formFact, formOf } from './options.ts';
import { firstOf, ground, ImageSets } from './scoring.ts';
import { Strongest } from './strongest.ts';
import { requireUnits, unitLabels } from './units.ts';

const options = z.strictObject({
  angle: angle(45, 'degrees the images are turned by'),
  form: form('soft'),
  images: wholeBetween(1, 1_000_000).default(10_000).meta({ description: 'how many test images, in order' }),
  top: wholeBetween(1, 1000).default(16).meta({ description: 'how many images are kept of each unit' }),
});

export const topImages: Analysis<typeof options> = {
  id: 'topImages',
  version: 1,
  title: 'the images on which every neuron gives most',
  models: { least: 1, most: 1, adapter: 'optional' },
  options,
  async run({ models: [{ label, model }], options: asked }, context) {
    requireUnits('topImages', label, model);
    const form = formOf(model, asked.form);
    const set = firstOf(new ImageSets('topImages', context, 'test', asked.angle).for(label, model), asked.images);
    const units = unitLabels(model);
    const strongest = new Strongest(units.length, asked.top);
    using forward = new Forward(context.executor, model, form, ({ layers }) => ({
      outputs: {
        out: concat(
          layers.map(({ out }) => out),
          1,
        ),
      },
    }));
    await overChunks(context, set, { stage: `topImages: ${label}`, done: 0, total: 1 }, (begin, end) => {
      const { data } = forward.run(set, begin, end, asked.angle).out;
      for (let row = begin, at = 0; row < end; row++)
        for (let unit = 0; unit < units.length; unit++, at++) if (data[at] !== 0) strongest.offer(unit, row, data[at]);
    });
    const rule = 'by the size of what the unit gives the next layer, the earlier image first where it is equal';
    return {
      axes: { unit: { values: units }, rank: { values: Array.from({ length: asked.top }, (_entry, i) => i + 1) } },
      measures: {
        image: {
          axes: ['unit', 'rank'],
          unit: '',
          definition: `number of the test image, from 0, ${rule}; −1 where the unit gives 0 on all others`,
          data: strongest.rows,
        },
        output: {
          axes: ['unit', 'rank'],
          unit: '',
          definition: 'what the unit gives the next layer on that image; NaN where there is none',
          data: strongest.values,
        },
      },
      facts: {
        ...ground(context, { part: 'test', count: set.count, angles: [asked.angle] }),
        model: label,
        form: formFact([model], asked.form),
        denominator: `${set.count} images`,
      },
    };
  },
};
