/** Putting a finished file in its place at once: whatever ends the process, there is all of it or nothing, and nothing else is touched. */
import { randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, openSync, renameSync, rmSync, statSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { UserError } from '../../engine/base/errors.ts';
import { fileError, inWords } from './problems.ts';

/** What SQLite keeps beside a database, by its name: its log, the index of the log, and the journal of an older kind. */
const SIDECARS = ['-wal', '-shm', '-journal'];

/**
 * Makes a file under another name beside its place, and puts it there when it is finished.
 * @param make fills the draft, which is there and empty
 * @throws UserError if there is something already, or what goes wrong while it is made, in the name of the path; nothing is left then
 */
export function makeInPlace(path: string, make: (draft: string) => void): void {
  requireFree(path);
  makeThrough(path, make, place);
}

/** As {@link makeInPlace}, in the place of what is there, which stays until then. */
export function replaceInPlace(path: string, make: (draft: string) => void): void {
  makeThrough(path, make, renameSync);
}

function makeThrough(path: string, make: (draft: string) => void, put: (draft: string, path: string) => void): void {
  const draft = createDraft(path);
  try {
    make(draft);
    put(draft, path);
  } catch (error) {
    throw aboutPath(error, draft, path);
  } finally {
    removeSession(draft);
  }
}

/** As {@link makeInPlace} where making it takes its time. */
export async function makeInPlaceLater(path: string, make: (draft: string) => Promise<void>): Promise<void> {
  requireFree(path);
  const draft = createDraft(path);
  try {
    await make(draft);
    place(draft, path);
  } catch (error) {
    throw aboutPath(error, draft, path);
  } finally {
    removeSession(draft);
  }
}

/** An empty file under a name that nobody else can have meant, so that it and what SQLite puts beside it are ours to remove. */
function createDraft(path: string): string {
  const draft = join(dirname(path), `.${randomUUID()}.draft`); // without the file's own name, which may be as long as names can be
  try {
    closeSync(openSync(draft, 'wx'));
  } catch (error) {
    throw inWords(error, path);
  }
  return draft;
}

/** Nobody but us has heard of the draft. */
function aboutPath(error: unknown, draft: string, path: string): unknown {
  return error instanceof UserError && error.value === JSON.stringify(draft) ? fileError(error.rule, path, error) : error;
}

function place(draft: string, path: string): void {
  try {
    try {
      linkSync(draft, path); // unlike a rename, this replaces nothing
      unlinkSync(draft);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw error;
      // A file system without links.
      requireFree(path);
      renameSync(draft, path);
    }
    syncFolder(dirname(path));
  } catch (error) {
    throw inWords(error, path);
  }
}

function requireFree(path: string): void {
  if (isThere(path)) throw fileError('must not be there yet', path);
}

function isThere(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    throw inWords(error, path);
  }
}

/** Makes a new name last through a power cut. Windows has no such call, and needs none. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Throws unless a new session may have this name, which is free: SQLite takes what is called as its log or journal for that, and overwrites or removes it,
 * so neither may there be such a file of somebody's, nor may a session be one to another.
 */
export function requireSessionName(path: string): void {
  requireFree(path);
  const own = [...SIDECARS, '-lock'].find((suffix) => path.endsWith(suffix));
  if (own !== undefined) throw fileError(`must not end in ${own} (files that belong to a session are called so)`, path);
  const taken = SIDECARS.map((suffix) => path + suffix).find(isThere);
  if (taken !== undefined) throw fileError(`must have ${JSON.stringify(taken)} to itself (something is there)`, path);
}

/** Removes a session file that nobody has open, with what SQLite keeps beside it. Whoever asks has its lock, or is the only one to know it. */
export function removeSession(path: string): void {
  for (const suffix of ['', ...SIDECARS]) rmSync(path + suffix, { force: true });
}
