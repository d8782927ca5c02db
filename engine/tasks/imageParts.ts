/** What a data set of images is, whatever it was read from, and the rules all of them keep. */
import { createHash } from 'node:crypto';
import { UserError } from '../base/errors.ts';
import { checkSize } from '../formats/raster.ts';

/** Images as published: bytes 0 … 255 (0 is black), one channel. */
export interface ImagePart {
  readonly count: number;
  /** [count, height * width] */
  readonly pixels: Uint8Array;
  /** [count], places in the list of classes */
  readonly labels: Uint8Array | Uint16Array;
}

export interface ImageData {
  /** Of the data set, or of the folder or file it was read from; never a whole path. */
  readonly name: string;
  readonly height: number;
  readonly width: number;
  readonly classes: readonly string[];
  readonly train: ImagePart;
  readonly test: ImagePart;
  /** Whether something was colour, and is grey now (formats/raster.ts says how). */
  readonly colour: boolean;
  /** SHA-256 over sizes, classes, pixels and labels. */
  readonly digest: string;
}

/** As a reader finds it, not yet checked; labels are places in the list of classes. */
export interface FoundPart {
  readonly pixels: Uint8Array;
  readonly labels: ArrayLike<number>;
}

/** The most pixels of a part: what a table of their bytes may take, a quarter of one of floats. */
const PART_LIMIT = 2 ** 29;
export const CLASS_LIMIT = 65_535;

/** @throws UserError that begins with `place` unless there are images of an allowed size, two classes or more, and an image of each to train on */
export function imageData(
  place: string,
  found: { name: string; height: number; width: number; classes: readonly string[]; train: FoundPart; test: FoundPart; colour: boolean },
): ImageData {
  const { name, height, width, classes, colour } = found;
  checkSize(`${place}: images`, height, width);
  checkClasses(place, classes);
  const part = (which: 'train' | 'test'): ImagePart => {
    const { pixels, labels } = found[which];
    checkCount(`${place}: ${which}`, labels.length, height * width);
    if (pixels.length !== labels.length * height * width)
      throw new UserError(
        `${place}: ${which}`,
        `must have a label for each of its ${pixels.length / (height * width)} images`,
        labels.length,
      );
    return { count: labels.length, pixels, labels: classes.length <= 256 ? Uint8Array.from(labels) : Uint16Array.from(labels) };
  };
  const [train, test] = [part('train'), part('test')];
  const trained = new Set(train.labels);
  const missing = classes.findIndex((_name, label) => !trained.has(label));
  if (missing >= 0) throw new UserError(`${place}: class ${classes[missing]}`, 'must have an image to train on', 'none');
  return { name, height, width, classes, train, test, colour, digest: digestOf(height, width, classes, train, test) };
}

/** @throws UserError for none, or more than there may be */
export function checkCount(place: string, count: number, pixels: number): void {
  const most = Math.floor(PART_LIMIT / pixels);
  if (count < 1 || count > most) throw new UserError(place, `must be 1 to ${most} images of ${pixels} pixels`, count);
}

function checkClasses(place: string, classes: readonly string[]): void {
  if (classes.length < 2 || classes.length > CLASS_LIMIT)
    throw new UserError(`${place}: classes`, `must be 2 to ${CLASS_LIMIT}`, classes.length === 1 ? `one, ${classes[0]}` : classes.length);
}

/**
 * Classes of labels that are numbers: those that occur, in ascending order, named by their digits; and the labels as places among them.
 * @throws UserError naming the first label that is negative
 */
export function numberedClasses(
  place: string,
  train: ArrayLike<number>,
  test: ArrayLike<number>,
): { classes: string[]; train: Uint32Array; test: Uint32Array } {
  const values = new Set<number>();
  for (const labels of [train, test])
    for (let i = 0; i < labels.length; i++) {
      if (labels[i] < 0) throw new UserError(`${place}: label ${i}`, 'must be ≥ 0', labels[i]);
      values.add(labels[i]);
    }
  const sorted = [...values].sort((a, b) => a - b);
  const places = new Map(sorted.map((value, index) => [value, index]));
  const placed = (labels: ArrayLike<number>) => Uint32Array.from(labels, (value) => places.get(value)!);
  return { classes: sorted.map(String), train: placed(train), test: placed(test) };
}

/** Rows of a part that were not divided by whoever made them: of each class the second image and every sixth after it are for testing. */
export function splitRows(labels: ArrayLike<number>): { train: number[]; test: number[] } {
  const seen = new Map<number, number>();
  const rows: { train: number[]; test: number[] } = { train: [], test: [] };
  for (let row = 0; row < labels.length; row++) {
    const before = seen.get(labels[row]) ?? 0;
    rows[before % 6 === 1 ? 'test' : 'train'].push(row);
    seen.set(labels[row], before + 1);
  }
  return rows;
}

function digestOf(height: number, width: number, classes: readonly string[], train: ImagePart, test: ImagePart): string {
  const hash = createHash('sha256').update(JSON.stringify({ height, width, classes, train: train.count, test: test.count }));
  for (const { pixels, labels } of [train, test]) {
    // Little-endian, two bytes a label, whatever they are held in.
    const wide = Uint16Array.from(labels);
    hash.update(pixels).update(new Uint8Array(wide.buffer));
  }
  return hash.digest('hex');
}
