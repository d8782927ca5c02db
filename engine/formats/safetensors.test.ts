/** safetensors: files the reference wrote against what was put in, and byte for byte; halves by their definition; headers that lie. */
import * as fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { UserError } from '../base/errors.ts';
import { EXACT, expectClose } from '../base/testing/closeTo.ts';
import { dense, type DenseArray } from './denseArray.ts';
import { readSafetensors, readSafetensorsHeader, readTensor, safetensorsHeaderBytes, writeSafetensors } from './safetensors.ts';

const fixtures = new URL('fixtures/', import.meta.url);
const bytesOf = (name: string) => new Uint8Array(readFileSync(new URL(`safetensors/${name}`, fixtures)));
const { safetensors: expected } = JSON.parse(readFileSync(new URL('arrays.json', fixtures), 'utf8')) as {
  safetensors: Record<string, { shape: number[]; values: (number | boolean | string)[] }>;
};

/** A file of this header, padded by nothing, and data. */
function file(header: unknown, data: Uint8Array | number = 0): Buffer {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, typeof data === 'number' ? Buffer.alloc(data) : data]);
}
const entry = (dtype: string, shape: unknown, begin: unknown, end: unknown) => ({ dtype, shape, data_offsets: [begin, end] });

describe('safetensors', () => {
  test.each(['plain', 'other'])('%s.safetensors as the reference made it', (name) => {
    const { tensors, metadata } = readSafetensors(bytesOf(`${name}.safetensors`), name);
    expect(tensors.size).toBe(name === 'plain' ? 5 : 3);
    expect(metadata).toEqual(name === 'plain' ? { 'made by': 'safetensors' } : {});
    for (const [key, { shape, data }] of tensors) {
      expect(shape, key).toEqual(expected[key].shape);
      expectClose(Float64Array.from(data), Float64Array.from(expected[key].values, Number), EXACT, key);
    }
  });

  test('written byte for byte as the reference does', () => {
    const bytes = bytesOf('plain.safetensors');
    const { tensors, metadata } = readSafetensors(bytes, 'plain');
    const shuffled = Object.fromEntries([...tensors].sort(([a], [b]) => (a < b ? 1 : -1)));
    expect(Buffer.from(writeSafetensors(shuffled, metadata))).toEqual(Buffer.from(bytes));
  });

  test('what is written is read again, whatever the names', () => {
    const tensor: fc.Arbitrary<DenseArray> = fc.oneof(
      fc.uint8Array().map((data) => dense(data)),
      fc.int32Array().map((data) => dense(data, [1, data.length])),
      fc.float32Array().map((data) => dense(data, [data.length, 1])),
      fc.float64Array({ minLength: 1, maxLength: 1 }).map((data) => dense(data, [])),
    );
    const name = fc.string({ unit: 'grapheme' }).filter((text) => text !== '__metadata__' && text !== '__proto__');
    fc.assert(
      fc.property(fc.dictionary(name, tensor), fc.dictionary(name, fc.string()), (tensors, metadata) => {
        const read = readSafetensors(writeSafetensors(tensors, metadata), 'a file');
        expect(Object.fromEntries(read.tensors)).toEqual({ ...tensors });
        expect(read.metadata).toEqual({ ...metadata });
      }),
      { numRuns: 300 },
    );
  });

  test('numbers begin at a multiple of 8, wide ones first', () => {
    const bytes = writeSafetensors({ a: dense(Uint8Array.of(1)), b: dense(Float64Array.of(2)), c: dense(Float32Array.of(3)) });
    const { tensors } = readSafetensorsHeader(bytes, bytes.length, 'a file');
    expect([...tensors.keys()]).toEqual(['b', 'c', 'a']);
    for (const [name, { begin }] of tensors) expect(begin % { a: 1, b: 8, c: 4 }[name]!, name).toBe(0);
  });

  test('one tensor of a file that is not read whole', () => {
    const bytes = bytesOf('plain.safetensors');
    const header = bytes.subarray(0, safetensorsHeaderBytes(bytes.subarray(0, 8), bytes.length, 'plain'));
    const place = readSafetensorsHeader(header, bytes.length, 'plain').tensors.get('double')!;
    expect(readTensor(place, bytes.subarray(place.begin, place.end), 'plain').data).toEqual(Float64Array.of(0.1, -5e-324, 1.7e308));
    expect(() => readTensor(place, bytes.subarray(place.begin), 'plain: double')).toThrow('plain: double must have 24 bytes, got 57');
  });

  test('every half and every bfloat16 by its definition', () => {
    const codes = Uint16Array.from({ length: 1 << 16 }, (_none, code) => code);
    const raw = new Uint8Array(codes.buffer);
    const read = (dtype: string) => readSafetensors(file({ a: entry(dtype, [1 << 16], 0, 1 << 17) }, raw), 'a file').tensors.get('a')!.data;
    const number = (code: number, exponentBits: number, fractionBits: number) => {
      const sign = code >> 15 ? -1 : 1;
      const exponent = (code >> fractionBits) & (2 ** exponentBits - 1);
      const fraction = (code & (2 ** fractionBits - 1)) / 2 ** fractionBits;
      const bias = 2 ** (exponentBits - 1) - 1;
      if (exponent === 2 * bias + 1) return fraction ? NaN : sign * Infinity;
      return sign * (exponent ? (1 + fraction) * 2 ** (exponent - bias) : fraction * 2 ** (1 - bias));
    };
    for (const [dtype, exponentBits, fractionBits] of [
      ['F16', 5, 10],
      ['BF16', 8, 7],
    ] as const) {
      const values = read(dtype);
      const wrong = codes.findIndex((code) => !Object.is(values[code], number(code, exponentBits, fractionBits)));
      expect(wrong, `${dtype}: the first code that is wrong`).toBe(-1);
    }
  });

  test.each<[string, Uint8Array, string]>([
    ['a file of a few bytes', Buffer.of(1, 2, 3), 'must begin with the length of a header, 8 bytes, got "3 bytes"'],
    ['a header longer than the file', file('{}').fill(255, 0, 1), 'header must have at most 2 bytes, got 255'],
    ['a header longer than any', Buffer.alloc(64, 255), 'header must have at most 56 bytes, got 18446744073709552000'],
    ['a header that is not JSON', file('{"a":'), 'header must be JSON'],
    ['a header that is not text', file('{"a":"?"}').fill(255, 14, 15), 'header must be JSON'],
    ['a list', file('[]'), 'header must be a JSON object'],
    ['a number', file('7'), 'header must be a JSON object'],
    ['an entry that is none', file({ a: 7 }), 'a file: a must be an object of dtype, shape and data_offsets, got 7'],
    ['a field too many', file({ a: { ...entry('U8', [], 0, 1), more: 1 } }, 1), 'a file: a: fields must be known, got [more]'],
    ['8-bit floats', file({ a: entry('F8_E4M3', [1], 0, 1) }, 1), 'a: dtype must be one of'],
    ['a type that is the name of a method', file({ a: entry('toString', [1], 0, 1) }, 1), 'a: dtype must be one of'],
    ['a negative extent', file({ a: entry('U8', [-1], 0, 1) }, 1), 'a: shape.0 must be an integer'],
    ['fractions of bytes', file({ a: entry('U8', [1], 0.5, 1.5) }, 1), 'a: data_offsets.0 must be an integer'],
    ['offsets that are too far apart', file({ a: entry('F32', [1], 0, 8) }, 8), 'data_offsets must be 4 bytes apart for shape [1] of F32'],
    ['offsets backwards', file({ a: entry('U8', [1], 1, 0) }, 1), 'data_offsets must be 1 bytes apart'],
    ['a size beyond any number', file({ a: entry('U8', [2 ** 52, 2 ** 52], 0, 1) }, 1), 'bytes apart'],
    ['a tensor beyond the end', file({ a: entry('U8', [9], 0, 9) }, 8), 'data_offsets must end within the 8 bytes of data, got 9'],
    [
      'an overlap',
      file({ a: entry('U8', [4], 0, 4), b: entry('U8', [4], 2, 6) }, 6),
      'b: data_offsets must begin where the tensor before it ends, at 4, got 2',
    ],
    ['a hole', file({ a: entry('U8', [2], 0, 2), b: entry('U8', [2], 4, 6) }, 6), 'at 2, got 4'],
    ['a hole at the beginning', file({ a: entry('U8', [2], 2, 4) }, 4), 'at 0, got 2'],
    ['something behind the last tensor', file({ a: entry('U8', [2], 0, 2) }, 3), 'must end with its last tensor'],
    ['metadata that are not texts', file({ __metadata__: { a: 1 } }), '__metadata__: a must be a text, got 1'],
    ['another integer type', bytesOf('refused-int16.safetensors'), 'dtype must be one of'],
    ['integers int32 cannot hold', bytesOf('refused-wide.safetensors'), 'a: entry 0 must be in [-2147483648, 2147483647], got 2147483648'],
  ])('refuses %s', (_name, bytes, message) => {
    expect(() => readSafetensors(bytes, 'a file')).toThrow(UserError);
    expect(() => readSafetensors(bytes, 'a file')).toThrow(message);
  });

  test('a name that is not a tensor’s, and numbers that are not of its shape, are not written', () => {
    expect(() => writeSafetensors({ __metadata__: dense(Uint8Array.of(1)) })).toThrow('name must not be __metadata__');
    expect(() => writeSafetensors({ a: { dtype: 'uint8', data: new Uint8Array(2), shape: [3] } })).toThrow(
      'writeSafetensors: a: data must hold 3 numbers, got 2',
    );
  });
});
