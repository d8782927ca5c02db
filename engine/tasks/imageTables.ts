/** Tables of turned images in memory that threads share, kept while the same are asked for again; and which rows of them are meant. */
import { UserError } from '../base/errors.ts';
import type { Random } from '../base/random.ts';
import { heldOutOf } from './heldOut.ts';
import type { ImageData, ImagePart } from './imageData.ts';
import { checkAngle, rotate } from './rotate.ts';

export interface ImageTables {
  /** Equal for equal contents. */
  readonly key: string;
  readonly count: number;
  /** float32 [count, height * width] in [0, 1] */
  readonly images: SharedArrayBuffer;
  /** int32 [count] */
  readonly labels: SharedArrayBuffer;
  /** int32 [count]: the place among the angles of the one an image was turned by */
  readonly modes: SharedArrayBuffer;
}

/** Tables made last, the latest at the end: a mixture and the sets it was made of, or a set for training and one for testing. */
const made = new Map<string, ImageTables>();
const KEPT = 3;

/**
 * Images of one part, each turned by one of `angles`: the only one, or one drawn for each image from `random`, independently and uniformly.
 * The same for one `random`, whatever was drawn from it.
 * @throws UserError unless there are 1 … 256 angles, all finite
 */
export function imageTables(data: ImageData, part: 'train' | 'test', angles: readonly number[], random: Random): ImageTables {
  if (angles.length < 1 || angles.length > 256) throw new UserError('imageTables: angles', 'must be 1 to 256 angles', angles.length);
  angles.forEach((angle, index) => checkAngle(`imageTables: angles[${index}]`, angle));
  const key = JSON.stringify([data.digest, part, angles, angles.length > 1 ? random.seed : 0]);
  const known = made.get(key);
  if (known) return known;
  const { count, pixels, labels } = data[part];
  const images = new Float32Array(new SharedArrayBuffer(4 * pixels.length));
  const modes = new Int32Array(new SharedArrayBuffer(4 * count));
  if (angles.length === 1) rotate(pixels, count, data, angles[0], images);
  else {
    // The stream keeps the name it had when MNIST was the only data: with another, every mixture, and every network trained on one, would change.
    const stream = random.fork('MnistModes.mixture');
    for (let row = 0; row < count; row++) modes[row] = stream.integer(angles.length);
    mix(data[part], images, angles, modes, (angle) => imageTables(data, part, [angle], random));
  }
  const shared = new Int32Array(new SharedArrayBuffer(4 * count));
  shared.set(labels);
  const tables = { key, count, images: images.buffer, labels: shared.buffer, modes: modes.buffer };
  made.set(key, tables);
  for (const oldest of made.keys()) if (made.size > KEPT) made.delete(oldest);
  return tables;
}

/** Rows from the tables of their angles; upright ones straight from the bytes, which makes no table of them. */
function mix(
  { count, pixels }: ImagePart,
  images: Float32Array,
  angles: readonly number[],
  modes: Int32Array,
  tableOf: (angle: number) => ImageTables,
): void {
  const size = pixels.length / count;
  const turned = angles.map((angle) => (angle === 0 ? undefined : new Float32Array(tableOf(angle).images)));
  for (let row = 0; row < count; row++) {
    const [begin, end] = [row * size, (row + 1) * size];
    const source = turned[modes[row]];
    if (source) images.set(source.subarray(begin, end), begin);
    else for (let i = begin; i < end; i++) images[i] = pixels[i] / 255;
  }
}

/**
 * Rows of the training part, ascending: all; those set apart for whenever something is chosen (a temperature, a rate, an epoch), so that the test
 * images choose nothing; or those that remain. 5 000 are set apart, or a twelfth of fewer than 60 000; the same for one `random`, whatever was
 * drawn from it.
 */
export function rowsOf(data: ImageData, rows: 'all' | 'remaining' | 'heldOut', random: Random): Int32Array {
  const { count } = data.train;
  if (rows === 'all') return Int32Array.from({ length: count }, (_entry, row) => row);
  const heldOut = heldOutOf(count);
  // As for mixtures: the name stays, so that what is held out stays.
  const order = random.fork('MnistModes.heldOut').permutation(count);
  return Int32Array.from(rows === 'heldOut' ? order.slice(0, heldOut).sort() : order.slice(heldOut).sort());
}
