/**
 * The session of a run. A user's own keeps everything; without one, a run that is interrupted is kept in the folder for state, in a session
 * that stands for everything its results depend on, so that the same command takes it up. That one goes once its report was handed over.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { UserError } from '../../engine/base/errors.ts';
import { fingerprint } from '../../engine/tasks/imageData.ts';
import { canonicalDigest } from '../store/canonical.ts';
import { inWords } from '../store/problems.ts';
import { Session } from '../store/session.ts';

/** Raised whenever a protocol's jobs mean something else, so that what an older version left is not taken up. */
const STATE_VERSION = 2;

export interface RunSession {
  readonly session: Session;
  /** Nothing of the run is needed any more, unless the session is the user's own. */
  finished(): void;
  /** Closes the session, and removes what nobody needs. */
  close(): void;
}

/** The user's own session, made if it is not there. @throws UserError if it cannot be written to */
export function ownSession(path: string): RunSession {
  const session = Session.open(path, existsSync(path) ? 'write' : 'create');
  return { session, finished: () => undefined, close: () => session.close() };
}

/**
 * A session for one run alone, taken up where an interrupted one left it.
 * @param path as {@link stateFile} gives it @param onDamage hears of one that is damaged, whose work is done again
 * @throws UserError about `--state`
 */
export function temporarySession(path: string, onDamage: (problem: UserError) => void): RunSession {
  const session = aboutState(path, () => {
    makeFolder(dirname(path));
    return Session.open(path, existsSync(path) ? 'write' : 'create', { name: 'run', remake: onDamage });
  });
  let needed = true;
  return {
    session,
    finished: () => (needed = false),
    close: () => {
      const keeps = needed && (session.runs().length > 0 || session.results().length > 0 || session.hasCheckpoints());
      if (keeps) session.close();
      else session.discard();
    },
  };
}

function aboutState<T>(path: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    const worded = inWords(error, path);
    throw worded instanceof UserError ? new UserError('run: --state', worded.rule, dirname(path), { cause: error }) : worded;
  }
}

/** As `mkdir -p`: Node's own never comes back where a file system lets nobody make folders, such as /proc. */
function makeFolder(folder: string): void {
  try {
    mkdirSync(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return; // a file in its place is found out by whoever opens something in it
    if (code !== 'ENOENT' || dirname(folder) === folder) throw error;
    makeFolder(dirname(folder));
    mkdirSync(folder);
  }
}

/** The user's folder for state (XDG Base Directory Specification: an empty or relative setting counts as none). */
export function defaultState({ XDG_STATE_HOME: given }: NodeJS.ProcessEnv = process.env): string {
  return join(given?.startsWith('/') ? given : join(homedir(), '.local', 'state'), 'gatescope', 'runs');
}

/** @param options as the protocol's `parse` gives them @param source of its data, if it has any: other images under the same name are another run */
export function stateFile(state: string, protocol: string, options: unknown, source?: string): string {
  const key = canonicalDigest([`${protocol} ${STATE_VERSION}`, options, source === undefined ? null : fingerprint(source)], 'options');
  return join(resolve(state), `${key.slice(0, 24)}.gatescope`);
}
