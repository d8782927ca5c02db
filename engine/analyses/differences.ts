/** Differences of accuracy between adapted models and their own foundations, arranged by adapter and foundation. */
import { UserError } from '../base/errors.ts';
import type { Part } from '../tasks/dataReference.ts';
import type { AnalysisContext, LabelledModel } from './analysis.ts';
import { foundationsOf, type Foundation } from './foundations.ts';
import { formOf } from './options.ts';
import { pointsAbove, scoreAll, type Score } from './scoring.ts';

export interface Differences {
  /** Ids in the order in which they first appear. */
  readonly adapters: readonly string[];
  readonly foundations: readonly Foundation[];
  /** Images of one angle. */
  readonly count: number;
  /** Of the foundation alone: [foundation][angle]. */
  readonly bases: readonly (readonly Score[])[];
  /** Of an adapter on a foundation; undefined where there is no such model. */
  readonly score: (adapter: number, foundation: number, angle: number) => Score | undefined;
  /** In points, above the foundation alone. */
  readonly gain: (adapter: number, foundation: number, angle: number) => number | undefined;
}

/**
 * @param id of the analysis, for progress and errors
 * @throws UserError for two models of one adapter on one foundation
 */
export async function differencesOf(
  id: string,
  models: readonly LabelledModel[],
  asked: { form: 'soft' | 'hard'; part: Part; angles: readonly number[] },
  context: AnalysisContext,
): Promise<Differences> {
  const { foundations, of } = foundationsOf(models);
  const ids = models.map(({ model }) => model.adapter!.id);
  const adapters = [...new Set(ids)];
  const placed = new Map<string, number>();
  models.forEach(({ label }, i) => {
    const place = `${adapters.indexOf(ids[i])} ${of[i]}`;
    if (placed.has(place))
      throw new UserError(`${id}: models`, `must be one for each adapter and foundation, as ${models[placed.get(place)!].label} is`, label);
    placed.set(place, i);
  });
  const bases = foundations.map((foundation) => ({ ...foundation, form: 'base' as const }));
  const adapted = models.map(({ label, model }) => ({ label, model, form: formOf(model, asked.form) }));
  const scores = await scoreAll(id, [...bases, ...adapted], asked, context);
  const score = (adapter: number, foundation: number, angle: number): Score | undefined => {
    const at = placed.get(`${adapter} ${foundation}`);
    return at === undefined ? undefined : scores[foundations.length + at][angle];
  };
  return {
    adapters,
    foundations,
    count: scores[0][0].count,
    bases: scores.slice(0, foundations.length),
    score,
    gain(adapter, foundation, angle) {
      const own = score(adapter, foundation, angle);
      return own && pointsAbove(own, scores[foundation][angle]);
    },
  };
}
