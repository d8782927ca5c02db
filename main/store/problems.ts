/** What can be wrong with a session file and its disk, in words: which file, which rule, and nothing about the library underneath. */
import { UserError } from '../../engine/base/errors.ts';

/** The file is not whole, or is none of ours. Found while it is opened, it is never written to. */
export class DamagedSession extends UserError {}

export const fileError = (rule: string, path: string, cause?: unknown): UserError => new UserError('session: file', rule, path, { cause });

export const damaged = (why: string, path: string, cause?: unknown): DamagedSession =>
  new DamagedSession('session: file', `must be whole (${why})`, path, { cause });

/** An error of the opening path, where nothing was written yet: of damage, it says so. */
export function untouched(error: unknown, path: string): unknown {
  if (!(error instanceof DamagedSession)) return error;
  return new DamagedSession(error.field, `${error.rule}; nothing was written to it`, path, { cause: error });
}

/** What the system's error codes mean for somebody who has to do something about them. */
const systemRules: Readonly<Record<string, string>> = {
  ENOSPC: 'must have space left on its disk',
  EDQUOT: 'must be within the disk quota',
  EROFS: 'must not be on a read-only file system',
  EACCES: 'must be open to this user',
  EPERM: 'must be open to this user',
  EIO: 'must be on a working disk',
  EISDIR: 'must be a file, not a folder',
  ENOTDIR: 'must be in a folder',
  ENOENT: 'must be in a folder that is there',
  EEXIST: 'must not be there yet',
  ELOOP: 'must not be a link to itself',
  ENAMETOOLONG: 'must have a shorter name',
};

/** SQLite's primary codes; an extended one such as SQLITE_IOERR_WRITE counts as its primary. */
const databaseRules: Readonly<Record<string, string>> = {
  SQLITE_FULL: 'must have space left on its disk',
  SQLITE_READONLY: 'must be open to writing by this user, and stay where it is',
  SQLITE_IOERR: 'must be on a working disk with space left',
  SQLITE_CANTOPEN: 'must be a file in a folder that is open to writing',
  SQLITE_BUSY: 'must not be held by another program',
  SQLITE_LOCKED: 'must not be held by another program',
  SQLITE_PERM: 'must be open to this user',
  SQLITE_AUTH: 'must be open to this user',
  SQLITE_PROTOCOL: 'must not be held by another program',
};

const damageCodes = /^SQLITE_(CORRUPT|NOTADB|FORMAT|MISMATCH)/;

/** A UserError for what a disk or a file does; bugs and errors that are already in words as they are. */
export function inWords(error: unknown, path: string): unknown {
  if (error instanceof UserError || !(error instanceof Error)) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (typeof code !== 'string') return error;
  if (damageCodes.test(code)) return damaged(message, path, error);
  const rule = systemRules[code] ?? databaseRules[/^SQLITE_[A-Z]+/.exec(code)?.[0] ?? ''];
  // The system's own messages begin with their code and end with the path, which is said anyway.
  return rule === undefined ? error : fileError(`${rule} (${/^[A-Z]+: [^,]+/.exec(message)?.[0] ?? message})`, path, error);
}

/** What a piece of a file says, or that it is damaged: for reading what somebody else may have written. */
export function trusting<T>(path: string, what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const worded = inWords(error, path);
    if (worded instanceof UserError) throw worded;
    throw damaged(`${what}: ${error instanceof Error ? error.message : String(error)}`, path, error);
  }
}
