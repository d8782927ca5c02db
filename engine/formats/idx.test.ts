/** idx files made on the fly: whole ones, plain and gzipped, and one for each way a file can be wrong. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { UserError } from '../base/errors.ts';
import { readIdx } from './idx.ts';

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'gatescope-idx-'))));
afterAll(() => rmSync(folder, { recursive: true }));

/** An idx file: big-endian 32-bit words, then bytes. */
function idx(words: number[], data: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(4 * words.length + data.length);
  words.forEach((word, index) => new DataView(bytes.buffer).setUint32(4 * index, word));
  bytes.set(data, 4 * words.length);
  return bytes;
}

const LABELS = idx([0x801, 3], [7, 2, 255]);
const IMAGES = idx([0x803, 2, 1, 3], [1, 2, 3, 4, 5, 6]);

function write(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

describe('readIdx', () => {
  it.each([
    ['plain', (bytes: Uint8Array) => bytes],
    ['gzipped, whatever its name', (bytes: Uint8Array) => gzipSync(bytes)],
  ])('reads labels and images, %s', (_, pack) => {
    const labels = readIdx(write('labels', pack(LABELS)));
    expect(labels.dims).toEqual([3]);
    expect([...labels.data]).toEqual([7, 2, 255]);
    const images = readIdx(write('images', pack(IMAGES)));
    expect(images.dims).toEqual([2, 1, 3]);
    expect([...images.data]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('reads a file of no images', () => {
    const { dims, data } = readIdx(write('none', idx([0x803, 0, 28, 28], [])));
    expect([dims, data.length]).toEqual([[0, 28, 28], 0]);
  });

  it.each<[string, Uint8Array, string]>([
    ['an empty file', new Uint8Array(), 'must begin with a magic number of 4 bytes, got "0 bytes"'],
    ['a file cut in its magic number', LABELS.slice(0, 3), 'must begin with a magic number of 4 bytes, got "3 bytes"'],
    ['a file cut in its header', IMAGES.slice(0, 15), 'must have a header of 16 bytes, got "15 bytes"'],
    ['a file cut in its data', IMAGES.slice(0, -1), 'must hold 2 x 1 x 3 = 6 bytes after its header, got "5 bytes (truncated)"'],
    ['trailing bytes', idx([0x801, 3], [7, 2, 1, 0, 0]), 'must hold 3 = 3 bytes after its header, got "5 bytes (2 trailing)"'],
    ['sizes no file could hold', idx([0x803, 0xffffffff, 0xffffffff, 0xffffffff], [1]), 'after its header, got "1 bytes (truncated)"'],
    [
      'floats, another idx type',
      idx([0xd01, 1], [0, 0, 0, 0]),
      'must begin with the magic number 0x00000801 (labels) or 0x00000803 (images), got "0x00000d01"',
    ],
    ['another rank', idx([0x802, 1, 1], [0]), 'got "0x00000802"'],
    ['little-endian words', Uint8Array.of(1, 8, 0, 0, 0), 'got "0x01080000"'],
    ['gzip cut short', gzipSync(IMAGES).subarray(0, -9), 'must be a whole gzip file, got "Z_BUF_ERROR"'],
    [
      'gzip with a wrong checksum',
      gzipSync(IMAGES).map((byte, place, all) => (place >= all.length - 8 ? 0 : byte)),
      'must be a whole gzip file, got "Z_DATA_ERROR"',
    ],
    ['gzip of something else', gzipSync('hello, world'), 'got "0x68656c6c"'],
  ])('refuses %s', (_, bytes, message) => {
    const path = write('broken', bytes);
    expect(() => readIdx(path)).toThrow(UserError);
    expect(() => readIdx(path)).toThrow(`readIdx: ${path} `);
    expect(() => readIdx(path)).toThrow(message);
  });

  it('refuses what is not there, not a file, or not readable', () => {
    const file = write('file', LABELS);
    mkdirSync(join(folder, 'directory'));
    symlinkSync('loop', join(folder, 'loop'));
    expect(() => readIdx(join(folder, 'absent'))).toThrow(
      new UserError(`readIdx: ${join(folder, 'absent')}`, 'must exist', 'no such file'),
    );
    expect(() => readIdx(join(folder, 'directory'))).toThrow(
      new UserError(`readIdx: ${join(folder, 'directory')}`, 'must be a file', 'a directory'),
    );
    expect(() => readIdx('/dev/zero')).toThrow(new UserError('readIdx: /dev/zero', 'must be a file', 'a special file'));
    expect(() => readIdx(join(file, 'inside'))).toThrow(new UserError(`readIdx: ${join(file, 'inside')}`, 'must be readable', 'ENOTDIR'));
    expect(() => readIdx(join(folder, 'loop'))).toThrow(new UserError(`readIdx: ${join(folder, 'loop')}`, 'must be readable', 'ELOOP'));
  });
});
