/** How many images each model gets right and how sure it is of them: its base, with the adapter, and with gates hardened. */
import { z } from 'zod';
import { adapterOf } from '../models/adapters/index.ts';
import type { ClassifierModel } from '../models/classifier.ts';
import type { Analysis } from './analysis.ts';
import type { Form } from './forward.ts';
import { angles, part } from './options.ts';
import { ACCURACY, ground, percent, scoreAll } from './scoring.ts';

const options = z.strictObject({ angles: angles([0, 45], 'degrees the images are turned by'), part });

const forms: readonly Form[] = ['base', 'soft', 'hard'];

function has({ adapter }: ClassifierModel, form: Form): boolean {
  if (form === 'base') return true;
  return adapter !== undefined && (form === 'soft' || adapterOf(adapter.id).gated);
}

export const accuracy: Analysis<typeof options> = {
  id: 'accuracy',
  version: 1,
  title: 'percent right and loss, of the base, with the adapter, and hardened',
  models: { least: 1, most: Infinity, adapter: 'optional' },
  options,
  async run({ models, options: asked }, context) {
    const cells = models.flatMap(({ label, model }) => forms.map((form) => ({ label, model, form })));
    const contestants = cells.filter(({ model, form }) => has(model, form));
    const scores = await scoreAll('accuracy', contestants, asked, context);
    const table = cells.flatMap((cell) => scores[contestants.indexOf(cell)] ?? asked.angles.map(() => undefined));
    const axes = ['model', 'form', 'angle'];
    return {
      axes: {
        model: { values: models.map(({ label }) => label) },
        form: { values: forms },
        angle: { values: asked.angles, unit: '°' },
      },
      measures: {
        accuracy: {
          axes,
          unit: '%',
          definition: `${ACCURACY}; NaN for a form the model does not have`,
          data: Float64Array.from(table, (score) => (score ? percent(score) : NaN)),
        },
        negativeLogLikelihood: {
          axes,
          unit: 'nats',
          definition: 'mean over all images of −log p(label), p being the softmax of the logits; NaN for a form the model does not have',
          data: Float64Array.from(table, (score) => (score ? score.loss / score.count : NaN)),
        },
      },
      facts: ground(context, { ...asked, count: scores[0][0].count }),
    };
  },
};
