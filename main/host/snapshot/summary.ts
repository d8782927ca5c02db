/** A run in one row of a table: accuracies as analyses have found them, else as its own measurements ended; how its loss ended. */
import type { ResultRow } from '../../store/results.ts';
import type { RunRow, SeriesEnd } from '../../store/runs.ts';
import type { Session } from '../../store/session.ts';
import type { RunSummary } from '../hostApi.ts';
import { fieldOf } from '../../store/records.ts';
import { AccuracyReader, mergedByForm, noAccuracies, type Accuracies, type ByForm } from './accuracies.ts';
import { Outlines } from './outlines.ts';

const MEASURED = /^(hard )?accuracy (-?[\d.]+)°$/;
/** The series of gates that are open, in % of hidden units. */
const OPEN = 'gates open';

/** By key, of runs that are done. */
export function runSummaries(
  session: Session,
  runs: readonly RunRow[] = session.runs(),
  results: readonly ResultRow[] = session.results(),
  reader = new AccuracyReader(),
  outlines = new Outlines(session),
): Map<string, RunSummary> {
  const accuracies = reader.of(session, results);
  const ends = session.seriesEnds();
  const foundations = new Set(session.models().flatMap(({ digest, adapter }) => (adapter === undefined ? [digest] : [])));
  const tests = new Map(session.corpora().map(({ digest, details }) => [digest, details.counts?.test]));
  /** How many test images a training has measured on while it ran. */
  const looked = ({ key, corpus = '' }: RunRow): number => {
    const asked = fieldOf(fieldOf(outlines.of(key).parameters, 'measure'), 'images');
    return typeof asked === 'number' ? Math.min(asked, tests.get(corpus) ?? Infinity) : NaN;
  };
  return new Map(
    runs.map((run) => {
      const { key, model = '' } = run;
      const own = foundations.has(model) ? 'base' : 'soft';
      return [key, summary(accuracies.get(model) ?? noAccuracies, ends.get(key) ?? [], own, () => looked(run))];
    }),
  );
}

/** @param own the form that the model itself is measured in @param looked how many images its training measured on */
function summary(found: Accuracies, ends: readonly SeriesEnd[], own: 'base' | 'soft', looked: () => number): RunSummary {
  const none = (): Record<'base' | 'soft' | 'hard', Record<string, number>> => ({ base: {}, soft: {}, hard: {} });
  const [measured, measuredOn] = [none(), none()];
  for (const { name, last } of ends) {
    const [, isHard, angle] = MEASURED.exec(name) ?? [];
    if (angle === undefined || Number.isNaN(last)) continue;
    const form = isHard ? 'hard' : own;
    measured[form][angle] = last;
    measuredOn[form][angle] = looked();
  }
  const counts = mergedByForm(measuredOn, found.counts);
  const images = agreed(counts);
  const last = (name: string): number | undefined => {
    const end = ends.find((one) => one.name === name);
    return end && !Number.isNaN(end.last) ? end.last : undefined;
  };
  const [on, loss] = [last(OPEN), last('loss')];
  return {
    ...(images !== undefined && { images }),
    counts,
    ...mergedByForm(measured, found),
    ...(on !== undefined && { on }),
    ...(loss !== undefined && { loss }),
  };
}

/** The number of images that all figures are of; undefined if there is no such number. */
function agreed({ base, soft, hard }: ByForm): number | undefined {
  const all = new Set([base, soft, hard].flatMap((counts) => Object.values(counts)));
  const [images] = all;
  return all.size === 1 && !Number.isNaN(images) ? images : undefined;
}
