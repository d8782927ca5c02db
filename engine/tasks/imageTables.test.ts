/** Tables of turned images against turning each alone, and against what they always were; mixtures; what is held out. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { UserError } from '../base/errors.ts';
import { Random } from '../base/random.ts';
import { mean } from '../base/statistics.ts';
import { EXACT, expectClose } from '../base/testing/closeTo.ts';
import { loadImages } from './imageData.ts';
import { imageData } from './imageParts.ts';
import { imageTables, rowsOf } from './imageTables.ts';
import { rotate } from './rotate.ts';

const mnist = await loadImages('mnist');
const PIXELS = 28 * 28;

/** Images of noise, 5 x 3, of three classes in turn. */
function noise(train: number, test: number, seed = 1) {
  const random = new Random(seed);
  const part = (count: number) => ({
    pixels: Uint8Array.from({ length: 15 * count }, () => random.integer(256)),
    labels: Array.from({ length: count }, (_entry, row) => row % 3),
  });
  return imageData('noise', {
    name: 'noise',
    height: 5,
    width: 3,
    classes: ['a', 'b', 'c'],
    train: part(train),
    test: part(test),
    colour: false,
  });
}

/** Image `row` turned alone. */
const alone = (part: 'train' | 'test', row: number, angle: number) =>
  rotate(mnist[part].pixels.subarray(row * PIXELS, (row + 1) * PIXELS), 1, mnist, angle);
const imageOf = (images: SharedArrayBuffer, row: number) => new Float32Array(images, 4 * row * PIXELS, PIXELS);
/** Rows spread over a part, both ends among them. */
const some = (count: number) => Array.from({ length: 100 }, (_entry, i) => Math.round((i * (count - 1)) / 99));
const sha256 = (bytes: ArrayBufferLike) => createHash('sha256').update(new Uint8Array(bytes)).digest('hex');

describe('imageTables', () => {
  test.each([
    ['train', 45],
    ['train', 0],
    ['test', -30],
  ] as const)('%s at %s°: every image turned as it would be alone, with its label', (part, angle) => {
    const { count, images, labels, modes } = imageTables(mnist, part, [angle], new Random(0));
    expect(count).toBe(part === 'train' ? 60_000 : 10_000);
    for (const row of some(count)) expectClose(imageOf(images, row), alone(part, row, angle), EXACT, `row ${row}`);
    expectClose(new Int32Array(labels), Int32Array.from(mnist[part].labels), EXACT, 'labels');
    expectClose(new Int32Array(modes), new Int32Array(count), EXACT, 'modes');
  });

  test.each([
    ['test', [0, 20, -70]],
    ['train', [0, 45]],
  ] as const)('%s in a mixture of %j: each image has the angle its mode says', (part, angles) => {
    const { count, images, modes } = imageTables(mnist, part, angles, new Random(5));
    const drawn = new Int32Array(modes);
    for (const row of some(count)) expectClose(imageOf(images, row), alone(part, row, angles[drawn[row]]), EXACT, `row ${row}`);
    expect(new Set(drawn)).toEqual(new Set(angles.keys()));
  });

  test('of two angles, each image has one or the other as a fair coin falls', () => {
    const modes = new Int32Array(imageTables(mnist, 'train', [0, 45], new Random(5)).modes);
    const error = 4 * Math.sqrt(0.25 / 60_000); // four standard errors
    expect(Math.abs(mean(modes) - 0.5)).toBeLessThan(error);
    expect(Math.abs(mean(modes.subarray(1).map((mode, row) => mode ^ modes[row])) - 0.5)).toBeLessThan(error);
  });

  // Whatever was trained was trained on these: recorded when MNIST was the only data there was.
  test.each([
    ['train', [0, 45], 5, '396087672118c18f7c4aa80c322a7c02d49dfd148eaba48cc1d3eef9efacdd7a'],
    ['train', [45], 0, '4e0f7add25c85fdb0a469e6ea6754c095038d3d637fb6c2ce36ba73d3170b138'],
    ['test', [0, 20, -70], 5, 'f732c68b4c7aa30926a2ca7603d05d3b4f7bd54f26a6d6874f9d2b7eebceb7f9'],
    ['test', [133.7], 0, 'cefd548e86bf151317131207eca3138e64de3c372f1aa7647e19029a1090c8ad'],
  ] as const)('MNIST, %s at %j with seed %i, is what it always was', (part, angles, seed, digest) => {
    expect(sha256(imageTables(mnist, part, angles, new Random(seed)).images)).toBe(digest);
  });

  test('the same tables are kept, other seeds give another mixture, and a single angle needs no seed', () => {
    const data = noise(30, 30);
    const first = imageTables(data, 'test', [0, 45], new Random(1));
    expect(imageTables(data, 'test', [0, 45], new Random(1))).toBe(first);
    const random = new Random(1);
    random.uint32();
    expect(imageTables(data, 'test', [0, 45], random)).toBe(first);
    const other = imageTables(data, 'test', [0, 45], new Random(2));
    expect(other.key).not.toBe(first.key);
    expect(new Int32Array(other.modes)).not.toEqual(new Int32Array(first.modes));
    expect(imageTables(data, 'test', [45], new Random(1))).toBe(imageTables(data, 'test', [45], new Random(2)));
    const swapped = imageTables(data, 'test', [45, 0], new Random(1));
    expect(swapped.key).not.toBe(first.key);
    expect(new Int32Array(swapped.modes)).toEqual(new Int32Array(first.modes));
  });

  test('tables of other data, and of the other part, are others; equal data are the same data', () => {
    const tables = imageTables(noise(30, 30), 'train', [30], new Random(0));
    expect(imageTables(noise(30, 30), 'train', [30], new Random(0))).toBe(tables);
    expect(imageTables(noise(30, 30), 'test', [30], new Random(0)).key).not.toBe(tables.key);
    expect(imageTables(noise(30, 30, 2), 'train', [30], new Random(0)).key).not.toBe(tables.key);
  });

  test('tables made anew after having been let go are the same', () => {
    const data = noise(30, 30);
    const before = imageTables(data, 'test', [0, 45], new Random(3));
    for (const angle of [1, 2, 3, 4]) imageTables(data, 'test', [angle], new Random(0));
    const after = imageTables(data, 'test', [0, 45], new Random(3));
    expect(after).not.toBe(before);
    expectClose(new Float32Array(after.images), new Float32Array(before.images), EXACT, 'images');
  });

  test('more test images than training ones, in a mixture', () => {
    const data = noise(12, 40);
    const { images, modes, count } = imageTables(data, 'test', [0, 90], new Random(3));
    expect(count).toBe(40);
    const drawn = new Int32Array(modes);
    for (let row = 0; row < count; row++) {
      const expected = rotate(data.test.pixels.subarray(15 * row, 15 * row + 15), 1, data, [0, 90][drawn[row]]);
      expectClose(new Float32Array(images, 60 * row, 15), expected, EXACT, `row ${row}`);
    }
  });

  test.each([
    [[], 'imageTables: angles must be 1 to 256 angles, got 0'],
    [new Array<number>(257).fill(0), 'imageTables: angles must be 1 to 256 angles, got 257'],
    [[NaN], 'imageTables: angles[0] must be a finite number of degrees, got NaN'],
    [[0, Infinity], 'imageTables: angles[1] must be a finite number of degrees, got Infinity'],
  ])('refuses angles that are none: %#', (angles, message) => {
    expect(() => imageTables(mnist, 'test', angles, new Random(0))).toThrow(UserError);
    expect(() => imageTables(mnist, 'test', angles, new Random(0))).toThrow(message);
  });
});

