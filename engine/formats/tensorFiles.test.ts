/** Tensors read from disk in pieces: against the reader of whole files, turned over by definition; shards; indices and files that lie. */
import * as fc from 'fast-check';
import { readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Cancelled, UserError } from '../base/errors.ts';
import { EXACT, expectClose } from '../base/testing/closeTo.ts';
import { dense } from './denseArray.ts';
import { folderOf, narrow, rawFile } from './huggingface/testing/checkpoints.ts';
import { readSafetensors, writeSafetensors } from './safetensors.ts';
import { openShards, openTensorFile, readFloats, readIndex, type StoredTensors } from './tensorFiles.ts';

const INDEX = 'model.safetensors.index.json';
const entry = (dtype: string, shape: number[], begin: number, end: number) => ({ dtype, shape, data_offsets: [begin, end] });
const matrix = (rows: number, columns: number) =>
  dense(
    Float32Array.from({ length: rows * columns }, (_none, i) => i / 7),
    [rows, columns],
  );
const opened = (bytes: Uint8Array): Promise<StoredTensors> => openTensorFile(join(folderOf({ a: bytes }), 'a'), 'a file');

describe('a file of tensors', () => {
  test('is read in pieces, as it is and turned over, whatever its shape and the size of the pieces', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 70 }),
        fc.integer({ min: 0, max: 70 }),
        fc.integer({ min: 1, max: 5000 }),
        async (rows, columns, piece) => {
          const [one, other] = [matrix(rows, columns), dense(Uint8Array.of(1, 2, 3))];
          const tensors = await opened(writeSafetensors({ one, other }));
          const stored = tensors.get('one')!;
          expectClose(await readFloats(stored, 'one', { piece }), one.data, EXACT, 'as it is');
          const turned = Float32Array.from({ length: rows * columns }, (_none, i) => one.data[(i % rows) * columns + Math.floor(i / rows)]);
          expectClose(await readFloats(stored, 'one', { piece, transpose: true }), turned, EXACT, 'turned over');
        },
      ),
      { numRuns: 60 },
    );
  });

  test.each(['F16', 'BF16'] as const)('%s becomes float32, also where its pieces are cut', async (dtype) => {
    const values = Float32Array.from({ length: 30 }, (_none, i) => (i - 15) / 8);
    const bytes = rawFile({ a: entry(dtype, [5, 6], 0, 60) }, narrow[dtype](values));
    const stored = (await opened(bytes)).get('a')!;
    for (const piece of [1, 13, 24, 1000]) expectClose(await readFloats(stored, 'a', { piece }), values, EXACT, `${dtype} ${piece}`);
    expectClose(readSafetensors(bytes, 'a file').tensors.get('a')!.data, values, EXACT, 'read whole');
  });

  test('scalars, vectors and tensors of no number', async () => {
    const tensors = await opened(
      writeSafetensors({
        scalar: dense(Float32Array.of(3), []),
        vector: dense(Float32Array.of(1, 2)),
        none: dense(new Float32Array(), [0, 2 ** 40]),
      }),
    );
    const read = async (name: string) => [...(await readFloats(tensors.get(name)!, name))];
    expect([await read('scalar'), await read('vector'), await read('none')]).toEqual([[3], [1, 2], []]);
    await expect(readFloats(tensors.get('vector')!, 'a', { transpose: true })).rejects.toThrow('a must be a matrix, got [2]');
  });

  test.each([NaN, Infinity, -Infinity])('%s is no weight', async (value) => {
    const one = matrix(3, 4);
    one.data[7] = value;
    const stored = (await opened(writeSafetensors({ one }))).get('one')!;
    await expect(readFloats(stored, 'one', { piece: 16 })).rejects.toThrow(`one: entry 7 must be a finite number, got ${value}`);
  });

  test.each<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(), 'must begin with the length of a header'],
    ['less than its header', rawFile('{"a":1}').slice(0, 12), 'header must have at most 4 bytes, got 7'],
    ['an offset beyond any file', rawFile({ a: entry('F32', [2 ** 50], 0, 2 ** 52) }, 8), 'must end within the 8 bytes of data'],
    ['an overlap', rawFile({ a: entry('F32', [2], 0, 8), b: entry('F32', [2], 4, 12) }, 12), 'must begin where the tensor before it ends'],
    ['a tensor cut short', writeSafetensors({ one: matrix(2, 2) }).slice(0, -1), 'must end within'],
    ['8-bit floats', rawFile({ a: entry('F8_E4M3', [1], 0, 1) }, 1), 'got "F8_E4M3"'],
  ])('refuses %s', async (_name, bytes, message) => {
    await expect(opened(bytes)).rejects.toThrow(UserError);
    await expect(opened(bytes)).rejects.toThrow(message);
  });

  test('what is no file, what has shrunk, what is no float and what is called off', async () => {
    const folder = folderOf({ 'a/': '', b: writeSafetensors({ one: matrix(4, 4), text: dense(Uint8Array.of(1)) }) });
    await expect(openTensorFile(join(folder, 'a'), 'it')).rejects.toThrow('it must be a file, got "a directory"');
    await expect(openTensorFile(join(folder, 'c'), 'it')).rejects.toThrow('it must exist');
    const tensors = await openTensorFile(join(folder, 'b'), 'it');
    await expect(readFloats(tensors.get('text')!, 'text')).rejects.toThrow('text: dtype must be one of F32, F16, BF16, got "U8"');
    await expect(readFloats(tensors.get('one')!, 'one', { signal: AbortSignal.abort() })).rejects.toThrow(Cancelled);
    truncateSync(join(folder, 'b'), tensors.get('one')!.end - 4);
    await expect(readFloats(tensors.get('one')!, 'one')).rejects.toThrow('bytes while it is read');
  });
});

