/** How a session file comes to be open: made, locked, looked over, brought up to date. What is looked for is inspection.ts's. */
import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { applicationVersion } from './application.ts';
import { Connection } from './connection.ts';
import { backUp } from './copies.ts';
import { checkContent, checkHeader, connectToRead, registerOpen, sessionPath } from './inspection.ts';
import { lockSession } from './lock.ts';
import { makeInPlace, removeSession, requireSessionName } from './placing.ts';
import { DamagedSession, fileError, untouched } from './problems.ts';
import { APPLICATION_ID, migrate, migrations, readAsNewest, type Migration } from './schema.ts';

/** `create` refuses a file that is there; `write` and `read` one that is not. */
export type OpenMode = 'create' | 'write' | 'read';

export interface OpenOptions {
  /** Of a new session; its file's name unless given. */
  readonly name?: string;
  /** Given, a damaged file is made anew, without letting anybody else in between: hears of it first. */
  readonly remake?: (problem: DamagedSession) => void;
  /** What time it is, for the times in the file. */
  readonly clock?: () => Date;
  /** For tests: the schema's history. */
  readonly migrations?: readonly Migration[];
}

export interface Opened {
  readonly connection: Connection;
  /** What has to be said about it: that its schema is newer, where a backup is. */
  readonly notice?: string;
  /** After the connection is closed. */
  readonly release: () => void;
}

/** @throws UserError for all that is in the way; a file that is damaged or not ours is as it was */
export function openSession(path: string, mode: OpenMode, options: OpenOptions): Opened {
  const resolved = sessionPath(path);
  const { migrations: steps = migrations } = options;
  if (mode === 'read') return openToRead(resolved, steps);
  requireOneName(resolved);
  const unlock = lockSession(resolved);
  try {
    if (mode === 'create') create(resolved, steps, options);
    try {
      return openToWrite(resolved, steps, unlock);
    } catch (error) {
      if (!options.remake || !(error instanceof DamagedSession)) throw error;
      options.remake(error);
      removeSession(resolved);
      create(resolved, steps, options);
      return openToWrite(resolved, steps, unlock);
    }
  } catch (error) {
    unlock();
    throw error;
  }
}

/** The lock and SQLite's log go by the name: under two names a file would have two writers. */
function requireOneName(path: string): void {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status?.isFile() && status.nlink > 1)
    throw fileError('must have no other name (a hard link leads to it as well) to be written to', path);
}

function openToRead(path: string, steps: readonly Migration[]): Opened {
  const [connection, version] = look(path, steps);
  try {
    if (version < steps.length && !readAsNewest(connection, version, steps))
      throw fileError(
        `must be opened to writing once (its schema is ${version}, ours ${steps.length}): a copy of it as it is is then kept`,
        path,
      );
    connection.ofNewerVersion = version > steps.length;
    return {
      connection,
      release: registerOpen(path),
      ...(version > steps.length && {
        notice: `${path} was made by a newer version of this program (schema ${version}, ours is ${steps.length}): it can be read, not written to`,
      }),
    };
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** A connection that cannot write, whatever it finds, and the version of the schema. */
function look(path: string, steps: readonly Migration[], locked = false): [Connection, number] {
  try {
    checkHeader(path);
    const connection = connectToRead(path, locked);
    try {
      return [connection, checkContent(connection, steps)];
    } catch (error) {
      connection.close();
      throw error;
    }
  } catch (error) {
    throw untouched(error, path);
  }
}

function openToWrite(path: string, steps: readonly Migration[], unlock: () => void): Opened {
  const [found, version] = look(path, steps, true);
  let notice: string | undefined;
  {
    using reader = found;
    if (version > steps.length)
      throw fileError(
        `must not be of a newer version of this program to be written to (schema ${version}, ours is ${steps.length}); it can be opened to read`,
        path,
      );
    if (version < steps.length) notice = `${path} was brought up to date; as it was, it is kept in ${backUp(reader, version)}`;
  }
  const connection = new Connection(path, 'write');
  try {
    connection.pragma('journal_mode = WAL');
    connection.pragma('synchronous = FULL'); // the log is on the disk before a write is said to be done
    if (version < steps.length) migrate(connection, version, steps);
    const unregister = registerOpen(path);
    const release = () => {
      unregister();
      unlock();
    };
    return { connection, release, ...(notice !== undefined && { notice }) };
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** The file is whole before it has its name. */
function create(path: string, steps: readonly Migration[], { name, clock = () => new Date() }: OpenOptions): void {
  requireSessionName(path);
  makeInPlace(path, (draft) => {
    using connection = new Connection(draft, 'create');
    connection.pragma(`application_id = ${APPLICATION_ID}`);
    migrate(connection, 0, steps);
    connection.run(
      'INSERT INTO session (only, uuid, name, created, application) VALUES (1, ?, ?, ?, ?)',
      randomUUID(),
      name ?? basename(path, extname(path)),
      clock().toISOString(),
      applicationVersion,
    );
  });
}
