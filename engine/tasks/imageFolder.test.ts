/** Folders of pictures: how they are divided and ordered, what is left aside, and what is refused by name. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import * as fc from 'fast-check';
import { UserError } from '../base/errors.ts';
import { picture } from '../formats/testing/png.ts';
import { fingerprint, loadImages } from './imageData.ts';
import { compareNaturally } from './imageFolder.ts';

let root: string;
beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'gatescope-folder-'))));
afterEach(() => rmSync(root, { recursive: true }));

const put = (path: string, bytes: Uint8Array | string) => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), bytes);
};
/** A picture of 2 × 1, both of one grey. */
const grey = (value: number) => picture(2, 1, Uint8Array.of(value, value));
const first = (pixels: Uint8Array) => [...pixels].filter((_value, i) => i % 2 === 0);

describe('a folder for each class', () => {
  test('is divided by a rule: of each class the second and every sixth after it, in the natural order of names', async () => {
    for (let i = 1; i <= 9; i++) put(`dog/${i}.png`, grey(i));
    put('dog/10.PNG', grey(10));
    put('cat/a.png', grey(100));
    put('cat/b.png', grey(101));
    const data = await loadImages(root);
    expect(data).toMatchObject({ height: 1, width: 2, classes: ['cat', 'dog'], colour: false });
    expect([first(data.test.pixels), [...data.test.labels]]).toEqual([
      [101, 2, 8],
      [0, 1, 1],
    ]);
    expect(first(data.train.pixels)).toEqual([100, 1, 3, 4, 5, 6, 7, 9, 10]);
  });

  test('below train and test is taken as it is', async () => {
    for (const [path, value] of Object.entries({ 'train/a/1': 1, 'train/a/2': 2, 'train/b/1': 3, 'test/b/1': 4, 'test/a/9': 5 }))
      put(`${path}.png`, grey(value));
    const data = await loadImages(root);
    expect([first(data.train.pixels), [...data.train.labels]]).toEqual([
      [1, 2, 3],
      [0, 0, 1],
    ]);
    expect([first(data.test.pixels), [...data.test.labels]]).toEqual([
      [5, 4],
      [0, 1],
    ]);
  });

  test('may hold hidden files, notes and links, and pictures of several kinds and colours', async () => {
    put('a/.hidden.png', 'not a picture');
    put('a/notes.txt', 'a');
    put('.cache/x.png', 'not a picture');
    put('readme.md', 'notes');
    put('a/1.png', grey(7));
    put('a/2.png', picture(2, 1, Uint8Array.of(255, 0, 0, 0, 0, 255), 3));
    put('kept elsewhere', grey(8));
    mkdirSync(join(root, 'b'));
    symlinkSync(join(root, 'kept elsewhere'), join(root, 'b', '1.png'));
    symlinkSync(join(root, 'a', '1.png'), join(root, 'b', '2.png'));
    const data = await loadImages(root);
    expect(data.colour).toBe(true);
    expect([...data.test.pixels]).toEqual([76, 29, 7, 7]);
    expect(first(data.train.pixels)).toEqual([7, 8]);
  });

  test('has a fingerprint of names, sizes and times', () => {
    for (const path of ['a/1', 'a/2', 'b/1', 'b/2']) put(`${path}.png`, grey(1));
    const before = fingerprint(root);
    expect(fingerprint(root)).toBe(before);
    put('b/3.png', grey(1));
    expect(fingerprint(root)).not.toBe(before);
  });

  test.each<[string, Record<string, Uint8Array | string>, (message: string) => void]>([
    [
      'mixed sizes, both files named',
      { 'a/1': grey(1), 'a/2': grey(1), 'b/1': grey(1), 'b/2': picture(1, 2, Uint8Array.of(1, 2)) },
      (message) =>
        expect(message).toBe(`loadImages: ${root}: ${join(root, 'b/2.png')} must be 1 × 2, as ${join(root, 'a/1.png')} is, got "2 × 1"`),
    ],
    [
      'train without test',
      { 'train/a/1': grey(1) },
      (message) => expect(message).toMatch(/folders must be both train and test, or one for each class, got "train"/),
    ],
    ['no folders', {}, (message) => expect(message).toMatch(/must hold a folder for each class, got "no folders"/)],
    ['pictures but no folders', { x: grey(1) }, (message) => expect(message).toMatch(/must hold a folder for each class/)],
    [
      'pictures beside the classes',
      { 'a/1': grey(1), 'a/2': grey(1), 'b/1': grey(1), 'b/2': grey(1), x: grey(1) },
      (message) => expect(message).toMatch(/must hold images in the folders of their classes, got "x.png"/),
    ],
    ['one class', { 'a/1': grey(1), 'a/2': grey(1) }, (message) => expect(message).toMatch(/classes must be 2 to 65535, got "one, a"/)],
    [
      'a class of one picture',
      { 'a/1': grey(1), 'a/2': grey(1), 'b/1': grey(1) },
      (message) => expect(message).toMatch(/class b must have at least 2 images, as one is for testing, got 1/),
    ],
    [
      'an empty class',
      { 'a/1': grey(1), 'a/2': grey(1), 'b/.keep': '' },
      (message) => expect(message).toMatch(/b must hold images \(\.png, \.jpg, .*\), got "none"/),
    ],
    ['folders below the classes', { 'a/b/c': grey(1) }, (message) => expect(message).toMatch(/a must hold no folders, got "b"/)],
    [
      'classes of one part only',
      { 'train/a/1': grey(1), 'train/b/1': grey(1), 'test/a/1': grey(1) },
      (message) => expect(message).toMatch(/class b must be in train and in test, got "one of them"/),
    ],
    [
      'a third part',
      { 'train/a/1': grey(1), 'test/a/1': grey(1), 'validation/a/1': grey(1) },
      (message) => expect(message).toMatch(/folders must be no others than train and test where these are, got "validation"/),
    ],
    [
      'a picture that is none',
      { 'a/1': grey(1), 'a/2': 'hello', 'b/1': grey(1), 'b/2': grey(1) },
      (message) =>
        expect(message).toBe(`readImageFile: ${join(root, 'a/2.png')} must be a PNG, JPEG, BMP or TIFF image, got "first bytes 68656c6c"`),
    ],
    [
      'a picture too large',
      { 'a/1': picture(257, 256, new Uint8Array(257 * 256)), 'a/2': grey(1), 'b/1': grey(1), 'b/2': grey(1) },
      (message) => expect(message).toMatch(/a\/1\.png must have 1 to 65536 pixels, got "256 × 257"/),
    ],
  ])('%s', async (_name, files, check) => {
    for (const [path, bytes] of Object.entries(files)) put(path.includes('.') ? path : `${path}.png`, bytes);
    const error: unknown = await loadImages(root).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UserError);
    check((error as UserError).message);
  });
});

