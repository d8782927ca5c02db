/**
 * Images in one npz file: `x_train`, `y_train`, `x_test`, `y_test` as Keras publishes its data sets, or `images` and `labels`, which are divided
 * here. Images are [count, height, width], or with a last axis of 1 (grey) or 3 (red, green, blue) channels; labels are integers.
 */
import { basename } from 'node:path';
import { UserError } from '../base/errors.ts';
import type { DenseArray } from '../formats/denseArray.ts';
import { fileBytes } from '../formats/fileBytes.ts';
import { openNpz } from '../formats/npz.ts';
import { toGrey } from '../formats/raster.ts';
import { imageData, numberedClasses, splitRows, type ImageData } from './imageParts.ts';

const DIVIDED = ['x_train', 'y_train', 'x_test', 'y_test'] as const;
const TOGETHER = ['images', 'labels'] as const;

interface Found {
  readonly place: string;
  readonly count: number;
  readonly height: number;
  readonly width: number;
  readonly pixels: Uint8Array;
  readonly colour: boolean;
}

/** @throws UserError naming the array, the rule and the value if something is missing, damaged, or does not go together */
export function readNpzImages(place: string, file: string): ImageData {
  const archive = openNpz(fileBytes(file, place), place);
  const all = (names: readonly string[]) => names.every((name) => archive.names.includes(name));
  const name = basename(file).replace(/\.npz$/i, '');
  if (all(DIVIDED) && all(TOGETHER))
    throw new UserError(place, `must hold either ${DIVIDED.join(', ')} or ${TOGETHER.join(' and ')}`, archive.names);
  if (all(DIVIDED)) {
    const [train, test] = (['x_train', 'x_test'] as const).map((array) => images(`${place}: ${array}`, archive.array(array)));
    if (train.height !== test.height || train.width !== test.width)
      throw new UserError(
        test.place,
        `must be of images of ${train.height} × ${train.width}, as x_train is`,
        `${test.height} × ${test.width}`,
      );
    const [trainLabels, testLabels] = [
      labels(`${place}: y_train`, archive.array('y_train'), train.count),
      labels(`${place}: y_test`, archive.array('y_test'), test.count),
    ];
    const numbered = numberedClasses(place, trainLabels, testLabels);
    return imageData(place, {
      name,
      height: train.height,
      width: train.width,
      classes: numbered.classes,
      train: { pixels: train.pixels, labels: numbered.train },
      test: { pixels: test.pixels, labels: numbered.test },
      colour: train.colour || test.colour,
    });
  }
  if (!all(TOGETHER)) throw new UserError(place, `must hold the arrays ${DIVIDED.join(', ')}, or ${TOGETHER.join(' and ')}`, archive.names);
  const found = images(`${place}: images`, archive.array('images'));
  const { classes, train: placed } = numberedClasses(place, labels(`${place}: labels`, archive.array('labels'), found.count), []);
  const rows = splitRows(placed);
  const size = found.height * found.width;
  const part = (which: readonly number[]) => {
    const pixels = new Uint8Array(which.length * size);
    which.forEach((row, i) => pixels.set(found.pixels.subarray(row * size, (row + 1) * size), i * size));
    return { pixels, labels: which.map((row) => placed[row]) };
  };
  const { height, width, colour } = found;
  return imageData(place, { name, height, width, classes, train: part(rows.train), test: part(rows.test), colour });
}

function images(place: string, array: DenseArray): Found {
  const [count, height, width, channels = 1] = array.shape;
  if (array.shape.length < 3 || array.shape.length > 4 || (channels !== 1 && channels !== 3))
    throw new UserError(`${place}: shape`, 'must be [count, height, width], or that with 1 or 3 channels', array.shape);
  const data = bytes(place, array);
  if (channels === 1) return { place, count, height, width, pixels: data, colour: false };
  // As one tall picture.
  const { pixels, colour } = toGrey({ height: count * height, width, channels: 3, colours: 3, alpha: false, maximum: 255, data });
  return { place, count, height, width, pixels, colour };
}

/** Bytes 0 … 255 of bytes, of integers in that range, of floats in [0, 1], or of truth values. */
function bytes(place: string, { dtype, data }: DenseArray): Uint8Array {
  if (dtype === 'uint8') return data;
  if (dtype === 'bool') return data.map((value) => 255 * value);
  const [most, factor, rule] = dtype === 'int32' ? [255, 1, 'must be in [0, 255] as an integer'] : [1, 255, 'must be in [0, 1] as a float'];
  const result = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++) {
    if (!(data[i] >= 0 && data[i] <= most)) throw new UserError(`${place}: value ${i}`, rule, data[i]);
    result[i] = Math.round(data[i] * factor);
  }
  return result;
}

function labels(place: string, { dtype, shape, data }: DenseArray, count: number): ArrayLike<number> {
  if (dtype !== 'int32' && dtype !== 'uint8') throw new UserError(`${place}: type`, 'must be integers', dtype);
  if (shape[0] !== count || data.length !== count)
    throw new UserError(`${place}: shape`, `must be [${count}], a label for each image`, shape);
  return data;
}
