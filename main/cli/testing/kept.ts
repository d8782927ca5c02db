/** What a session file has of finished work, looked at from outside while somebody may be writing to it. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../../engine/base/errors.ts';
import { Session } from '../../store/session.ts';

/** Keys of finished runs and results, with their digests and the times they were stored: a time tells what was stored again. */
export function finishedIn(session: Session): Record<string, string> {
  const rows = [...session.runs().filter(({ state }) => state === 'done'), ...session.results()];
  return Object.fromEntries(rows.map(({ key, digest, at }) => [key, `${digest} ${at}`]));
}

/** The same of a file that may not be there yet, or any more. */
export function keptIn(path: string): Record<string, string> {
  if (!existsSync(path)) return {};
  try {
    using session = Session.open(path, 'read');
    return finishedIn(session);
  } catch (error) {
    if (error instanceof UserError) return {}; // it is just being taken away
    throw error;
  }
}

/** Of the runs that a folder for state has. */
export function keptInState(folder: string): Record<string, string> {
  if (!existsSync(folder)) return {};
  const files = readdirSync(folder).filter((name) => name.endsWith('.gatescope'));
  return Object.assign({}, ...files.map((name) => keptIn(join(folder, name)))) as Record<string, string>;
}
