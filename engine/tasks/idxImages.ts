/** Images in MNIST's own four files, `train-images-idx3-ubyte` and so on, plain or gzipped, of any size and number. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../base/errors.ts';
import { readIdx } from '../formats/idx.ts';
import { imageData, numberedClasses, type ImageData } from './imageParts.ts';

const parts = { train: 'train', test: 't10k' } as const;

/** The four files, gzipped ones where there are no plain ones. */
export function idxFiles(folder: string): { [part in keyof typeof parts]: { images: string; labels: string } } {
  const file = (name: string) => {
    const plain = join(folder, name);
    return !existsSync(plain) && existsSync(`${plain}.gz`) ? `${plain}.gz` : plain;
  };
  const of = (prefix: string) => ({ images: file(`${prefix}-images-idx3-ubyte`), labels: file(`${prefix}-labels-idx1-ubyte`) });
  return { train: of(parts.train), test: of(parts.test) };
}

/** Whether somebody would expect idx files here: one of the four is enough. */
export function hasIdxFiles(folder: string): boolean {
  return Object.values(idxFiles(folder)).some(({ images, labels }) => existsSync(images) || existsSync(labels));
}

/**
 * @param classes names of the labels 0, 1, …; the digits of those that occur unless given
 * @throws UserError naming the file, the rule and the value if one is missing, damaged, or does not go with the others
 */
export function readIdxImages(place: string, name: string, folder: string, classes?: readonly string[]): ImageData {
  const files = idxFiles(folder);
  const [train, test] = [read(place, files.train), read(place, files.test)];
  if (train.size.join() !== test.size.join())
    throw new UserError(
      `${place}: ${files.test.images}`,
      `must be of images of ${train.size.join(' × ')}, as ${files.train.images} is`,
      test.size,
    );
  const labelled = classes ? { classes, train: train.labels, test: test.labels } : numberedClasses(place, train.labels, test.labels);
  if (classes)
    for (const part of ['train', 'test'] as const) checkLabels(`${place}: ${files[part].labels}`, labelled[part], classes.length);
  return imageData(place, {
    name,
    height: train.size[0],
    width: train.size[1],
    classes: labelled.classes,
    train: { pixels: train.pixels, labels: labelled.train },
    test: { pixels: test.pixels, labels: labelled.test },
    colour: false,
  });
}

function read(place: string, files: { images: string; labels: string }): { size: number[]; pixels: Uint8Array; labels: Uint8Array } {
  const images = readIdx(files.images);
  if (images.dims.length !== 3) throw new UserError(`${place}: ${files.images}`, 'must hold images, [count, height, width]', images.dims);
  const labels = readIdx(files.labels);
  if (labels.dims.length !== 1 || labels.dims[0] !== images.dims[0])
    throw new UserError(`${place}: ${files.labels}`, `must be of shape [${images.dims[0]}]`, labels.dims);
  return { size: images.dims.slice(1), pixels: images.data, labels: labels.data };
}

function checkLabels(place: string, labels: ArrayLike<number>, classes: number): void {
  const wrong = Array.prototype.findIndex.call(labels, (label: number) => label >= classes);
  if (wrong >= 0) throw new UserError(`${place}: label ${wrong}`, `must be in [0, ${classes - 1}]`, labels[wrong]);
}
