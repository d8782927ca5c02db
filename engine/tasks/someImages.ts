/** A few images of a part, turned, where a table of all of them (imageTables.ts) would be too much. The same numbers as in the table. */
import { UserError } from '../base/errors.ts';
import type { ImageSet } from './dataReference.ts';
import type { ImageData } from './imageData.ts';
import { rotate } from './rotate.ts';

/** The first images for testing, or all if there are fewer. */
export function firstImages(data: ImageData, count: number, angle: number): ImageSet {
  const { height, width, classes, test } = data;
  const found = Math.min(count, test.count);
  const pixels = height * width;
  return {
    count: found,
    height,
    width,
    classes,
    images: rotate(test.pixels.subarray(0, found * pixels), found, data, angle),
    labels: Int32Array.from(test.labels.subarray(0, found)),
  };
}

/**
 * Images by their numbers in a part, in the order asked.
 * @param place for errors: `drawImages: indices` @throws UserError for a number that no image has
 */
export function imagesAt(place: string, data: ImageData, part: 'train' | 'test', indices: readonly number[], angle: number): ImageSet {
  const { height, width, classes } = data;
  const { count, pixels, labels } = data[part];
  const size = height * width;
  const chosen = new Uint8Array(indices.length * size);
  indices.forEach((index, i) => {
    if (!(Number.isInteger(index) && index >= 0 && index < count))
      throw new UserError(place, `must be integers in [0, ${count - 1}], numbers of the ${part} images`, index);
    chosen.set(pixels.subarray(index * size, (index + 1) * size), i * size);
  });
  return {
    count: indices.length,
    height,
    width,
    classes,
    images: rotate(chosen, indices.length, data, angle),
    labels: Int32Array.from(indices, (index) => labels[index]),
  };
}
