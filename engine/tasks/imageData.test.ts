/** MNIST and Fashion-MNIST against their known facts; images of one's own in idx and npz files; digests; what is kept; what is refused. */
import * as fc from 'fast-check';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UserError } from '../base/errors.ts';
import { dense, type DenseArray } from '../formats/denseArray.ts';
import { writeNpz } from '../formats/npz.ts';
import { describe as described, fingerprint, loadImages, requireDigest, type ImagePart } from './imageData.ts';

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'gatescope-images-'))));
afterAll(() => rmSync(folder, { recursive: true }));

const words = (...values: number[]): number[] =>
  values.flatMap((word) => [word >>> 24, word >>> 16, word >>> 8, word].map((byte) => byte & 255));
const histogram = ({ labels }: ImagePart): number[] => {
  const counts: number[] = [];
  for (const label of labels) counts[label] = (counts[label] ?? 0) + 1;
  return counts;
};
/** Mean and standard deviation of pixels/255, from how often each of the 256 values occurs. */
function moments({ pixels }: ImagePart): { mean: number; deviation: number } {
  const frequencies = new Float64Array(256);
  for (const pixel of pixels) frequencies[pixel]++;
  const moment = (power: number) => frequencies.reduce((sum, n, value) => sum + n * (value / 255) ** power, 0) / pixels.length;
  return { mean: moment(1), deviation: Math.sqrt(moment(2) - moment(1) ** 2) };
}

