/** What the session browser says of a file: whether it can be opened, and what is in it. It writes to none. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { UserError } from '../../../engine/base/errors.ts';
import { isLocked } from '../../store/lock.ts';
import { DamagedSession, inWords } from '../../store/problems.ts';
import { Session } from '../../store/session.ts';
import type { Inside, SessionEntry } from '../hostApi.ts';

export const ENDING = '.gatescope';

/** Folders below the sessions folder in which sessions are looked for: one level, since a root may be a whole disk. */
const DEPTH = 1;

type Contents = Pick<SessionEntry, 'name' | 'note' | 'inside'> & { readonly lastView?: string };

/** Sessions in a folder and in those right below it; hidden folders, and those that cannot be read, are left out. */
export function sessionsIn(folder: string, depth = DEPTH): string[] {
  let entries;
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
  return entries.flatMap((entry) => {
    if (entry.isFile() && entry.name.endsWith(ENDING)) return [join(folder, entry.name)];
    const visited = depth > 0 && entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules';
    return visited ? sessionsIn(join(folder, entry.name), depth - 1) : [];
  });
}

export function contentsOf(session: Session): Contents {
  const inside: Inside = {
    models: session.models().length + session.languageModels().length,
    runs: session.runs().length,
    results: session.results().length,
    notes: session.notes().length,
    actions: session.actions().length,
  };
  const note = session.notes().findLast(({ subject, text }) => subject.kind === 'session' && text !== '');
  const lastView = session.layout('workspace');
  return { name: session.info.name, note: note?.text ?? '', inside, ...(typeof lastView === 'string' && { lastView }) };
}

const nothing: Inside = { models: 0, runs: 0, results: 0, notes: 0, actions: 0 };

/** Looks into files, and remembers what it saw for as long as they stay as they are. */
export class SessionEntries {
  readonly #seen = new Map<string, { readonly stamp: string; readonly entry: SessionEntry }>();

  /** @param open the session, if it is open here @param marks what the file itself does not say */
  of(path: string, open: Session | undefined, marks: { readonly trashed: boolean; readonly shipped: boolean }): SessionEntry {
    const { trashed, shipped } = marks;
    const status = statSync(path, { throwIfNoEntry: false });
    const blank = {
      path,
      name: basename(path, extname(path)),
      note: '',
      size: 0,
      changed: new Date(0).toISOString(),
      inside: nothing,
      shipped,
    };
    if (!status?.isFile()) return { ...blank, state: 'missing', problem: 'the file is no longer there' };
    const log = statSync(`${path}-wal`, { throwIfNoEntry: false }); // part of it while it is written to
    const changed = new Date(Math.max(status.mtimeMs, log?.mtimeMs ?? 0)).toISOString();
    const seen = { ...blank, size: status.size + (log?.size ?? 0), changed };
    if (open) return { ...seen, ...contentsOf(open), state: 'ready' };
    const stamp = [status.size, status.mtimeMs, status.ino, log?.size, log?.mtimeMs, existsSync(`${path}-lock`), trashed, shipped].join(
      ' ',
    );
    const known = this.#seen.get(path);
    if (known?.stamp === stamp) return known.entry;
    const looked = { ...seen, ...look(path) };
    const entry: SessionEntry = trashed && looked.state === 'ready' ? { ...looked, state: 'trashed' } : looked;
    this.#seen.set(path, { stamp, entry });
    return entry;
  }
}

function look(path: string): Partial<Contents> & Pick<SessionEntry, 'state' | 'problem'> {
  try {
    using session = Session.open(path, 'read');
    const { notice } = session;
    if (notice !== undefined) return { ...contentsOf(session), state: 'newer', problem: notice };
    if (isLocked(path))
      return { ...contentsOf(session), state: 'locked', problem: 'somebody else is writing to it; it can be opened to read' };
    return { ...contentsOf(session), state: 'ready' };
  } catch (error) {
    const worded = inWords(error, path);
    if (!(worded instanceof UserError)) throw worded;
    return { state: worded instanceof DamagedSession ? 'damaged' : 'locked', problem: worded.rule };
  }
}
