/**
 * Sparsity against accuracy: modes of one foundation trained at different λ, and the one to take. Chosen on held-out images; the images
 * for testing are only read for what was chosen, afterwards.
 */
import { z } from 'zod';
import { UserError } from '../base/errors.ts';
import { between } from '../base/schema.ts';
import type { Part } from '../tasks/dataReference.ts';
import type { Analysis, AnalysisContext, LabelledModel } from './analysis.ts';
import { Forward, Passes, type Form } from './forward.ts';
import { sameFoundation } from './foundations.ts';
import { angle, form } from './options.ts';
import { ACCURACY, ground, ImageSets, percent, pointsAbove, scoreAll, type Score } from './scoring.ts';
import { activeInMode, activeShares, firingOf, firingSums, requireUnits } from './units.ts';

const options = z.strictObject({
  angle: angle(45, 'degrees the images are turned by'),
  active: between(0, 100).default(30).meta({ description: 'models with this share of units active or more are not chosen', unit: '%' }),
  form: form('hard'),
});

export const frontier: Analysis<typeof options> = {
  id: 'frontier',
  version: 1,
  title: 'accuracy against the share of active units, and the sparsity to choose',
  models: { least: 2, most: Infinity, adapter: 'gated' },
  options,
  async run({ models, options: asked }, context) {
    const lambdas = models.map(({ model }) => model.adapter!.sparsity);
    for (const { label, model } of models) {
      requireUnits('frontier', label, model);
      if (!sameFoundation(model, models[0].model))
        throw new UserError(`frontier: ${label}`, `must stand on the foundation of ${models[0].label}`, 'another foundation');
    }
    // Soft and hard accuracy and activity of every model, then of at most two.
    const passes = new Passes(context, 3 * (models.length + 2));
    const heldOut = await judge(models, 'heldOut', asked, context, passes);
    const accuracies = heldOut[asked.form].map(percent);
    const chosen = choose(accuracies, heldOut.active, asked.active);
    const densest = lambdas.indexOf(Math.min(...lambdas));
    const tested = await judge(
      [densest, ...(chosen === undefined ? [] : [chosen])].map((i) => models[i]),
      'test',
      asked,
      context,
      passes,
    );
    const [reference, own] = [0, 1].map((i) => tested[asked.form][i] as Score | undefined);
    const over = (unit: string, definition: string, data: readonly number[]) => ({
      axes: ['model'],
      unit,
      definition,
      data: Float64Array.from(data),
    });
    const single = (unit: string, definition: string, value: number) => ({ axes: [], unit, definition, data: Float64Array.of(value) });
    return {
      axes: { model: { values: models.map(({ label }) => label) } },
      measures: {
        lambda: over('', 'λ: weight of the mean openness of the gates in the loss', lambdas),
        soft: over('%', `held-out images, soft gates: ${ACCURACY}`, heldOut.soft.map(percent)),
        hard: over('%', `held-out images, hard gates: ${ACCURACY}`, heldOut.hard.map(percent)),
        active: over('%', `held-out images, ${asked.form} gates: active units of all units, mean over all images`, heldOut.active),
        chosen: over(
          '',
          '1 for the model that is chosen, else 0',
          models.map((_model, i) => Number(i === chosen)),
        ),
        testAccuracy: single('%', 'of the chosen model, test images; NaN if none was', own ? percent(own) : NaN),
        testActive: single('%', 'active units of the chosen model, mean over the test images; NaN if none was', tested.active[1] ?? NaN),
        loss: single(
          'points',
          'test accuracy of the model with the smallest λ less that of the chosen one; NaN if none was',
          own && reference ? pointsAbove(reference, own) : NaN,
        ),
      },
      facts: {
        ...ground(context, { part: 'heldOut', count: heldOut.soft[0].count, angles: [asked.angle] }),
        testImages: tested.soft[0].count,
        form: asked.form,
        rule: `the most accurate on held-out images of those with fewer than ${asked.active} % of units active; of equals the sparser, then the earlier`,
        chosen: chosen === undefined ? 'none' : models[chosen].label,
        comparedWith: models[densest].label,
        activeInMode: [...new Set(models.map(({ model }) => activeInMode(model)))].join('; '),
      },
    };
  },
};

interface Judged {
  readonly soft: readonly Score[];
  readonly hard: readonly Score[];
  /** Percent of units active. */
  readonly active: readonly number[];
}

async function judge(
  models: readonly LabelledModel[],
  part: Part,
  { angle, form }: { angle: number; form: Form },
  context: AnalysisContext,
  passes: Passes,
): Promise<Judged> {
  const contestants = (['soft', 'hard'] as const).flatMap((which) => models.map((entry) => ({ ...entry, form: which })));
  const scores = (await scoreAll('frontier', contestants, { part, angles: [angle] }, context, passes)).flat();
  const sets = new ImageSets('frontier', context, part, angle);
  const active: number[] = [];
  for (const { label, model } of models) {
    using forward = new Forward(context.executor, model, form, firingSums(model, form));
    const firing = await firingOf(forward, sets.for(label, model), angle, passes, `frontier: active units of ${label}`);
    active.push(activeShares(model, firing).at(-1)!);
  }
  return { soft: scores.slice(0, models.length), hard: scores.slice(models.length), active };
}

/** Index of the most accurate among those under the bound; undefined if there is none. */
export function choose(accuracies: readonly number[], active: readonly number[], bound: number): number | undefined {
  const better = (i: number, j: number) => accuracies[i] - accuracies[j] || active[j] - active[i] || j - i;
  return active
    .flatMap((share, i) => (share < bound ? [i] : []))
    .reduce<number | undefined>((best, i) => (best === undefined || better(i, best) > 0 ? i : best), undefined);
}
