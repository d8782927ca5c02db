/** The session list as it is shown: what is found, in which order, in which words. */
import type { Inside, SessionEntry } from '../../../main/host/hostApi.ts';
import { count, when } from '../../words/numbers.ts';

export type Column = 'name' | 'inside' | 'changed' | 'size';

export interface Order {
  readonly column: Column;
  readonly descending: boolean;
}

const weight = ({ models, runs, results, notes }: Inside): number => models + runs + results + notes;

const by: Readonly<Record<Column, (a: SessionEntry, b: SessionEntry) => number>> = {
  name: (a, b) => a.name.localeCompare(b.name, 'en', { numeric: true, sensitivity: 'base' }),
  inside: (a, b) => weight(a.inside) - weight(b.inside),
  changed: (a, b) => (a.changed < b.changed ? -1 : a.changed > b.changed ? 1 : 0),
  size: (a, b) => a.size - b.size,
};

/** Those whose name or note holds every word; equal ones keep the order they came in. What came with the program stands last unless sorted by name. */
export function shownSessions(entries: readonly SessionEntry[], query: string, { column, descending }: Order): SessionEntry[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const found = entries.filter(({ name, note }) => words.every((word) => `${name}\n${note}`.toLowerCase().includes(word)));
  const sign = descending ? -1 : 1;
  return [...found].sort((a, b) => (column === 'name' ? 0 : Number(a.shipped) - Number(b.shipped)) || sign * by[column](a, b));
}

/** `45 models, 214 results`; what there is none of is not said. */
export function insideWords({ models, runs, results, notes }: Inside): string {
  const said = [
    models > 0 ? count(models, 'model') : runs > 0 ? count(runs, 'run') : '',
    results > 0 ? count(results, 'result') : '',
    models + runs + results === 0 && notes > 0 ? count(notes, 'note') : '',
  ].filter(Boolean);
  return said.join(', ') || 'Nothing yet';
}

export const changedWords = ({ shipped, changed }: SessionEntry, now: Date): string => (shipped ? 'Shipped' : when(changed, now));

/** Opened to be worked on, or at least to be read. */
export const canOpen = ({ state }: SessionEntry): boolean => state === 'ready' || state === 'locked' || state === 'newer';
/** Its file is ours to rename, copy and throw away. */
export const canChange = ({ state, shipped }: SessionEntry): boolean => !shipped && state === 'ready';

export const stateWords: Readonly<Record<SessionEntry['state'], string>> = {
  ready: '',
  locked: 'open elsewhere',
  newer: 'newer version',
  damaged: 'damaged',
  missing: 'not found',
  trashed: 'deleted',
};