describe('mnist', () => {
  it('has its size, its moments, its classes', async () => {
    const mnist = await loadImages('mnist');
    expect(mnist).toMatchObject({ name: 'mnist', height: 28, width: 28, classes: [...'0123456789'], colour: false });
    expect([mnist.train.count, mnist.test.count]).toEqual([60_000, 10_000]);
    // The two numbers every MNIST pipeline normalises by.
    const { mean, deviation } = moments(mnist.train);
    expect(mean).toBeCloseTo(0.1307, 4);
    expect(deviation).toBeCloseTo(0.3081, 4);
    expect(histogram(mnist.train)).toEqual([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
    expect(histogram(mnist.test)).toEqual([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
    expect([...mnist.train.labels.subarray(0, 10)]).toEqual([5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
    expect(described(mnist)).toBe('mnist: 60000 training and 10000 test images of 28 × 28, 10 classes');
  });

  it('is the original bytes', async () => {
    const mnist = await loadImages('mnist');
    // md5 of the four uncompressed originals, with the headers put back.
    const files = [mnist.train, mnist.test].flatMap(({ count, pixels, labels }) => [
      Buffer.concat([Buffer.from(words(0x803, count, 28, 28)), pixels]),
      Buffer.concat([Buffer.from(words(0x801, count)), Uint8Array.from(labels)]),
    ]);
    expect(files.map((bytes) => createHash('md5').update(bytes).digest('hex'))).toEqual([
      '6bbc9ace898e44ae57da46a324031adb',
      'a25bea736e30d166cdddb491f175f624',
      '2646ac647ad5339dbf082846283269ea',
      '27ae3e4e09519cfbb04c329615203637',
    ]);
  });

  it('keeps its digest, which requests name it by', async () => {
    const mnist = await loadImages('mnist');
    expect(mnist.digest).toBe('dd49de06607c15279c2323df4ad1a7cb8a0b1f5ef5a83330e2d7a7c0c6459a0c');
    expect(requireDigest(mnist, { source: 'mnist' })).toBe(mnist);
    expect(requireDigest(mnist, { source: 'mnist', digest: mnist.digest })).toBe(mnist);
    const other = 'a'.repeat(64);
    expect(() => requireDigest(mnist, { source: 'mnist', digest: other })).toThrow(UserError);
    expect(() => requireDigest(mnist, { source: 'mnist', digest: other })).toThrow(
      `images: mnist must have the digest ${other}, got "${mnist.digest}"`,
    );
  });
});

describe('fashion-mnist', () => {
  const installed = existsSync('/usr/share/datasets/fashion-mnist');

  it('has its size, its moments, its classes', async ({ skip }) => {
    skip(!installed, 'dataset-fashion-mnist is not installed');
    const fashion = await loadImages('fashion-mnist');
    expect(fashion).toMatchObject({ name: 'fashion-mnist', height: 28, width: 28 });
    const { mean, deviation } = moments(fashion.train);
    expect(mean).toBeCloseTo(0.286, 3);
    expect(deviation).toBeCloseTo(0.353, 3);
    expect(histogram(fashion.train)).toEqual(new Array(10).fill(6000));
    expect(histogram(fashion.test)).toEqual(new Array(10).fill(1000));
    expect(fashion.classes[fashion.train.labels[0]]).toBe('Ankle boot');
  });

  it('says where it would be', async ({ skip }) => {
    skip(installed, 'dataset-fashion-mnist is installed');
    await expect(loadImages('fashion-mnist')).rejects.toThrow(
      "loadImages: fashion-mnist must be in /usr/share/datasets/fashion-mnist, where Debian's package dataset-fashion-mnist puts it, got",
    );
  });
});

describe('idx files', () => {
  const write = (prefix: string, [count, height, width]: number[], labels: number[], pack = (bytes: Uint8Array) => bytes) => {
    mkdirSync(join(folder, 'idx'), { recursive: true });
    const pixels = Buffer.alloc(count * height * width).map((_byte, i) => i % 251);
    const ending = pack === gzipSync ? '.gz' : '';
    const images = join(folder, 'idx', `${prefix}-images-idx3-ubyte`);
    rmSync(images, { force: true });
    writeFileSync(images + ending, pack(Buffer.concat([Buffer.from(words(0x803, count, height, width)), pixels])));
    writeFileSync(join(folder, 'idx', `${prefix}-labels-idx1-ubyte`), Buffer.from([...words(0x801, labels.length), ...labels]));
    return pixels;
  };
  const source = () => join(folder, 'idx');

  it('are read plain and gzipped, of any size and number; classes are the labels that occur', async () => {
    const pixels = write('train', [4, 3, 5], [7, 3, 3, 200], gzipSync);
    await expect(loadImages(source())).rejects.toThrow(`readIdx: ${join(source(), 't10k-images-idx3-ubyte')} must exist`);
    write('t10k', [2, 3, 5], [200, 7]);
    const data = await loadImages(source());
    expect(data).toMatchObject({ name: 'idx', height: 3, width: 5, classes: ['3', '7', '200'] });
    expect([[...data.train.labels], [...data.test.labels]]).toEqual([
      [1, 0, 0, 2],
      [2, 1],
    ]);
    expect(Buffer.from(data.train.pixels)).toEqual(pixels);
  });

  it.each<[string, () => void, RegExp]>([
    ['too few labels', () => write('t10k', [2, 3, 5], [7]), /t10k-labels-idx1-ubyte must be of shape \[2\], got \[1\]/],
    [
      'another size',
      () => write('t10k', [2, 5, 3], [7, 3]),
      /t10k-images-idx3-ubyte must be of images of 3 × 5, as .*train.* is, got \[5, 3\]/,
    ],
    ['a class nobody trains on', () => write('t10k', [2, 3, 5], [7, 9]), /: class 9 must have an image to train on, got "none"/],
    [
      'the first class, which nobody trains on',
      () => write('t10k', [2, 3, 5], [1, 7]),
      /: class 1 must have an image to train on, got "none"/,
    ],
    ['no images', () => write('t10k', [0, 3, 5], []), /: test must be 1 to \d+ images of 15 pixels, got 0/],
    [
      'images without pixels',
      () => (write('t10k', [2, 0, 5], [7, 3]), write('train', [2, 0, 5], [7, 3])),
      /images must have 1 to 65536 pixels/,
    ],
  ])('%s', async (_name, change, message) => {
    write('train', [4, 3, 5], [7, 3, 3, 200]);
    change();
    await expect(loadImages(source())).rejects.toThrow(UserError);
    await expect(loadImages(source())).rejects.toThrow(message);
  });

  it('swapped files say what they hold', async () => {
    write('train', [4, 3, 5], [7, 3, 3, 200]);
    writeFileSync(join(source(), 'train-images-idx3-ubyte'), Buffer.from([...words(0x801, 1), 7]));
    await expect(loadImages(source())).rejects.toThrow('must hold images, [count, height, width], got [1]');
  });
});

describe('npz files', () => {
  let made = 0;
  const write = (arrays: Record<string, DenseArray>) => {
    const path = join(folder, `own ${made++}.NPZ`);
    writeFileSync(path, writeNpz(arrays));
    return path;
  };
  const grey = dense(
    Uint8Array.from({ length: 4 * 6 }, (_entry, i) => 10 * i),
    [4, 2, 3],
  );
  const keras = {
    x_train: grey,
    y_train: dense(Int32Array.of(5, 2, 5, 2)),
    x_test: dense(Uint8Array.of(1, 2, 3, 4, 5, 6), [1, 2, 3]),
    y_test: dense(Uint8Array.of(5), [1, 1]),
  };

  it('as Keras publishes them', async () => {
    const data = await loadImages(write(keras));
    expect(data).toMatchObject({ height: 2, width: 3, classes: ['2', '5'], colour: false });
    expect(data.name).toMatch(/^own \d+$/);
    expect(data.train.pixels).toEqual(grey.data);
    expect([[...data.train.labels], [...data.test.labels], [...data.test.pixels]]).toEqual([[1, 0, 1, 0], [1], [1, 2, 3, 4, 5, 6]]);
  });

  it('of bytes, integers, floats and truth values, with and without channels: the same images', async () => {
    const digests = [];
    const floats = Float32Array.from(grey.data, (value) => value / 255);
    const tripled = Uint8Array.from({ length: 3 * grey.data.length }, (_entry, i) => grey.data[Math.floor(i / 3)]);
    for (const x_train of [
      grey,
      dense(Int32Array.from(grey.data), [4, 2, 3]),
      dense(floats, [4, 2, 3, 1]),
      dense(Float64Array.from(floats), [4, 2, 3]),
      dense(tripled, [4, 2, 3, 3]),
    ])
      digests.push((await loadImages(write({ ...keras, x_train }))).digest);
    expect(new Set(digests).size).toBe(1);
    const truth = await loadImages(
      write({ ...keras, x_train: { dtype: 'bool', data: Uint8Array.from(grey.data, (_value, i) => i % 2), shape: [4, 2, 3] } }),
    );
    expect([...truth.train.pixels.subarray(0, 4)]).toEqual([0, 255, 0, 255]);
  });

  it('in colour, which becomes luma and is told', async () => {
    const colours = dense(Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9, 255, 255, 255, 0, 0, 0), [1, 2, 3, 3]);
    const data = await loadImages(write({ ...keras, x_test: colours }));
    expect([...data.test.pixels]).toEqual([76, 150, 29, 9, 255, 0]); // 0.299, 0.587 and 0.114 of 255
    expect(described(data)).toMatch(
      /^own \d+: 4 training and 1 test images of 2 × 3, 2 classes; colour turned to grey \(ITU-R BT.601 luma\)$/,
    );
  });

  it('together, of which every class’s second and every sixth after it are for testing', async () => {
    const labels = [4, 4, 4, 9, 4, 4, 4, 9, 4, 4];
    const images = dense(
      Uint8Array.from(labels, (_label, i) => i),
      [10, 1, 1],
    );
    const data = await loadImages(write({ images, labels: dense(Uint8Array.from(labels)) }));
    expect([...data.test.pixels]).toEqual([1, 7, 9]);
    expect([...data.train.pixels]).toEqual([0, 2, 3, 4, 5, 6, 8]);
    expect([...data.test.labels].map((label) => data.classes[label])).toEqual(['4', '9', '4']);
  });

  it('of more classes than a byte can name', async () => {
    const count = 600;
    const labels = dense(Int32Array.from({ length: count }, (_entry, i) => i % 300));
    const data = await loadImages(write({ images: dense(new Uint8Array(count), [count, 1, 1]), labels }));
    expect(data.classes.length).toBe(300);
    expect(data.test.labels).toEqual(Uint16Array.from({ length: 300 }, (_entry, i) => i));
  });

  it.each<[string, Record<string, DenseArray>, RegExp]>([
    ['other arrays', { x: grey }, /must hold the arrays x_train, y_train, x_test, y_test, or images and labels, got \[x\]/],
    ['some of them', { x_train: grey, y_train: keras.y_train }, /must hold the arrays x_train, y_train, x_test, y_test/],
    [
      'flat images',
      { ...keras, x_train: dense(grey.data, [4, 6]) },
      /x_train: shape must be \[count, height, width\], or that with .*, got \[4, 6\]/,
    ],
    ['channels first', { ...keras, x_train: dense(new Uint8Array(48), [4, 3, 2, 2]) }, /x_train: shape must be .*, got \[4, 3, 2, 2\]/],
    [
      'another size',
      { ...keras, x_test: dense(new Uint8Array(6), [1, 3, 2]) },
      /x_test must be of images of 2 × 3, as x_train is, got "3 × 2"/,
    ],
    [
      'floats to 255',
      { ...keras, x_train: dense(Float32Array.from(grey.data), [4, 2, 3]) },
      /x_train: value 1 must be in \[0, 1\] as a float, got 10/,
    ],
    [
      'NaN',
      { ...keras, x_test: dense(new Float32Array(6).fill(NaN), [1, 2, 3]) },
      /x_test: value 0 must be in \[0, 1\] as a float, got NaN/,
    ],
    [
      'integers to 256',
      { ...keras, x_test: dense(new Int32Array(6).fill(256), [1, 2, 3]) },
      /x_test: value 0 must be in \[0, 255\] as an integer/,
    ],
    ['labels that are floats', { ...keras, y_train: dense(new Float32Array(4)) }, /y_train: type must be integers, got "float32"/],
    [
      'one-hot labels',
      { ...keras, y_train: dense(new Uint8Array(8), [4, 2]) },
      /y_train: shape must be \[4\], a label for each image, got \[4, 2\]/,
    ],
    ['too few labels', { ...keras, y_train: dense(new Uint8Array(3)) }, /y_train: shape must be \[4\]/],
    ['a negative label', { ...keras, y_train: dense(Int32Array.of(0, 1, -1, 0)) }, /label 2 must be ≥ 0, got -1/],
    ['one class', { ...keras, y_train: dense(new Uint8Array(4).fill(5)) }, /classes must be 2 to 65535, got "one, 5"/],
    [
      'images larger than a network takes',
      { ...keras, x_train: dense(new Uint8Array(4 * 65_537), [4, 1, 65_537]), x_test: dense(new Uint8Array(65_537), [1, 1, 65_537]) },
      /images must have 1 to 65536 pixels, got "1 × 65537"/,
    ],
    ['no images', { images: dense(new Uint8Array(0), [0, 2, 3]), labels: dense(new Uint8Array(0)) }, /classes must be 2 to 65535, got 0/],
  ])('%s', async (_name, arrays, message) => {
    const path = write(arrays);
    await expect(loadImages(path)).rejects.toThrow(UserError);
    await expect(loadImages(path)).rejects.toThrow(message);
    await expect(loadImages(path)).rejects.toThrow(`loadImages: ${path}`);
  });
});

describe('npz files of any arrays', () => {
  const anyArray: fc.Arbitrary<DenseArray> = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 4 }).chain((shape) => {
    const length = shape.reduce((product, extent) => product * extent, 1);
    const exactly = { minLength: length, maxLength: length };
    return fc.oneof(
      fc.uint8Array({ ...exactly, max: 3 }).map((data) => dense(data, shape)),
      fc.int32Array({ ...exactly, min: -1, max: 300 }).map((data) => dense(data, shape)),
      fc.float64Array({ ...exactly, min: 0, max: 1.25 }).map((data) => dense(data, shape)),
    );
  });
  const images = fc.tuple(fc.integer({ min: 2, max: 6 }), fc.uint8Array({ minLength: 12, maxLength: 12 })).map(([count, pixels]) =>
    dense(
      Uint8Array.from({ length: 2 * count }, (_entry, i) => pixels[i]),
      [count, 2, 1],
    ),
  );
  const labels = fc.uint8Array({ min: 1, max: 3, minLength: 2, maxLength: 6 }).map((data) => dense(data));
  const x = fc.oneof(images, images, anyArray);
  const y = fc.oneof(labels, labels, anyArray);

  it('are images that fit together, or a mistake', async () => {
    const path = join(folder, 'any.npz');
    let time = 1000;
    let good = 0;
    const archive = fc.oneof(fc.record({ images: x, labels: y }), fc.record({ x_train: x, y_train: y, x_test: x, y_test: y }));
    await fc.assert(
      fc.asyncProperty(archive, async (arrays) => {
        writeFileSync(path, writeNpz(arrays));
        utimesSync(path, time, time++);
        const data = await loadImages(path).catch((error: unknown) => {
          if (error instanceof UserError && error.message.startsWith(`loadImages: ${path}`)) return undefined;
          throw error;
        });
        if (!data) return;
        good++;
        expect(data.classes.length).toBeGreaterThanOrEqual(2);
        for (const { count, pixels, labels } of [data.train, data.test]) {
          expect(count).toBeGreaterThanOrEqual(1);
          expect([pixels.length, labels.length]).toEqual([count * data.height * data.width, count]);
          expect(Math.max(...labels)).toBeLessThan(data.classes.length);
        }
        expect(new Set(data.train.labels).size).toBe(data.classes.length);
      }),
      { numRuns: 500, seed: 1 },
    );
    expect(good).toBeGreaterThan(5);
  });
});

describe('a source', () => {
  it.each(['mnst', '/nowhere', '/dev/null', '/dev/null/inside'])('%s is none', async (source) => {
    await expect(loadImages(source)).rejects.toThrow(
      `loadImages: source must be "mnist", "fashion-mnist", or the path of a folder of images or an npz file, got "${source}"`,
    );
    expect(fingerprint(source)).toMatch(/^[0-9a-f]{64}$/);
  });

  it('is read once while its files stay, and again when one changes', async () => {
    const path = join(folder, 'kept.npz');
    const arrays = (first: number) => ({
      images: dense(Uint8Array.of(first, 2, 3, 4), [4, 1, 1]),
      labels: dense(Uint8Array.of(0, 0, 1, 1)),
    });
    writeFileSync(path, writeNpz(arrays(1)));
    utimesSync(path, 1, 1);
    const [data, fingerprinted] = [await loadImages(path), fingerprint(path)];
    expect(await loadImages(join(folder, '.', 'kept.npz'))).toBe(data);
    expect(fingerprint(path)).toBe(fingerprinted);
    writeFileSync(path, writeNpz(arrays(9)));
    utimesSync(path, 2, 2);
    expect(fingerprint(path)).not.toBe(fingerprinted);
    const changed = await loadImages(path);
    expect(changed.train.pixels[0]).toBe(9);
    expect(changed.digest).not.toBe(data.digest);
    rmSync(path);
    await expect(loadImages(path)).rejects.toThrow(UserError);
  });

  it('is read once for two who ask at once, and not remembered when it failed', async () => {
    const path = join(folder, 'late.npz');
    const bytes = writeNpz({ images: dense(Uint8Array.of(1, 2, 3, 4), [4, 1, 1]), labels: dense(Uint8Array.of(0, 0, 1, 1)) });
    // Of the same size and time, so that nothing but the failure says to read again.
    for (const content of [new Uint8Array(bytes.length), bytes]) {
      if (content === bytes) await expect(loadImages(path)).rejects.toThrow(`loadImages: ${path} must be a whole zip archive`);
      writeFileSync(path, content);
      utimesSync(path, 1, 1);
    }
    const [first, second] = await Promise.all([loadImages(path), loadImages(path)]);
    expect(first).toBe(second);
  });
});
