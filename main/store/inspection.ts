/**
 * What is found out of a session file before it is trusted, without writing to it: whether it is there, whole, one of ours, and of which
 * schema.
 *
 * A small file is checked page by page; of a large one only the header, the schema and the small tables are, since a gigabyte takes longer
 * to read than anybody waits for a file to open: its pages are checked when they are read, its numbers against their digests, and all of it
 * by `Session.check`.
 */
import { closeSync, openSync, readSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { databaseProblems } from './check.ts';
import { Connection } from './connection.ts';
import { lockSession } from './lock.ts';
import { damaged, DamagedSession, fileError, inWords, trusting } from './problems.ts';
import { APPLICATION_ID, schemaProblem, type Migration } from './schema.ts';

/** A page-by-page check of this much takes a few hundredths of a second. */
const SMALL_BYTES = 64 * 2 ** 20;

/** The path of a session with links resolved, so that one file has one name. @throws UserError if its folder is not there */
export function sessionPath(path: string): string {
  // SQLite's library cuts blanks off a name, and a zero ends it.
  if (path.trim() !== path || path === '' || path.includes('\0')) throw fileError('must have a name, without blanks at its ends', path);
  const absolute = resolve(path);
  try {
    return realpathSync(absolute);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw inWords(error, absolute);
  }
  try {
    return join(realpathSync(dirname(absolute)), basename(absolute));
  } catch (error) {
    throw inWords(error, absolute);
  }
}

/** Files that this process has open, by device and number, and how often: see {@link readHeader}. */
const openFiles = new Map<string, number>();

/** Notes that this process has a file open. @returns the way to take it back */
export function registerOpen(path: string): () => void {
  const id = fileId(path);
  openFiles.set(id, (openFiles.get(id) ?? 0) + 1);
  return () => {
    const others = openFiles.get(id)! - 1;
    if (others > 0) openFiles.set(id, others);
    else openFiles.delete(id);
  };
}

function fileId(path: string): string {
  const { dev, ino } = statSync(path, { bigint: true });
  return `${dev} ${ino}`;
}

const HEADER_BYTES = 100;

/** Throws unless a file is a session by its first 100 bytes (https://www.sqlite.org/fileformat.html#the_database_header) and as long as they say. */
export function checkHeader(path: string): void {
  let header: Buffer;
  let size: number;
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (!found) throw fileError('must be there', path);
    if (found.isDirectory()) throw fileError('must be a file, not a folder', path);
    if (!found.isFile()) throw fileError('must be a file', path);
    if (found.size === 0) throw fileError('must be a session (it is empty)', path);
    // Closing any descriptor of a file gives up this process's locks on it (POSIX); what is open here has been looked at.
    if (openFiles.has(fileId(path))) return;
    header = readHeader(path);
    size = found.size;
  } catch (error) {
    throw inWords(error, path);
  }
  if (header.length < HEADER_BYTES || header.toString('latin1', 0, 16) !== 'SQLite format 3\0')
    throw new DamagedSession('session: file', 'must be a session (it is no SQLite file)', path);
  const application = header.readUInt32BE(68);
  if (application !== APPLICATION_ID)
    throw new DamagedSession('session: file', `must be a session (it belongs to another application, 0x${application.toString(16)})`, path);
  const pageBytes = header.readUInt16BE(16) === 1 ? 65_536 : header.readUInt16BE(16);
  const pages = header.readUInt32BE(28);
  // The number of pages holds if the same change wrote it, and while nothing of the file is still in its log.
  const counts = header.readUInt32BE(24) === header.readUInt32BE(92) && !sizeOf(`${path}-wal`) && !sizeOf(`${path}-journal`);
  if (counts && size < pages * pageBytes) throw damaged(`${size} of ${pages * pageBytes} bytes are there`, path);
}

function readHeader(path: string): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  const descriptor = openSync(path, 'r');
  try {
    return header.subarray(0, readSync(descriptor, header, 0, HEADER_BYTES, 0));
  } finally {
    closeSync(descriptor);
  }
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

/**
 * A connection that only reads. What a killed writer had begun is first taken back, as SQLite does for whoever comes next.
 * @param locked whether the caller is the one writer
 */
export function connectToRead(path: string, locked = false): Connection {
  try {
    return firstRead(new Connection(path, 'read'));
  } catch (error) {
    const code = ((error as Error).cause as NodeJS.ErrnoException | undefined)?.code ?? '';
    if (code.startsWith('SQLITE_CANTOPEN'))
      throw fileError('must be in a folder that is open to writing, since it was not closed and part of it may lie beside it', path, error);
    if (code !== 'SQLITE_READONLY_ROLLBACK') throw error;
    const unlock = locked ? undefined : lockSession(path);
    try {
      firstRead(new Connection(path, 'write')).close();
    } finally {
      unlock?.();
    }
    return firstRead(new Connection(path, 'read'));
  }
}

/** SQLite opens a file when it is first read. */
function firstRead(connection: Connection): Connection {
  try {
    connection.pragma('user_version');
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** @returns the schema's version @throws DamagedSession if something is wrong with it; nothing is written */
export function checkContent(connection: Connection, steps: readonly Migration[]): number {
  const { path } = connection;
  return trusting(path, 'session', () => {
    if (connection.pragma('application_id') !== APPLICATION_ID) throw damaged('its header is not that of a session', path);
    const version = Number(connection.pragma('user_version'));
    if (version < 1) throw damaged(`its schema is ${version}`, path);
    const problem = schemaProblem(connection, version, steps);
    if (problem !== undefined) throw damaged(problem, path);
    if (sizeOf(path) <= SMALL_BYTES) {
      const [first, ...more] = databaseProblems(connection);
      if (first !== undefined) throw damaged(more.length > 0 ? `${first}, and ${more.length} more` : first, path);
    }
    const sessions = connection.get<{ count: number }>('SELECT count(*) AS count FROM session')!.count;
    if (sessions !== 1) throw damaged(`it holds ${sessions} sessions`, path);
    return version;
  });
}
