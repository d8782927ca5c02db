/** A run in one row of a table: accuracies as analyses have found them, else as its own measurements ended; how its loss ended. */
import type { ResultRow } from '../../store/results.ts';
import type { RunRow, SeriesEnd } from '../../store/runs.ts';
import type { Session } from '../../store/session.ts';
import type { RunSummary } from '../hostApi.ts';
import { AccuracyReader, noAccuracies, type Accuracies } from './accuracies.ts';

const MEASURED = /^(hard )?accuracy (-?[\d.]+)°$/;
/** The series of gates that are open, in % of hidden units. */
const OPEN = 'gates open';

/** By key, of runs that are done. */
export function runSummaries(
  session: Session,
  runs: readonly RunRow[] = session.runs(),
  results: readonly ResultRow[] = session.results(),
  reader = new AccuracyReader(),
): Map<string, RunSummary> {
  const accuracies = reader.of(session, results);
  const ends = session.seriesEnds();
  const foundations = new Set(session.models().flatMap(({ digest, adapter }) => (adapter === undefined ? [digest] : [])));
  return new Map(
    runs.map(({ key, model = '' }) => [
      key,
      summary(accuracies.get(model) ?? noAccuracies, ends.get(key) ?? [], foundations.has(model) ? 'base' : 'soft'),
    ]),
  );
}

/** @param own the form that the model itself is measured in */
function summary({ images, base, soft, hard }: Accuracies, ends: readonly SeriesEnd[], own: 'base' | 'soft'): RunSummary {
  const measured = { base: {} as Record<string, number>, soft: {} as Record<string, number>, hard: {} as Record<string, number> };
  for (const { name, last } of ends) {
    const [, isHard, angle] = MEASURED.exec(name) ?? [];
    if (angle !== undefined && !Number.isNaN(last)) measured[isHard ? 'hard' : own][angle] = last;
  }
  const last = (name: string): number | undefined => {
    const end = ends.find((one) => one.name === name);
    return end && !Number.isNaN(end.last) ? end.last : undefined;
  };
  const [on, loss] = [last(OPEN), last('loss')];
  return {
    ...(images !== undefined && { images }),
    base: { ...measured.base, ...base },
    soft: { ...measured.soft, ...soft },
    hard: { ...measured.hard, ...hard },
    ...(on !== undefined && { on }),
    ...(loss !== undefined && { loss }),
  };
}
