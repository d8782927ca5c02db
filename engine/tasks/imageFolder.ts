/**
 * Images as files, a folder for each class: `<root>/<class>/…`, divided here, or `<root>/train/<class>/…` and `<root>/test/<class>/…`.
 *
 * Names are sorted so that the result does not depend on the file system: runs of digits by their value, the rest by code unit. Files that are
 * not named as pictures, and hidden ones, are left aside.
 */
import { readdirSync, statSync, type Dirent } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { UserError } from '../base/errors.ts';
import { imageEndings, readImageFile } from '../formats/imageFile.ts';
import { checkCount, CLASS_LIMIT, imageData, splitRows, type FoundPart, type ImageData } from './imageParts.ts';

export interface FolderListing {
  readonly classes: readonly string[];
  readonly train: readonly ListedImage[];
  readonly test: readonly ListedImage[];
}

interface ListedImage {
  readonly path: string;
  readonly label: number;
}

/** Pictures read between two looks at what else there is to do, e.g. a Ctrl-C. */
const AT_A_TIME = 64;

/** @throws UserError if the folders are not laid out as above, or a class is empty */
export function listImageFolder(place: string, root: string): FolderListing {
  const { folders: names } = listFolder(place, root);
  if (names.includes('train') && names.includes('test')) {
    const other = names.find((name) => name !== 'train' && name !== 'test');
    if (other !== undefined) throw new UserError(`${place}: folders`, 'must be no others than train and test where these are', other);
    const [train, test] = ['train', 'test'].map((part) => listClasses(place, join(root, part)));
    const unmatched = [...train.classes, ...test.classes].find((name) => !train.classes.includes(name) || !test.classes.includes(name));
    if (unmatched !== undefined) throw new UserError(`${place}: class ${unmatched}`, 'must be in train and in test', 'one of them');
    return { classes: train.classes, train: train.images, test: test.images };
  }
  const lone = names.find((name) => names.length === 1 && (name === 'train' || name === 'test'));
  if (lone !== undefined) throw new UserError(`${place}: folders`, 'must be both train and test, or one for each class', lone);
  const { classes, images } = listClasses(place, root);
  const rows = splitRows(images.map(({ label }) => label));
  const alone = classes.findIndex((_name, label) => !rows.test.some((row) => images[row].label === label));
  if (alone >= 0) throw new UserError(`${place}: class ${classes[alone]}`, 'must have at least 2 images, as one is for testing', 1);
  return { classes, train: rows.train.map((row) => images[row]), test: rows.test.map((row) => images[row]) };
}

/** @throws UserError naming the file if one cannot be read, or both files if their sizes differ */
export async function readImageFolder(place: string, root: string, listing: FolderListing): Promise<ImageData> {
  const first = listing.train[0].path;
  const { height, width } = await readImageFile(first);
  let colour = false;
  const part = async (images: readonly ListedImage[]): Promise<FoundPart> => {
    checkCount(place, images.length, height * width);
    const pixels = new Uint8Array(images.length * height * width);
    for (const [i, { path }] of images.entries()) {
      const image = await readImageFile(path);
      if (image.height !== height || image.width !== width)
        throw new UserError(`${place}: ${path}`, `must be ${height} × ${width}, as ${first} is`, `${image.height} × ${image.width}`);
      pixels.set(image.pixels, i * height * width);
      colour ||= image.colour;
      if (i % AT_A_TIME === 0) await setImmediate();
    }
    return { pixels, labels: images.map(({ label }) => label) };
  };
  const [train, test] = [await part(listing.train), await part(listing.test)];
  return imageData(place, { name: basename(root), height, width, classes: listing.classes, train, test, colour });
}

/** Runs of digits by their value, the rest by code unit; names that differ in leading zeros only, by code unit. */
export function compareNaturally(a: string, b: string): number {
  const [left, right] = [a, b].map((name) => name.normalize('NFC').match(/\d+|\D+/g) ?? []);
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const [one, other] = [left[i], right[i]];
    if (one === other) continue;
    const order = /^\d/.test(one) && /^\d/.test(other) ? compareDigits(one, other) : one < other ? -1 : 1;
    if (order !== 0) return order;
  }
  return left.length - right.length || (a < b ? -1 : Number(a > b));
}

/** Without turning them into numbers, which long runs are too large for. */
function compareDigits(a: string, b: string): number {
  const [one, other] = [a, b].map((digits) => digits.replace(/^0+/, ''));
  return one.length - other.length || (one < other ? -1 : Number(one > other));
}

function listClasses(place: string, folder: string): { classes: string[]; images: ListedImage[] } {
  const { folders, images: outside } = listFolder(place, folder);
  if (folders.length === 0) throw new UserError(`${place}: ${folder}`, 'must hold a folder for each class', 'no folders');
  if (folders.length > CLASS_LIMIT) throw new UserError(`${place}: ${folder}`, `must hold at most ${CLASS_LIMIT} classes`, folders.length);
  if (outside.length > 0) throw new UserError(`${place}: ${folder}`, 'must hold images in the folders of their classes', outside[0]);
  const images = folders.flatMap((name, label) => {
    const inside = listFolder(place, join(folder, name));
    if (inside.folders.length > 0) throw new UserError(`${place}: ${join(folder, name)}`, 'must hold no folders', inside.folders[0]);
    if (inside.images.length === 0)
      throw new UserError(`${place}: ${join(folder, name)}`, `must hold images (${imageEndings.join(', ')})`, 'none');
    return inside.images.map((file) => ({ path: join(folder, name, file), label }));
  });
  // One spelling of a name, also where the file system takes accents apart.
  return { classes: folders.map((name) => name.normalize('NFC')), images };
}

/** What shows in a folder, sorted; links count as what they lead to. */
function listFolder(place: string, folder: string): { folders: string[]; images: string[] } {
  try {
    const entries = readdirSync(folder, { withFileTypes: true }).filter(({ name }) => !name.startsWith('.'));
    const isFolder = (entry: Dirent) =>
      entry.isSymbolicLink()
        ? (statSync(join(folder, entry.name), { throwIfNoEntry: false })?.isDirectory() ?? false)
        : entry.isDirectory();
    const folders = new Set(entries.filter(isFolder));
    const images = entries.filter((entry) => !folders.has(entry) && imageEndings.includes(extname(entry.name).toLowerCase()));
    const names = (some: Iterable<Dirent>) => Array.from(some, ({ name }) => name).sort(compareNaturally);
    return { folders: names(folders), images: names(images) };
  } catch (error) {
    throw new UserError(`${place}: ${folder}`, 'must be a readable folder', (error as NodeJS.ErrnoException).code ?? String(error), {
      cause: error,
    });
  }
}
