/** Tables of turned digits against rotating each image alone; what seeds change; what is held out. */
import { expect, test } from 'vitest';
import { UserError } from '../base/errors.ts';
import { Random } from '../base/random.ts';
import { EXACT, expectClose } from '../base/testing/closeTo.ts';
import { digitTables, trainingRows } from './digitTables.ts';
import { loadMnist, MnistModes, PIXELS, rotate } from './mnistModes.ts';

const mnist = loadMnist();

/** Image `row` turned alone. */
const alone = (part: 'train' | 'test', row: number, angle: number) =>
  rotate(mnist[part].pixels.subarray(row * PIXELS, (row + 1) * PIXELS), 1, angle);
const imageOf = (images: SharedArrayBuffer, row: number) => new Float32Array(images, 4 * row * PIXELS, PIXELS);
/** Rows spread over a part, both ends among them. */
const some = (count: number) => Array.from({ length: 400 }, (_entry, i) => Math.round((i * (count - 1)) / 399));

test.each([
  ['train', 45],
  ['train', 0],
  ['test', -30],
] as const)('%s at %s°: every image turned as it would be alone, with its label', (part, angle) => {
  const { count, images, labels } = digitTables(part, [angle], new Random(0));
  expect(count).toBe(part === 'train' ? 60_000 : 10_000);
  for (const row of some(count)) expectClose(imageOf(images, row), alone(part, row, angle), EXACT, `row ${row}`);
  expectClose(new Int32Array(labels), Int32Array.from(mnist[part].labels), EXACT, 'labels');
});

test.each([
  ['train', [0, 45]],
  ['test', [0, 20, -70]],
] as const)('%s in a mixture of %j: each image has the angle drawn for it', (part, angles) => {
  const random = new Random(5);
  const { count, images } = digitTables(part, angles, random);
  const drawn = new MnistModes(mnist).mixture(angles, random);
  for (const row of some(count)) expectClose(imageOf(images, row), alone(part, row, angles[drawn[row]]), EXACT, `row ${row}`);
});

test('each of two angles has half of the images', () => {
  const upright = digitTables('train', [0], new Random(0));
  const { images, count } = digitTables('train', [0, 45], new Random(6));
  let same = 0;
  for (let row = 0; row < count; row++) same += Number(imageOf(images, row).every((value, i) => value === imageOf(upright.images, row)[i]));
  // Five standard deviations of a fair coin thrown 60 000 times.
  expect(Math.abs(same / count - 0.5)).toBeLessThan((5 * 0.5) / Math.sqrt(count));
});

test('the same tables are kept, other seeds give another mixture, and a single angle needs no seed', () => {
  const first = digitTables('test', [0, 45], new Random(1));
  expect(digitTables('test', [0, 45], new Random(1))).toBe(first);
  const other = digitTables('test', [0, 45], new Random(2));
  expect(other.key).not.toBe(first.key);
  expect(new Float32Array(other.images).every((value, i) => value === new Float32Array(first.images)[i])).toBe(false);
  expect(digitTables('test', [45], new Random(1))).toBe(digitTables('test', [45], new Random(2)));
  const swapped = digitTables('test', [45, 0], new Random(1));
  expect(swapped.key).not.toBe(first.key);
  for (const row of [0, 1, 2, 3]) {
    const at = [0, 45].find((angle) => imageOf(first.images, row).every((value, i) => value === alone('test', row, angle)[i]));
    expectClose(imageOf(swapped.images, row), alone('test', row, at === 0 ? 45 : 0), EXACT, `row ${row}`);
  }
});

test('tables made anew after having been let go are the same', () => {
  const before = new Float32Array(digitTables('test', [0, 45], new Random(3)).images).slice();
  for (const angle of [1, 2, 3, 4]) digitTables('test', [angle], new Random(0));
  expectClose(new Float32Array(digitTables('test', [0, 45], new Random(3)).images), before, EXACT, 'images');
});

test('held-out rows are 5 000, disjoint from those left, together all; another seed holds out others', () => {
  const [heldOut, remaining, all] = (['heldOut', 'remaining', 'all'] as const).map((which) => trainingRows(which, new Random(4)));
  expect([heldOut.length, remaining.length, all.length]).toEqual([5_000, 55_000, 60_000]);
  expect(new Set([...heldOut, ...remaining]).size).toBe(60_000);
  expectClose(Int32Array.from([...heldOut, ...remaining]).sort(), all, EXACT, 'rows');
  expectClose(trainingRows('heldOut', new Random(4)), heldOut, EXACT, 'the same seed');
  expect(trainingRows('heldOut', new Random(5)).every((row, i) => row === heldOut[i])).toBe(false);
});

test('a folder without the files, or an angle that is none, is refused', () => {
  expect(() => digitTables('train', [0], new Random(0), '/nowhere')).toThrow(UserError);
  expect(() => trainingRows('all', new Random(0), '/nowhere')).toThrow(UserError);
  expect(() => digitTables('test', [NaN], new Random(0))).toThrow(UserError);
  expect(() => digitTables('test', [0, Infinity], new Random(0))).toThrow(UserError);
});
