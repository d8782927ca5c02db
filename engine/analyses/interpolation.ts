/** Accuracy along the path from the base to a mode, or from one mode to another (models/modes.ts says what the paths are). */
import { z } from 'zod';
import { wholeBetween } from '../base/schema.ts';
import { adapterOf } from '../models/adapters/index.ts';
import { interpolate, PATH_BETWEEN_MODES, PATH_FROM_BASE } from '../models/modes.ts';
import type { Analysis } from './analysis.ts';
import type { Form } from './forward.ts';
import { angles, part } from './options.ts';
import { ACCURACY, ground, percent, scoreAll } from './scoring.ts';

const options = z.strictObject({
  steps: wholeBetween(2, 101).default(11).meta({ description: 'points of the path, its ends included' }),
  angles: angles([0, 45], 'degrees the images are turned by'),
  part,
});

export const interpolation: Analysis<typeof options> = {
  id: 'interpolation',
  version: 1,
  title: 'accuracy along the path from the base to a mode, or between two modes',
  models: { least: 1, most: 2, adapter: 'any' },
  options,
  async run({ models, options: asked }, context) {
    const [from, to] = models;
    const ts = Array.from({ length: asked.steps }, (_entry, i) => i / (asked.steps - 1));
    const points = ts.map((t) => interpolate(from.model, to?.model, t));
    const forms: Form[] = adapterOf(from.model.adapter!.id).gated ? ['soft', 'hard'] : ['soft'];
    const label = to ? `${from.label} to ${to.label}` : `base to ${from.label}`;
    const contestants = forms.flatMap((form) => points.map((model, i) => ({ label: `${label}, t = ${ts[i]}`, model, form })));
    const scores = await scoreAll('interpolation', contestants, asked, context);
    return {
      axes: { form: { values: forms }, t: { values: ts }, angle: { values: asked.angles, unit: '°' } },
      measures: {
        accuracy: { axes: ['form', 't', 'angle'], unit: '%', definition: ACCURACY, data: Float64Array.from(scores.flat(), percent) },
      },
      facts: {
        ...ground(context, { ...asked, count: scores[0][0].count }),
        from: to ? from.label : 'base',
        to: (to ?? from).label,
        path: to ? PATH_BETWEEN_MODES : PATH_FROM_BASE,
      },
    };
  },
};