describe('compareNaturally', () => {
  test('runs of digits by value, the rest by code unit', () => {
    const sorted = ['', 'A1', 'a', 'a1', 'a01', 'a2', 'a10', 'a10b', 'b', 'ä'];
    const expected = ['', 'A1', 'a', 'a01', 'a1', 'a2', 'a10', 'a10b', 'b', 'ä'];
    expect(sorted.sort(compareNaturally)).toEqual(expected);
    expect(compareNaturally(`x${'9'.repeat(400)}`, `x1${'0'.repeat(400)}`)).toBeLessThan(0);
  });

  test('is an order, the same from wherever it begins', () => {
    const name = fc.string({ unit: fc.constantFrom('0', '1', '2', '9', 'a', 'B', '.', 'é'), maxLength: 6 });
    fc.assert(
      fc.property(fc.array(name, { maxLength: 12 }), (names) => {
        const sorted = [...names].sort(compareNaturally);
        expect([...names].reverse().sort(compareNaturally)).toEqual(sorted);
        for (let i = 0; i < sorted.length; i++)
          for (let j = i; j < sorted.length; j++) {
            expect(compareNaturally(sorted[i], sorted[j])).toBeLessThanOrEqual(0);
            expect(compareNaturally(sorted[i], sorted[j]) === 0).toBe(sorted[i] === sorted[j]);
          }
      }),
      { numRuns: 300 },
    );
  });
});
