/** Folders and files that a window may choose from. */
import { readdirSync, type Dirent } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, extname, join } from 'node:path';
import { UserError } from '../../../engine/base/errors.ts';
import { hasIdxFiles } from '../../../engine/tasks/idxImages.ts';
import type { Paths } from '../files/paths.ts';
import type { Listing } from '../hostApi.ts';
import { ENDING } from './entries.ts';

type Kind = 'session' | 'images';

const IMAGES = /\.(png|jpe?g|bmp|tiff?)$/i;
/** Entries of a folder that are looked at to see whether it holds images. */
const GLANCE = 20;

/** @param folder where to look: the sessions folder, or home, unless given @throws UserError if it cannot be read or lies outside the root */
export function browse(paths: Paths, sessionsFolder: string, kind: Kind, folder?: string): Listing {
  const wanted = folder ?? (kind === 'session' ? sessionsFolder : (paths.root ?? homedir()));
  const here = paths.within('browse: folder', wanted);
  const above = dirname(here);
  const entries = read(here).flatMap((entry) => {
    if (entry.name.startsWith('.')) return [];
    const path = join(here, entry.name);
    const isFolder = entry.isDirectory() || (entry.isSymbolicLink() && leadsToFolder(paths, path));
    const suits = fits(kind, path, isFolder);
    return isFolder || suits ? [{ name: entry.name, path, folder: isFolder, fits: suits }] : [];
  });
  entries.sort((a, b) => Number(b.folder) - Number(a.folder) || a.name.localeCompare(b.name));
  return { folder: here, ...(above !== here && paths.has(above) && { parent: above }), entries };
}

function read(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    throw new UserError('browse: folder', 'must be a folder that can be read', folder, { cause: error });
  }
}

function leadsToFolder(paths: Paths, link: string): boolean {
  const target = paths.resolved(link);
  return target !== undefined && paths.has(target) && list(target).length > 0;
}

/** Whether it may be what is looked for; whoever reads it finds out. */
function fits(kind: Kind, path: string, isFolder: boolean): boolean {
  switch (kind) {
    case 'session':
      return !isFolder && extname(path) === ENDING;
    case 'images':
      return isFolder ? looksLikeImages(path) : extname(path).toLowerCase() === '.npz';
    default:
      return kind satisfies never;
  }
}

/** The four idx files, or folders of images, one for each class. */
function looksLikeImages(folder: string): boolean {
  if (hasIdxFiles(folder)) return true;
  const folders = list(folder).slice(0, GLANCE);
  return folders.some((name) => {
    const inside = list(join(folder, name)).slice(0, GLANCE);
    return inside.some(
      (file) =>
        IMAGES.test(file) ||
        list(join(folder, name, file))
          .slice(0, GLANCE)
          .some((deeper) => IMAGES.test(deeper)),
    );
  });
}

/** Names in a folder; none where there is no folder that can be read. */
function list(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}
