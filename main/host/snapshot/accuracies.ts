/** How often models are right, by their form and the angle of the images: as analyses of a session have found it. */
import type { Findings } from '../../../engine/base/findings.ts';
import type { ResultRow } from '../../store/results.ts';
import type { Session } from '../../store/session.ts';

type ByAngle = Readonly<Record<string, number>>;

export type ByForm = Readonly<Record<'base' | 'soft' | 'hard', ByAngle>>;

/** % right on test images, by angle. */
export interface Accuracies extends ByForm {
  /** How many test images each is of, where the analysis says so. */
  readonly counts: ByForm;
}

export const noneByForm: ByForm = { base: {}, soft: {}, hard: {} };
export const noAccuracies: Accuracies = { ...noneByForm, counts: noneByForm };

/** What the second says counts before what the first does. */
export const mergedByForm = (first: ByForm, second: ByForm): ByForm => ({
  base: { ...first.base, ...second.base },
  soft: { ...first.soft, ...second.soft },
  hard: { ...first.hard, ...second.hard },
});

/** Reads every result once. */
export class AccuracyReader {
  /** By a result's key and digest: what it says of each of its models, in their order. */
  readonly #read = new Map<string, readonly Accuracies[]>();

  /** By model. A later result counts where it says something else. @param results those that are shown, in the order they came */
  of(session: Session, results: readonly ResultRow[]): ReadonlyMap<string, Accuracies> {
    const found = new Map<string, Accuracies>();
    for (const row of results) {
      if ((row.analysis !== 'accuracy' && row.analysis !== 'softHardGap') || row.outdated) continue;
      this.#accuracies(session, row).forEach((said, i) => {
        const { digest } = row.models[i];
        const before = found.get(digest) ?? noAccuracies;
        found.set(digest, { ...mergedByForm(before, said), counts: mergedByForm(before.counts, said.counts) });
      });
    }
    return found;
  }

  #accuracies(session: Session, { key, digest, models }: ResultRow): readonly Accuracies[] {
    const id = `${key} ${digest}`;
    let read = this.#read.get(id);
    if (!read) this.#read.set(id, (read = accuraciesIn(session.result(key).findings, models.length)));
    return read;
  }
}

/** Of `accuracy` by form, of `softHardGap` soft and hard; nothing of what was measured on other than test images. */
function accuraciesIn({ axes, measures, facts }: Findings, models: number): Accuracies[] {
  if (facts.part !== 'test') return [];
  const angles = axes.angle.values.map(String);
  const forms = axes.form?.values.map(String);
  const count = typeof facts.images === 'number' ? facts.images : NaN;
  const along = (data: ArrayLike<number>, from: number): ByAngle =>
    Object.fromEntries(angles.flatMap((angle, i) => (Number.isNaN(data[from + i]) ? [] : [[angle, data[from + i]]])));
  return Array.from({ length: models }, (_entry, model) => {
    const form = (name: 'base' | 'soft' | 'hard'): ByAngle => {
      if (!forms) return name === 'base' ? {} : along(measures[name].data, model * angles.length);
      const at = forms.indexOf(name);
      return at < 0 ? {} : along(measures.accuracy.data, (model * forms.length + at) * angles.length);
    };
    const said = { base: form('base'), soft: form('soft'), hard: form('hard') };
    // A count that an analysis does not give is kept as such: an earlier one's is not that of its figures.
    const counted = (figures: ByAngle): ByAngle => Object.fromEntries(Object.keys(figures).map((angle) => [angle, count]));
    return { ...said, counts: { base: counted(said.base), soft: counted(said.soft), hard: counted(said.hard) } };
  });
}