describe('shards', () => {
  const parts = { 'model-1.safetensors': { one: matrix(2, 3) }, 'model-2.safetensors': { two: matrix(3, 2), three: matrix(1, 1) } };
  const files = Object.fromEntries(Object.entries(parts).map(([name, tensors]) => [name, writeSafetensors(tensors)]));
  const map = { one: 'model-1.safetensors', two: 'model-2.safetensors', three: 'model-2.safetensors' };
  const shards = (weight_map: unknown, more: Record<string, Uint8Array> = files) =>
    openShards(folderOf({ ...more, [INDEX]: { metadata: { total_size: 52 }, weight_map } }), INDEX, 'it');

  test('are one set of tensors', async () => {
    const tensors = await shards(map);
    expect([...tensors.keys()]).toEqual(['one', 'two', 'three']);
    for (const [name, { path }] of tensors) {
      const whole = readSafetensors(new Uint8Array(readFileSync(path)), path).tensors.get(name)!;
      expectClose(await readFloats(tensors.get(name)!, name), whole.data, EXACT, name);
    }
  });

  test.each<[string, unknown, string]>([
    ['no map', undefined, `it: ${INDEX}: weight_map must be an object of texts`],
    ['an empty map', {}, 'weight_map must name 1 to 1000 files, got 0'],
    ['a number for a file', { one: 7 }, 'weight_map.one must be a text, got 7'],
    ['a file elsewhere', { one: '../model-1.safetensors' }, 'weight_map.one must name a safetensors file beside the index'],
    ['an absolute path', { one: '/etc/x.safetensors' }, 'must name a safetensors file beside'],
    ['a path of another system', { one: 'C:\\x.safetensors' }, 'must name a safetensors file beside'],
    ['a pickle', { one: 'model-1.bin' }, 'must name a safetensors file beside'],
    ['a file that is not there', { ...map, four: 'model-3.safetensors' }, 'it: model-3.safetensors must exist'],
    [
      'a tensor that is not there',
      { ...map, four: 'model-1.safetensors' },
      'it: model-1.safetensors must hold what the index says, got "four"',
    ],
    ['a tensor that is elsewhere', { ...map, one: 'model-2.safetensors' }, 'must hold what the index says, got "one"'],
    [
      'less than its files',
      { one: 'model-1.safetensors', two: 'model-2.safetensors' },
      'must name every tensor of its files, got "three of',
    ],
  ])('an index with %s is refused', async (_name, weightMap, message) => {
    await expect(shards(weightMap)).rejects.toThrow(UserError);
    await expect(shards(weightMap)).rejects.toThrow(message);
  });

  test('a thousand files and no more', () => {
    const many = (count: number) => ({
      weight_map: Object.fromEntries(Array.from({ length: count }, (_none, i) => [`t${i}`, `${i}.safetensors`])),
    });
    expect(readIndex(many(1000), 'it').size).toBe(1000);
    expect(() => readIndex(many(1001), 'it')).toThrow('must name 1 to 1000 files, got 1001');
  });
});
