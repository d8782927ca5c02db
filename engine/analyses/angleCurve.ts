/** Accuracy against the angle the images are turned by, for models and the foundations they stand on. */
import { z } from 'zod';
import type { Analysis } from './analysis.ts';
import { angles, form, formFact, formOf, part } from './options.ts';
import { ACCURACY, ground, percent, pointsAbove, scoreAll } from './scoring.ts';

const options = z.strictObject({
  angles: angles([0, 15, 30, 45, 60, 75, 90], 'degrees the images are turned by'),
  form: form('soft'),
  part,
});

export const angleCurve: Analysis<typeof options> = {
  id: 'angleCurve',
  version: 1,
  title: 'accuracy against the angle of the images, with and without each adapter',
  models: { least: 1, most: Infinity, adapter: 'optional' },
  options,
  async run({ models, options: asked }, context) {
    const own = models.map(({ label, model }) => ({ label, model, form: formOf(model, asked.form) }));
    const base = own.map((contestant) => ({ ...contestant, form: 'base' as const }));
    const scores = (await scoreAll('angleCurve', [...own, ...base], asked, context)).flat();
    const half = scores.length / 2;
    const axes = ['model', 'angle'];
    return {
      axes: { model: { values: models.map(({ label }) => label) }, angle: { values: asked.angles, unit: '°' } },
      measures: {
        accuracy: { axes, unit: '%', definition: ACCURACY, data: Float64Array.from(scores.slice(0, half), percent) },
        base: {
          axes,
          unit: '%',
          definition: `of the model's foundation alone: ${ACCURACY}`,
          data: Float64Array.from(scores.slice(half), percent),
        },
        difference: {
          axes,
          unit: 'points',
          definition: 'accuracy of the model less that of its foundation; 0 where it is one',
          data: Float64Array.from(scores.slice(0, half), (score, i) => pointsAbove(score, scores[half + i])),
        },
      },
      facts: {
        ...ground(context, { ...asked, count: scores[0].count }),
        form: formFact(
          models.map(({ model }) => model),
          asked.form,
        ),
      },
    };
  },
};
