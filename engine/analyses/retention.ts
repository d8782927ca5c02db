/** What a mode forgets: accuracy at the old angle with the mode on, and whether the base is what it was once the adapter is gone. */
import { z } from 'zod';
import { sameBits } from '../models/modes.ts';
import type { Analysis } from './analysis.ts';
import { Forwards, Passes, type Forward } from './forward.ts';
import { angle, form, formFact, formOf, part } from './options.ts';
import { ACCURACY, ground, ImageSets, percent, pointsAbove, readLogits, Tally } from './scoring.ts';

const options = z.strictObject({
  oldAngle: angle(0, 'degrees of the mode that is to be kept'),
  newAngle: angle(45, 'degrees of the mode that was learned'),
  form: form('soft'),
  part,
});

export const retention: Analysis<typeof options> = {
  id: 'retention',
  version: 1,
  title: 'accuracy kept at the old angle with the mode on, and the base restored without it',
  models: { least: 1, most: Infinity, adapter: 'any' },
  options,
  async run({ models, options: asked }, context) {
    const angles = [asked.oldAngle, asked.newAngle];
    const passes = new Passes(context, models.length * angles.length);
    const base: Tally[][] = models.map(() => []);
    const mode: Tally[][] = models.map(() => []);
    const restored = models.map(() => true);
    using forwards = new Forwards(context.executor, readLogits);
    for (const angle of angles) {
      const sets = new ImageSets('retention', context, asked.part, angle);
      for (const [i, { label, model }] of models.entries()) {
        const set = sets.for(label, model);
        const foundation = forwards.of(model, 'base');
        const adapted = forwards.of(model, formOf(model, asked.form));
        const [without, with_] = [new Tally(), new Tally()];
        await passes.over(`retention: ${label}, ${angle}°`, set, (begin, end) => {
          const logits = (forward: Forward) => forward.run(set, begin, end, angle).logits.data as Float32Array;
          const before = logits(foundation);
          without.add(before, set, begin, end);
          with_.add(logits(adapted), set, begin, end);
          restored[i] &&= sameBits(before, logits(foundation));
        });
        base[i].push(without);
        mode[i].push(with_);
      }
    }
    const measure = (unit: string, definition: string, value: (i: number) => number) => ({
      axes: ['model'],
      unit,
      definition,
      data: Float64Array.from(models, (_model, i) => value(i)),
    });
    const [old, new_] = angles.map((angle) => `${angle}°`);
    return {
      axes: { model: { values: models.map(({ label }) => label) } },
      measures: {
        old: measure('%', `at ${old} with the mode on: ${ACCURACY}`, (i) => percent(mode[i][0])),
        new: measure('%', `at ${new_} with the mode on: ${ACCURACY}`, (i) => percent(mode[i][1])),
        oldBase: measure('%', `at ${old} of the foundation alone: ${ACCURACY}`, (i) => percent(base[i][0])),
        newBase: measure('%', `at ${new_} of the foundation alone: ${ACCURACY}`, (i) => percent(base[i][1])),
        loss: measure('points', `accuracy at ${old} of the foundation less that with the mode on`, (i) =>
          pointsAbove(base[i][0], mode[i][0]),
        ),
        gain: measure('points', `accuracy at ${new_} with the mode on less that of the foundation`, (i) =>
          pointsAbove(mode[i][1], base[i][1]),
        ),
        restored: measure(
          '',
          '1 if, after the mode has run, every logit without the adapter is that of the foundation alone to the last bit, at both angles; else 0',
          (i) => Number(restored[i]),
        ),
      },
      facts: {
        ...ground(context, { ...asked, angles, count: base[0][0].count }),
        form: formFact(
          models.map(({ model }) => model),
          asked.form,
        ),
      },
    };
  },
};
