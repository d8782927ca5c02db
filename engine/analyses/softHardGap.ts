/** What hardening costs: a mode with its gates as trained against the same with decisions of 0 or 1. */
import { z } from 'zod';
import type { Analysis } from './analysis.ts';
import { Forwards, Passes } from './forward.ts';
import { angles, part } from './options.ts';
import { ACCURACY, answerOf, ground, ImageSets, percent, pointsAbove, readLogits, Tally } from './scoring.ts';

const options = z.strictObject({ angles: angles([0, 45], 'degrees the images are turned by'), part });

/** Soft against hard, of one model at one angle. */
interface Gap {
  readonly soft: Tally;
  readonly hard: Tally;
  /** Images that get different answers. */
  differing: number;
  /** |hard − soft| over images and classes. */
  sum: number;
  largest: number;
}

export const softHardGap: Analysis<typeof options> = {
  id: 'softHardGap',
  version: 1,
  title: 'soft against hardened gates: accuracy, answers and logits',
  models: { least: 1, most: Infinity, adapter: 'gated' },
  options,
  async run({ models, options: asked }, context) {
    const passes = new Passes(context, models.length * asked.angles.length);
    const gaps: Gap[][] = models.map(() => []);
    using forwards = new Forwards(context.executor, readLogits);
    for (const angle of asked.angles) {
      const sets = new ImageSets('softHardGap', context, asked.part, angle);
      for (const [i, { label, model }] of models.entries()) {
        const set = sets.for(label, model);
        const classes = model.widths[model.widths.length - 1];
        const [soft, hard] = [forwards.of(model, 'soft'), forwards.of(model, 'hard')];
        const gap: Gap = { soft: new Tally(), hard: new Tally(), differing: 0, sum: 0, largest: 0 };
        await passes.over(`softHardGap: ${label}, ${angle}°`, set, (begin, end) => {
          const [a, b] = [soft, hard].map((forward) => forward.run(set, begin, end, angle).logits.data);
          gap.soft.add(a, set, begin, end);
          gap.hard.add(b, set, begin, end);
          for (let row = 0; row < end - begin; row++) gap.differing += Number(answerOf(a, row, classes) !== answerOf(b, row, classes));
          for (let at = 0; at < a.length; at++) {
            const difference = Math.abs(a[at] - b[at]);
            gap.sum += difference;
            gap.largest = Math.max(gap.largest, difference);
          }
        });
        gaps[i].push(gap);
      }
    }
    const measure = (unit: string, definition: string, value: (gap: Gap, classes: number) => number) => ({
      axes: ['model', 'angle'],
      unit,
      definition,
      data: Float64Array.from(gaps.flatMap((row, i) => row.map((gap) => value(gap, models[i].model.widths.at(-1)!)))),
    });
    return {
      axes: { model: { values: models.map(({ label }) => label) }, angle: { values: asked.angles, unit: '°' } },
      measures: {
        soft: measure('%', `with soft gates: ${ACCURACY}`, ({ soft }) => percent(soft)),
        hard: measure('%', `with hard gates: ${ACCURACY}`, ({ hard }) => percent(hard)),
        difference: measure('points', 'hard less soft accuracy', ({ soft, hard }) => pointsAbove(hard, soft)),
        differing: measure('%', 'images that get another answer when gates are hardened, of all images', (gap) =>
          percent({ right: gap.differing, count: gap.soft.count }),
        ),
        meanLogitDifference: measure(
          'logits',
          '|hard − soft| of a logit, mean over all images and classes',
          (gap, classes) => gap.sum / (gap.soft.count * classes),
        ),
        largestLogitDifference: measure('logits', '|hard − soft| of a logit, largest over all images and classes', (gap) => gap.largest),
      },
      facts: {
        ...ground(context, { ...asked, count: gaps[0][0].soft.count }),
        temperatures: models
          .map(({ model }) => model.adapter!.temperature.map((value) => Number(value.toPrecision(6))).join(', '))
          .join('; '),
      },
    };
  },
};
