/** Putting a finished file in its place at once: whatever ends the process, there is all of it or nothing. */
import { closeSync, fsyncSync, linkSync, openSync, renameSync, rmSync, statSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { UserError } from '../../engine/base/errors.ts';
import { fileError, inWords } from './problems.ts';

/**
 * Makes a file under another name beside its place, and puts it there when it is finished.
 * @throws UserError if there is something already, or what goes wrong while it is made, in the name of the path; nothing is left then
 */
export function makeInPlace(path: string, make: (draft: string) => void): void {
  const draft = draftOf(path);
  try {
    make(draft);
    place(draft, path);
  } catch (error) {
    throw aboutPath(error, draft, path);
  } finally {
    removeSession(draft);
  }
}

/** The same where making it takes its time. */
export async function makeInPlaceLater(path: string, make: (draft: string) => Promise<void>): Promise<void> {
  const draft = draftOf(path);
  try {
    await make(draft);
    place(draft, path);
  } catch (error) {
    throw aboutPath(error, draft, path);
  } finally {
    removeSession(draft);
  }
}

/** What an earlier attempt left under the name is removed. */
function draftOf(path: string): string {
  requireFree(path);
  const draft = `${path}-new`;
  removeSession(draft);
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
  if (statSync(path, { throwIfNoEntry: false })) throw fileError('must not be there yet', path);
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

/** Removes a session file that nobody has open, with everything beside it. */
export function removeSession(path: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal', '-lock', '-new']) rmSync(path + suffix, { force: true });
}
