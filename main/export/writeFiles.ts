/** Writing what was exported: each file whole or not at all, and nothing that is there already is lost. */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { UserError } from '../../engine/base/errors.ts';
import { makeInPlace } from '../store/placing.ts';
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
  const targets = files.map(({ path, content }) => ({ path: resolve(path), content }));
  const put = force ? replace : makeInPlace;
  const putFrom = (i: number): void => {
    if (i === targets.length) return;
    const { path, content } = targets[i];
    try {
      if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw new UserError(field, 'must be a file, not a folder', path);
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

/** As {@link makeInPlace}, in the place of what is there. */
function replace(path: string, make: (draft: string) => void): void {
  const draft = `${path}-new`;
  try {
    rmSync(draft, { force: true });
    make(draft);
    renameSync(draft, path);
  } finally {
    rmSync(draft, { force: true });
  }
}

function writeThrough(path: string, content: Uint8Array | string): void {
  const descriptor = openSync(path, 'wx');
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
