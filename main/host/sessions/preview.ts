/** A session that is not open, looked at closely: its contents, its newest figures, and whether it is whole to the last number. */
import { throwIfCancelled } from '../../../engine/base/errors.ts';
import type { Session } from '../../store/session.ts';
import type { SessionEntry, SessionPreview } from '../hostApi.ts';
import { runSummaries } from '../snapshot/summary.ts';

const MOST_HIGHLIGHTS = 4;
/** Milliseconds of checking between two turns of the others. */
const TURN = 20;

export async function previewOf(session: Session, entry: SessionEntry, signal: AbortSignal): Promise<SessionPreview> {
  const newest = [...session.runs(), ...session.results()].sort((a, b) => (a.at < b.at ? 1 : -1))[0];
  const { processor, platform } = (newest?.provenance ?? {}) as { processor?: string; platform?: string };
  return {
    entry,
    highlights: highlights(session),
    computedOn: [processor, platform].filter(Boolean).join(', '),
    problems: await problemsOf(session, signal),
  };
}

/** Of the newest runs their accuracies: on the images of the mode, which come last. */
function highlights(session: Session): { title: string; figure: string }[] {
  const summaries = runSummaries(session);
  return session
    .runs()
    .filter(({ state }) => state === 'done')
    .reverse()
    .flatMap(({ key, label, seed }) => {
      const { soft = {}, base = {} } = summaries.get(key) ?? {};
      const [angle, accuracy] = Object.entries({ ...base, ...soft }).at(-1) ?? [];
      if (angle === undefined || accuracy === undefined) return [];
      return [{ title: `${label}${seed === undefined ? '' : `, seed ${seed}`}`, figure: `${accuracy.toFixed(1)} % at ${angle}°` }];
    })
    .slice(0, MOST_HIGHLIGHTS);
}

/** What a check finds wrong, with turns for the others in between. @throws Cancelled once the signal has fired */
export async function problemsOf(session: Session, signal: AbortSignal): Promise<string[]> {
  const problems: string[] = [];
  let since = performance.now();
  for (const found of session.checkInSteps()) {
    problems.push(...found);
    if (performance.now() - since < TURN) continue;
    await new Promise((resolve) => setImmediate(resolve));
    throwIfCancelled(signal);
    since = performance.now();
  }
  return problems;
}