describe('rowsOf', () => {
  test('held-out rows are 5 000, disjoint from those left, together all, ascending; another seed holds out others', () => {
    const random = new Random(4);
    const [heldOut, remaining, all] = (['heldOut', 'remaining', 'all'] as const).map((which) => rowsOf(mnist, which, random));
    expect([heldOut.length, remaining.length, all.length]).toEqual([5_000, 55_000, 60_000]);
    expectClose(Int32Array.from([...heldOut, ...remaining]).sort(), all, EXACT, 'rows');
    for (const rows of [heldOut, remaining]) expect(rows.every((row, i) => i === 0 || row > rows[i - 1])).toBe(true);
    expect(Math.abs(mean(heldOut) - 29_999.5)).toBeLessThan(4 * (60_000 / Math.sqrt(12 * 5_000))); // four standard errors
    random.uint32();
    expectClose(rowsOf(mnist, 'heldOut', random), heldOut, EXACT, 'the same seed');
    expect(rowsOf(mnist, 'heldOut', new Random(5))).not.toEqual(heldOut);
  });

  test.each([
    ['heldOut', 0, '88c3ea13b8ab1ae069a3918396898b525c6280ea301f4ed7d565d88650dafafa'],
    ['remaining', 4, 'cc7d8774e5e39181d1d20fc3109f21e7c9bda3d11dd4fafe2d714c83d7a22caf'],
  ] as const)('MNIST, %s with seed %i, is what it always was', (rows, seed, digest) => {
    expect(sha256(rowsOf(mnist, rows, new Random(seed)).buffer)).toBe(digest);
  });

  test.each([
    [3, 1],
    [23, 1],
    [24, 2],
    [36, 3],
  ])('of %i training images %i are held out', (train, heldOut) => {
    expect(rowsOf(noise(train, 3), 'heldOut', new Random(0)).length).toBe(heldOut);
    expect(rowsOf(noise(train, 3), 'remaining', new Random(0)).length).toBe(train - heldOut);
  });
});
