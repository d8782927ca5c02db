/** Sessions that were thrown away: moved into `.trash` of the sessions folder, from which they can come back. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../../engine/base/errors.ts';
import { lockSession } from '../../store/lock.ts';
import { inWords } from '../../store/problems.ts';
import { JsonFile } from '../files/jsonFile.ts';

const INDEX = 'index.json';
/** What belongs to a session that was not closed. */
const SIDECARS = ['-wal', '-shm', '-journal'];

const index = z.record(z.string(), z.object({ from: z.string(), at: z.string() }));

export class Trash {
  readonly folder: string;
  /** By name in the folder: where it came from, and when. */
  readonly #index: JsonFile<typeof index>;

  readonly #mayReach: (path: string) => boolean;

  /** @param sessionsFolder with links resolved, as are the paths that are asked for @param mayReach whether something may be put there */
  constructor(sessionsFolder: string, mayReach: (path: string) => boolean) {
    this.#mayReach = mayReach;
    this.folder = join(sessionsFolder, '.trash');
    this.#index = new JsonFile(join(this.folder, INDEX), index, {});
  }

  /** Paths of what is in it. */
  list(): string[] {
    if (!existsSync(this.folder)) return [];
    return readdirSync(this.folder)
      .filter((name) => extname(name) === '.gatescope')
      .sort()
      .map((name) => join(this.folder, name));
  }

  has(path: string): boolean {
    return dirname(path) === this.folder;
  }

  /** @param at ISO time @returns where it is now @throws UserError if somebody writes to it, or it cannot be moved */
  take(path: string, at: string): string {
    if (!existsSync(path)) throw new UserError('trashSession: path', 'must be there', path);
    const target = freeName(join(this.folder, basename(path)));
    const unlock = lockSession(path);
    try {
      mkdirSync(this.folder, { recursive: true });
      move(path, target);
    } catch (error) {
      throw inWords(error, path);
    } finally {
      unlock();
    }
    this.#index.write({ ...this.#index.read(), [basename(target)]: { from: path, at } });
    return target;
  }

  /** @param path in the trash, or where it was before: of several the one that was thrown away last @returns where it is now */
  restore(path: string): string {
    const known = this.#index.read();
    const names = Object.keys(known).filter((name) => known[name].from === path && existsSync(join(this.folder, name)));
    const newest = names.sort((a, b) => (known[a].at < known[b].at ? -1 : 1)).at(-1);
    const name = this.has(path) && existsSync(path) ? basename(path) : newest;
    if (name === undefined) throw new UserError('restoreSession: path', 'must be that of a session in the trash', path);
    // The index is a file as any other: it does not say what may be written to.
    const from = Object.hasOwn(known, name) && this.#mayReach(known[name].from) ? known[name].from : undefined;
    const target = freeName(from ?? join(dirname(this.folder), name));
    try {
      mkdirSync(dirname(target), { recursive: true });
      move(join(this.folder, name), target);
    } catch (error) {
      throw inWords(error, target);
    }
    this.#index.write(Object.fromEntries(Object.entries(known).filter(([other]) => other !== name)));
    return target;
  }
}

/** The path, or where something is already `study 2.gatescope`, `study 3.gatescope`, … */
export function freeName(path: string): string {
  const ending = extname(path);
  const stem = path.slice(0, path.length - ending.length);
  let candidate = path;
  for (let i = 2; existsSync(candidate); i++) candidate = `${stem} ${i}${ending}`;
  return candidate;
}

function move(from: string, to: string): void {
  for (const suffix of ['', ...SIDECARS]) {
    if (!existsSync(from + suffix)) continue;
    try {
      renameSync(from + suffix, to + suffix);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
      copyFileSync(from + suffix, to + suffix);
      rmSync(from + suffix);
    }
  }
}
