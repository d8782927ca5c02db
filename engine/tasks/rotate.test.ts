/** Rotation against a slow per-pixel reference, permutations and itself, for squares and other sizes. */
import { describe, expect, it } from 'vitest';
import { UserError } from '../base/errors.ts';
import { Random } from '../base/random.ts';
import { mean, standardDeviation } from '../base/statistics.ts';
import { loadImages } from './imageData.ts';
import { rotate, type ImageSize } from './rotate.ts';

const { test: mnist } = await loadImages('mnist');
const SQUARE = { height: 28, width: 28 };
const PIXELS = 28 * 28;

/** Images with something at every pixel, so that the edges show too. */
function noise(count: number, { height, width }: ImageSize = SQUARE): Uint8Array {
  const random = new Random(1);
  return Uint8Array.from({ length: count * height * width }, () => random.integer(256));
}

/** Each target pixel by itself: its polar angle turned back, then every pixel by its distance. A second road, written from the definition. */
function rotateSlowly(images: Uint8Array, count: number, { height, width }: ImageSize, degrees: number): Float64Array {
  const pixels = height * width;
  return Float64Array.from({ length: count * pixels }, (_, index) => {
    const image = Math.floor(index / pixels) * pixels;
    const right = (index % width) - (width - 1) / 2;
    const up = (height - 1) / 2 - Math.floor((index % pixels) / width);
    const angle = Math.atan2(up, right) - (degrees / 180) * Math.PI;
    const column = (width - 1) / 2 + Math.hypot(right, up) * Math.cos(angle);
    const row = (height - 1) / 2 - Math.hypot(right, up) * Math.sin(angle);
    let value = 0;
    for (let r = 0; r < height; r++) {
      for (let c = 0; c < width; c++) {
        value += (images[image + r * width + c] / 255) * Math.max(0, 1 - Math.abs(row - r)) * Math.max(0, 1 - Math.abs(column - c));
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

describe('rotate', () => {
  it('at 0° is pixels/255, to the bit', () => {
    for (const size of [SQUARE, { height: 5, width: 12 }]) {
      const pixels = noise(20, size);
      expect(rotate(pixels, 20, size, 0)).toEqual(Float32Array.from(pixels, (pixel) => pixel / 255));
    }
  });

  it.each([45, -45, 10, 133.7, -300, 1e-3, 89.999, 765])('of a square at %f° is the slow reference', (degrees) => {
    const count = 4;
    const images = noise(count);
    images.set(mnist.pixels.subarray(0, 2 * PIXELS)); // two digits, two of noise
    const turned = rotate(images, count, SQUARE, degrees);
    // float32 rounds by 6e-8; the reference's polar coordinates by about 1e-14.
    expect(largestDifference(turned, rotateSlowly(images, count, SQUARE, degrees))).toBeLessThan(1e-7);
    expect(Math.max(...turned)).toBeLessThanOrEqual(1);
  });

  it.each([
    [7, 12],
    [12, 7],
    [8, 6],
    [1, 9],
    [9, 1],
    [1, 1],
    [2, 31],
  ])('of %i x %i is the slow reference', (height, width) => {
    const size = { height, width };
    const images = noise(2, size);
    for (const degrees of [0, 1e-3, 30, 45, 90, -90, 133.7, 180, 270, -300])
      expect(largestDifference(rotate(images, 2, size, degrees), rotateSlowly(images, 2, size, degrees)), `${degrees}°`).toBeLessThan(1e-7);
  });

  it('turns counter-clockwise as seen: 90° brings the right edge to the top', () => {
    const image = new Uint8Array(PIXELS);
    image[5 * 28 + 27] = 255; // row 5 at the right edge
    expect(rotate(image, 1, SQUARE, 90).indexOf(1)).toBe(0 * 28 + 5);
  });

  it.each([90, 180, 270, -90, 450])('of squares at %i° is a permutation of pixels, to the bit', (degrees) => {
    for (const side of [28, 5]) {
      const size = { height: side, width: side };
      const pixels = noise(3, size);
      let expected = Float32Array.from(pixels, (pixel) => pixel / 255);
      for (let quarter = 0; quarter < (degrees / 90 + 4) % 4; quarter++) {
        const before = expected;
        expected = before.map((_, index) => {
          const within = index % (side * side);
          return before[index - within + (within % side) * side + (side - 1 - Math.floor(within / side))];
        });
      }
      expect(rotate(pixels, 3, size, degrees)).toEqual(expected);
    }
  });

  it('of any size at 180° is the image backwards, to the bit', () => {
    const size = { height: 5, width: 12 };
    expect(rotate(noise(1, size), 1, size, 180)).toEqual(rotate(noise(1, size), 1, size, 0).reverse());
  });

  it('by 360°, and in twelve steps of 30° nearly, is where it began', () => {
    const pixels = mnist.pixels.subarray(0, 50 * PIXELS);
    expect(rotate(pixels, 50, SQUARE, 360)).toEqual(rotate(pixels, 50, SQUARE, 0));
    const round = rotate(pixels, 50, SQUARE, 0);
    for (let step = 0; step < 12; step++) rotate(round, 50, SQUARE, 30, round);
    expect(correlation(round, rotate(pixels, 50, SQUARE, 0))).toBeGreaterThan(0.85);
  });

  it('there and back by 45° blurs a digit but keeps it and its ink', () => {
    const pixels = mnist.pixels.subarray(0, 200 * PIXELS);
    const still = rotate(pixels, 200, SQUARE, 0);
    const turned = rotate(pixels, 200, SQUARE, 45);
    const back = rotate(turned, 200, SQUARE, -45);
    expect(correlation(back, still)).toBeGreaterThan(0.95);
    // Digits sit in a box of 20 x 20, so nothing is cut off; interpolation keeps the sum only on average.
    expect(Math.abs(mean(turned) / mean(still) - 1)).toBeLessThan(2e-3);
  });

  it('may write over its input, and over an array used before', () => {
    const images = rotate(noise(3), 3, SQUARE, 0);
    const expected = rotate(images, 3, SQUARE, 20);
    const used = new Float32Array(3 * PIXELS).fill(7);
    expect(rotate(images, 3, SQUARE, 20, used)).toBe(used);
    expect(used).toEqual(expected);
    expect(rotate(images, 3, SQUARE, 20, images)).toEqual(expected);
  });

  it.each([
    ['rotate: degrees must be a finite number of degrees, got NaN', () => rotate(new Uint8Array(PIXELS), 1, SQUARE, NaN)],
    ['rotate: images must hold 2 × 784 values, got 784', () => rotate(new Uint8Array(PIXELS), 2, SQUARE, 0)],
    ['rotate: out must hold 1 × 784 values, got 1568', () => rotate(new Uint8Array(PIXELS), 1, SQUARE, 0, new Float32Array(2 * PIXELS))],
  ])('%s', (message, call) => {
    expect(call).toThrow(UserError);
    expect(call).toThrow(message);
  });
});

/** Pearson's correlation of two arrays of pixels. */
function correlation(a: Float32Array, b: Float32Array): number {
  const [meanA, meanB] = [mean(a), mean(b)];
  const products = Float64Array.from(a, (value, index) => (value - meanA) * (b[index] - meanB));
  return mean(products) / (standardDeviation(a) * standardDeviation(b));
}
