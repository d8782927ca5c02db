/**
 * One writer at a time for a session file: `<file>-lock` beside it, an empty SQLite database held by an exclusive transaction.
 *
 * The lock is the operating system's: it ends with its process, however that ends, and a file that is left over holds nobody up. SQLite
 * takes it because Node cannot, because it does so the same way everywhere, and because it also keeps two writers of one process apart.
 */
import Database from 'better-sqlite3';
import { statSync, unlinkSync, writeFileSync, type BigIntStats } from 'node:fs';
import { fileError, inWords } from './problems.ts';

/** Milliseconds for somebody who only looks whether there is a writer to be gone again. */
const GLANCE = 100;

/** Others may come and go between looking and locking; this often is no coincidence. */
const ATTEMPTS = 100;

/**
 * @param path of the session, with links resolved: the same file must give the same lock
 * @returns the way to let go
 * @throws UserError if this or another process has it, or the folder cannot be written to
 */
export function lockSession(path: string): () => void {
  const lockPath = `${path}-lock`;
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const database = tryLock(lockPath, path);
      if (!database) continue;
      return () => {
        try {
          unlinkSync(lockPath); // while it is held, so that nobody else's goes
        } catch {
          // Windows keeps open files; it is empty, and the next writer takes it.
        }
        database.close();
      };
    }
  } catch (error) {
    throw inWords(error, path);
  }
  throw inUse(path);
}

const inUse = (path: string, cause?: unknown) =>
  fileError('must not be in use (somebody else is writing to it; it can be opened to read)', path, cause);

/** @returns undefined if the file was taken away meanwhile: the lock would be on something nobody else finds */
function tryLock(lockPath: string, path: string): Database.Database | undefined {
  const before = statSync(lockPath, { bigint: true, throwIfNoEntry: false });
  if (!before) {
    createEmpty(lockPath);
    return undefined;
  }
  if (before.size > 0n) throw fileError(`must have ${JSON.stringify(lockPath)} to itself (something else is in there)`, path);
  // Never opened by other means than SQLite's: closing any descriptor of it would give up the lock of the whole process (POSIX).
  const goneBy = () => !isSame(before, statSync(lockPath, { bigint: true, throwIfNoEntry: false }));
  const database = openExisting(lockPath, goneBy);
  if (!database) return undefined;
  try {
    database.pragma('journal_mode = MEMORY');
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if ((error as NodeJS.ErrnoException).code?.startsWith('SQLITE_BUSY')) throw inUse(path, error);
    if (goneBy()) return undefined;
    throw error;
  }
  if (!goneBy()) return database;
  database.close();
  return undefined;
}

/** @param goneBy whether it is another file by now, which is why it could not be opened */
function openExisting(path: string, goneBy: () => boolean): Database.Database | undefined {
  try {
    return new Database(path, { fileMustExist: true, timeout: GLANCE });
  } catch (error) {
    if (goneBy()) return undefined;
    throw error;
  }
}

/** The number of a file may be given again once it is gone, so its birth counts too. */
function isSame(a: BigIntStats, b: BigIntStats | undefined): boolean {
  return b !== undefined && a.dev === b.dev && a.ino === b.ino && a.birthtimeNs === b.birthtimeNs;
}

function createEmpty(path: string): void {
  try {
    writeFileSync(path, '', { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** Whether somebody writes to a session right now. It is asked as a reader would ask, who is shut out while the lock is held. */
export function isLocked(path: string): boolean {
  const lockPath = `${path}-lock`;
  if (!statSync(lockPath, { throwIfNoEntry: false })) return false;
  try {
    const database = new Database(lockPath, { readonly: true, fileMustExist: true, timeout: 0 });
    try {
      database.prepare('SELECT count(*) FROM sqlite_schema').get();
      return false;
    } finally {
      database.close();
    }
  } catch (error) {
    return (error as NodeJS.ErrnoException).code?.startsWith('SQLITE_BUSY') ?? false;
  }
}
