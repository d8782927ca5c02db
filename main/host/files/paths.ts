/**
 * Paths that a window may name. Under a root everything else is out of reach, whatever links and dots a path is made of; without one, whoever
 * sits at the window may read and write what their account may.
 */
import { lstatSync, realpathSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { UserError } from '../../../engine/base/errors.ts';
import { namedData } from '../describe/data.ts';

export class Paths {
  /** With links resolved. */
  readonly root: string | undefined;

  constructor(root?: string) {
    this.root = root === undefined ? undefined : realpathSync(resolve(root));
  }

  /**
   * The path with links resolved, as far as it is there.
   * @param place who asks, for the error
   * @throws UserError if it lies outside the root, or is a link that leads nowhere
   */
  within(place: string, path: string): string {
    if (path.trim() === '' || path.includes('\0')) throw new UserError(place, 'must be a path', path);
    if (this.root === undefined && !isAbsolute(path)) throw new UserError(place, 'must be a whole path', path);
    const resolved = resolveLinks(resolve(this.root ?? '/', path));
    if (resolved === undefined) throw new UserError(place, 'must not be a link that leads nowhere', path);
    if (!this.has(resolved)) throw new UserError(place, `must lie below ${this.root}`, path);
    return resolved;
  }

  /** Whether a path without links may be reached. */
  has(path: string): boolean {
    if (this.root === undefined) return true;
    const inside = relative(this.root, path);
    return inside === '' || !(inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside));
  }

  /** Whether a path, as somebody has written it down, may be reached. */
  reaches(path: string): boolean {
    if (!isAbsolute(path) || path.includes('\0')) return false;
    const resolved = resolveLinks(path);
    return resolved !== undefined && this.has(resolved);
  }

  /** A path of the program's own with links resolved; undefined for a link that leads nowhere. */
  resolved(path: string): string | undefined {
    return resolveLinks(resolve(path));
  }

  /** A source of images: the name of a data set, or a path. @throws UserError if it lies outside the root */
  source(place: string, source: string): string {
    return namedData.includes(source) ? source : this.within(place, source);
  }
}

/** Of what is not there, the folder's; undefined for a link that leads nowhere, which whoever writes there would follow. */
function resolveLinks(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    if (lstatSync(path, { throwIfNoEntry: false })) return undefined;
    const folder = dirname(path);
    if (folder === path) return path;
    const above = resolveLinks(folder);
    return above === undefined ? undefined : join(above, basename(path));
  }
}
