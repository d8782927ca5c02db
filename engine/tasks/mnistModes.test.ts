/** The real data against its known facts; rotation against a slow per-pixel reference, permutations and itself; splits and mixtures. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { UserError } from '../base/errors.ts';
import { Random } from '../base/random.ts';
import { mean, standardDeviation } from '../base/statistics.ts';
import { CLASSES, loadMnist, MnistModes, PIXELS, rotate, SIDE, type Digits, type Mnist } from './mnistModes.ts';

let mnist: Mnist;
beforeAll(() => (mnist = loadMnist()));

/** Images with something at every pixel, so that the edges show too. */
function noise(count: number): Uint8Array {
  const random = new Random(1);
  return Uint8Array.from({ length: count * PIXELS }, () => random.integer(256));
}

/** Each target pixel by itself: its polar angle turned back, then the four neighbours. A second road, written from the definition. */
function rotateSlowly(images: Uint8Array, count: number, degrees: number): Float64Array {
  return Float64Array.from({ length: count * PIXELS }, (_, index) => {
    const image = Math.floor(index / PIXELS) * PIXELS;
    const right = (index % SIDE) - 13.5;
    const up = 13.5 - Math.floor((index % PIXELS) / SIDE);
    const angle = Math.atan2(up, right) - (degrees / 180) * Math.PI;
    const column = 13.5 + Math.hypot(right, up) * Math.cos(angle);
    const row = 13.5 - Math.hypot(right, up) * Math.sin(angle);
    let value = 0;
    for (let r = 0; r < SIDE; r++) {
      for (let c = 0; c < SIDE; c++) {
        value += (images[image + r * SIDE + c] / 255) * Math.max(0, 1 - Math.abs(row - r)) * Math.max(0, 1 - Math.abs(column - c));
      }
    }
    return value;
  });
}

function largestDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  let largest = 0;
  for (let i = 0; i < actual.length; i++) largest = Math.max(largest, Math.abs(actual[i] - expected[i]));
  return largest;
}

