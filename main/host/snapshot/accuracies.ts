/** How often models are right, by their form and the angle of the images: as analyses of a session have found it. */
import type { Findings } from '../../../engine/base/findings.ts';
import type { ResultRow } from '../../store/results.ts';
import type { Session } from '../../store/session.ts';

type ByAngle = Readonly<Record<string, number>>;

/** % right on test images, by angle. */
export interface Accuracies {
  readonly images?: number;
  readonly base: ByAngle;
  readonly soft: ByAngle;
  readonly hard: ByAngle;
}

export const noAccuracies: Accuracies = { base: {}, soft: {}, hard: {} };

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
        found.set(digest, {
          ...before,
          ...said,
          base: { ...before.base, ...said.base },
          soft: { ...before.soft, ...said.soft },
          hard: { ...before.hard, ...said.hard },
        });
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
  const counted = typeof facts.images === 'number' ? { images: facts.images } : {};
  const along = (data: ArrayLike<number>, from: number): ByAngle =>
    Object.fromEntries(angles.flatMap((angle, i) => (Number.isNaN(data[from + i]) ? [] : [[angle, data[from + i]]])));
  return Array.from({ length: models }, (_entry, model) => {
    const form = (name: 'base' | 'soft' | 'hard'): ByAngle => {
      if (!forms) return name === 'base' ? {} : along(measures[name].data, model * angles.length);
      const at = forms.indexOf(name);
      return at < 0 ? {} : along(measures.accuracy.data, (model * forms.length + at) * angles.length);
    };
    return { ...counted, base: form('base'), soft: form('soft'), hard: form('hard') };
  });
}
