/** Writing what was exported: each file whole or not at all, and nothing that is there already is lost. */
import { closeSync, fsyncSync, openSync, readSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { UserError } from '../../engine/base/errors.ts';
import { makeInPlace, replaceInPlace } from '../store/placing.ts';
import { inWords } from '../store/problems.ts';

export interface OutputFile {
  readonly path: string;
  readonly content: Uint8Array | string;
}

export interface WriteOptions {
  /** Whether files that are there are replaced. */
  readonly force: boolean;
  /** For tests of a failing disk. */
  readonly write?: (path: string, content: Uint8Array | string) => void;
}

/** Writes all of them before the first has its name. @returns their absolute paths @throws UserError about `field`, with what is there as it was */
export function writeFiles(files: readonly OutputFile[], field: string, { force, write = writeThrough }: WriteOptions): string[] {
  const targets = files.map(({ path, content }) => ({ path: targetOf(path, field), content }));
  const put = force ? replaceInPlace : makeInPlace;
  const putFrom = (i: number): void => {
    if (i === targets.length) return;
    const { path, content } = targets[i];
    try {
      put(path, (draft) => {
        write(draft, content);
        putFrom(i + 1);
      });
    } catch (error) {
      throw about(error, field, path, force);
    }
  };
  putFrom(0);
  return targets.map(({ path }) => path);
}

const SQLITE = Buffer.from('SQLite format 3\0', 'latin1');

/** Where the file will be: behind links. Devices and pipes are not replaced, and neither is a database, which a session is. */
function targetOf(path: string, field: string): string {
  const status = statSync(path, { throwIfNoEntry: false });
  if (!status) return resolve(path);
  if (status.isDirectory()) throw new UserError(field, 'must be a file, not a folder', path);
  if (!status.isFile()) throw new UserError(field, 'must be a regular file, not a device or a pipe', path);
  try {
    const target = realpathSync(path);
    if (beginning(target, SQLITE.length).equals(SQLITE)) throw new UserError(field, 'must not be a session or another database', path);
    return target;
  } catch (error) {
    throw about(error, field, path, true);
  }
}

function beginning(path: string, bytes: number): Buffer {
  const descriptor = openSync(path, 'r');
  try {
    const found = Buffer.alloc(bytes);
    return found.subarray(0, readSync(descriptor, found, 0, bytes, 0));
  } finally {
    closeSync(descriptor);
  }
}

function writeThrough(path: string, content: Uint8Array | string): void {
  const descriptor = openSync(path, 'w');
  try {
    writeFileSync(descriptor, content);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function about(error: unknown, field: string, path: string, force: boolean): unknown {
  if (error instanceof UserError && error.field === field) return error; // of a file that was to come after this one
  const worded = inWords(error, path);
  if (!(worded instanceof UserError)) return worded;
  const rule = worded.rule === 'must not be there yet' && !force ? `${worded.rule}, unless --force is given` : worded.rule;
  return new UserError(field, rule, path, { cause: error });
}