describe('loadMnist', () => {
  const md5 = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex');

  it('reads MNIST: its size, its moments, its classes', () => {
    expect([mnist.train.count, mnist.test.count]).toEqual([60_000, 10_000]);
    // The two numbers every MNIST pipeline normalises by, from how often each of the 256 values occurs.
    const frequencies = new Float64Array(256);
    for (const pixel of mnist.train.pixels) frequencies[pixel]++;
    const moment = (power: number): number =>
      frequencies.reduce((sum, n, value) => sum + n * (value / 255) ** power, 0) / (60_000 * PIXELS);
    expect(moment(1)).toBeCloseTo(0.1307, 4);
    expect(Math.sqrt(moment(2) - moment(1) ** 2)).toBeCloseTo(0.3081, 4);
    const histogram = ({ labels }: Digits): number[] =>
      Array.from({ length: CLASSES }, (_, label) => labels.filter((other) => other === label).length);
    expect(histogram(mnist.train)).toEqual([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
    expect(histogram(mnist.test)).toEqual([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
    expect([...mnist.train.labels.subarray(0, 10)]).toEqual([5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
  });

  it('reads the original bytes', () => {
    // md5 of the four uncompressed originals, with the headers put back.
    const header = (...words: number[]): Uint8Array =>
      new Uint8Array(words.flatMap((word) => [word >>> 24, word >>> 16, word >>> 8, word]));
    const files = [mnist.train, mnist.test].flatMap(({ count, pixels, labels }) => [
      Buffer.concat([header(0x803, count, SIDE, SIDE), pixels]),
      Buffer.concat([header(0x801, count), labels]),
    ]);
    expect(files.map(md5)).toEqual([
      '6bbc9ace898e44ae57da46a324031adb',
      'a25bea736e30d166cdddb491f175f624',
      '2646ac647ad5339dbf082846283269ea',
      '27ae3e4e09519cfbb04c329615203637',
    ]);
  });

  describe('from a directory', () => {
    let folder: string;
    beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'gatescope-mnist-'))));
    afterAll(() => rmSync(folder, { recursive: true }));

    const blank = (prefix: string, count: number, labels = new Uint8Array(count), side = SIDE): void => {
      const word = (value: number): number[] => [value >>> 24, value >>> 16, value >>> 8, value];
      const images = Buffer.concat([Uint8Array.from([0x803, count, side, side].flatMap(word)), new Uint8Array(count * side * side)]);
      writeFileSync(join(folder, `${prefix}-images-idx3-ubyte.gz`), gzipSync(images, { level: 1 }));
      writeFileSync(
        join(folder, `${prefix}-labels-idx1-ubyte`),
        Buffer.concat([Uint8Array.from([0x801, labels.length].flatMap(word)), labels]),
      );
    };

    it('reads plain and gzipped files, and says what is wrong with others', () => {
      expect(() => loadMnist(folder)).toThrow(`readIdx: ${join(folder, 'train-images-idx3-ubyte')} must exist`);
      blank('train', 60_000);
      blank('t10k', 10_000);
      expect(loadMnist(folder).train.pixels.length).toBe(60_000 * PIXELS);

      blank('t10k', 10_000, new Uint8Array(9_999));
      expect(() => loadMnist(folder)).toThrow(/t10k-labels-idx1-ubyte must be of shape \[10000\], got \[9999\]/);
      blank('t10k', 10_000, new Uint8Array(10_000).fill(10, 17, 18));
      expect(() => loadMnist(folder)).toThrow(/t10k-labels-idx1-ubyte: label 17 must be in \[0, 9\], got 10/);
      blank('t10k', 10_000, undefined, 27);
      expect(() => loadMnist(folder)).toThrow(/t10k-images-idx3-ubyte must be of shape \[10000, 28, 28\], got \[10000, 27, 27\]/);
      blank('t10k', 9_999);
      expect(() => loadMnist(folder)).toThrow(UserError);
    });
  });
});

describe('rotate', () => {
  it('at 0° is pixels/255, to the bit', () => {
    const pixels = noise(20);
    expect(rotate(pixels, 20, 0)).toEqual(Float32Array.from(pixels, (pixel) => pixel / 255));
  });

  it.each([45, -45, 10, 133.7, -300, 1e-3, 89.999, 765])('at %f° is the slow reference', (degrees) => {
    const count = 4;
    const images = noise(count);
    images.set(mnist.test.pixels.subarray(0, 2 * PIXELS)); // two digits, two of noise
    const turned = rotate(images, count, degrees);
    // float32 rounds by 6e-8; the reference's polar coordinates by about 1e-14.
    expect(largestDifference(turned, rotateSlowly(images, count, degrees))).toBeLessThan(1e-7);
    expect(Math.max(...turned)).toBeLessThanOrEqual(1);
  });

  it('turns counter-clockwise as seen: 90° brings the right edge to the top', () => {
    const image = new Uint8Array(PIXELS);
    image[5 * SIDE + 27] = 255; // row 5 at the right edge
    expect(rotate(image, 1, 90).indexOf(1)).toBe(0 * SIDE + 5);
  });

  it.each([90, 180, 270, -90, 450])('at %i° is a permutation of pixels, to the bit', (degrees) => {
    const pixels = noise(3);
    let expected = Float32Array.from(pixels, (pixel) => pixel / 255);
    for (let quarter = 0; quarter < (degrees / 90 + 4) % 4; quarter++) {
      const before = expected;
      expected = before.map((_, index) => {
        const row = Math.floor((index % PIXELS) / SIDE);
        return before[index - (index % PIXELS) + (index % SIDE) * SIDE + (SIDE - 1 - row)];
      });
    }
    expect(rotate(pixels, 3, degrees)).toEqual(expected);
  });

  it('by 360°, and in twelve steps of 30° nearly, is where it began', () => {
    const pixels = mnist.test.pixels.subarray(0, 50 * PIXELS);
    expect(rotate(pixels, 50, 360)).toEqual(rotate(pixels, 50, 0));
    const round = rotate(pixels, 50, 0);
    for (let step = 0; step < 12; step++) rotate(round, 50, 30, round);
    expect(correlation(round, rotate(pixels, 50, 0))).toBeGreaterThan(0.85);
  });

  it('there and back by 45° blurs a digit but keeps it and its ink', () => {
    const pixels = mnist.test.pixels.subarray(0, 200 * PIXELS);
    const still = rotate(pixels, 200, 0);
    const turned = rotate(pixels, 200, 45);
    const back = rotate(turned, 200, -45);
    expect(correlation(back, still)).toBeGreaterThan(0.95);
    // Digits sit in a box of 20 x 20, so nothing is cut off; interpolation keeps the sum only on average.
    expect(Math.abs(mean(turned) / mean(still) - 1)).toBeLessThan(2e-3);
  });

  it('may write over its input, and over an array used before', () => {
    const images = rotate(noise(3), 3, 0);
    const expected = rotate(images, 3, 20);
    const used = new Float32Array(3 * PIXELS).fill(7);
    expect(rotate(images, 3, 20, used)).toBe(used);
    expect(used).toEqual(expected);
    expect(rotate(images, 3, 20, images)).toEqual(expected);
  });

  it.each([
    ['rotate: degrees must be a finite number of degrees, got NaN', () => rotate(new Uint8Array(PIXELS), 1, NaN)],
    ['rotate: images must hold 2 x 784 values, got 784', () => rotate(new Uint8Array(PIXELS), 2, 0)],
    ['rotate: out must hold 1 x 784 values, got 1568', () => rotate(new Uint8Array(PIXELS), 1, 0, new Float32Array(2 * PIXELS))],
  ])('%s', (message, call) => {
    expect(call).toThrow(UserError);
    expect(call).toThrow(message);
  });
});

describe('MnistModes', () => {
  /** The first few digits, for what does not depend on their number. */
  const few = (): Mnist => {
    const head = ({ pixels, labels }: Digits, count: number): Digits => ({
      count,
      pixels: pixels.slice(0, count * PIXELS),
      labels: labels.slice(0, count),
    });
    return { train: head(mnist.train, 40), test: head(mnist.test, 10) };
  };

  it('gives each part in each mode, once', () => {
    const data = few();
    const modes = new MnistModes(data);
    const turned = modes.train(45);
    expect(turned).toMatchObject({ angle: 45, count: 40 });
    expect(turned.images).toEqual(rotate(data.train.pixels, 40, 45));
    expect(turned.labels).toEqual(Int32Array.from(data.train.labels));
    expect(modes.train(45)).toBe(turned);
    expect(modes.train(0).labels).toBe(turned.labels);
    expect(modes.test(45)).toMatchObject({ angle: 45, count: 10 });
    expect(modes.test(45).images).toEqual(rotate(data.test.pixels, 10, 45));
  });

  it('forgets the set longest unused when its memory is spent', () => {
    const testSet = 10 * PIXELS * 4;
    const modes = new MnistModes(few(), 2 * testSet);
    const [first, second] = [modes.test(0), modes.test(10)];
    expect(modes.test(0)).toBe(first);
    modes.test(20);
    expect(modes.test(0)).toBe(first);
    expect(modes.test(10)).not.toBe(second);
    expect(modes.test(10)).toEqual(second);
    expect(modes.train(0).count).toBe(40); // larger than the budget: made all the same
  });

  it('holds 5 000 training images apart: disjoint, complete, ascending, the same for one seed', () => {
    const modes = new MnistModes(mnist);
    const random = new Random(3);
    const { heldOut, remaining } = modes.heldOut(random);
    expect([heldOut.length, remaining.length]).toEqual([5_000, 55_000]);
    expect(heldOut.every((index, place) => place === 0 || index > heldOut[place - 1])).toBe(true);
    expect(remaining.every((index, place) => place === 0 || index > remaining[place - 1])).toBe(true);
    expect(Uint32Array.of(...heldOut, ...remaining).sort()).toEqual(Uint32Array.from({ length: 60_000 }, (_, index) => index));
    expect(Math.abs(mean(heldOut) - 29_999.5)).toBeLessThan(4 * (60_000 / Math.sqrt(12 * 5_000))); // four standard errors
    random.uint32();
    expect(modes.heldOut(random).heldOut).toEqual(heldOut);
    expect(modes.heldOut(new Random(4)).heldOut).not.toEqual(heldOut);
    expect(() => modes.heldOut(random, 60_001)).toThrow('MnistModes.heldOut: count must be an integer in [0, 60000], got 60001');
  });

  it('mixes two modes evenly, image by image, the same for one seed', () => {
    const modes = new MnistModes(mnist);
    const mixture = modes.mixture([0, 45], new Random(3));
    expect(mixture.length).toBe(60_000);
    expect(mixture.every((index) => index < 2)).toBe(true);
    const error = 4 * Math.sqrt(0.25 / 60_000); // four standard errors
    expect(Math.abs(mean(mixture) - 0.5)).toBeLessThan(error);
    expect(Math.abs(mean(mixture.subarray(1).map((index, place) => index ^ mixture[place])) - 0.5)).toBeLessThan(error);
    expect(modes.mixture([0, 45], new Random(3))).toEqual(mixture);
    expect(modes.mixture([0, 45], new Random(4))).not.toEqual(mixture);
    expect(new Set(modes.mixture([0, 30, 60], new Random(3)))).toEqual(new Set([0, 1, 2]));
  });

  it('refuses angles that are none', () => {
    const modes = new MnistModes(few());
    expect(() => modes.train(NaN)).toThrow('MnistModes.train: angle must be a finite number of degrees, got NaN');
    expect(() => modes.test(Infinity)).toThrow(UserError);
    expect(() => modes.mixture([], new Random(0))).toThrow('MnistModes.mixture: angles must be 1 to 256 angles, got 0');
    expect(() => modes.mixture([0, NaN], new Random(0))).toThrow(
      'MnistModes.mixture: angles[1] must be a finite number of degrees, got NaN',
    );
  });
});

/** Pearson's correlation of two arrays of pixels. */
function correlation(a: Float32Array, b: Float32Array): number {
  const [meanA, meanB] = [mean(a), mean(b)];
  const products = Float64Array.from(a, (value, index) => (value - meanA) * (b[index] - meanB));
  return mean(products) / (standardDeviation(a) * standardDeviation(b));
}
