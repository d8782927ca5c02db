/** npy and npz: files NumPy wrote against what it put in; what is written against the reader, against NumPy itself, and byte by byte; bad headers. */
import * as fc from 'fast-check';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { UserError } from '../base/errors.ts';
import { EXACT, expectClose } from '../base/testing/closeTo.ts';
import { dense, type DenseArray } from './denseArray.ts';
import { readNpy, writeNpy } from './npy.ts';
import { openNpz, writeNpz } from './npz.ts';

const fixtures = new URL('fixtures/', import.meta.url);
const bytesOf = (name: string) => new Uint8Array(readFileSync(new URL(`numpy/${name}`, fixtures)));
const expected = (JSON.parse(readFileSync(new URL('arrays.json', fixtures), 'utf8')) as Expected).numpy;
type Expected = Record<'numpy' | 'safetensors', Record<string, { shape: number[]; values: (number | boolean)[] }>>;

const numpy = spawnSync('python3', ['-c', 'import numpy']).status === 0;

const arrays: fc.Arbitrary<DenseArray> = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }).chain((shape) => {
  const length = shape.reduce((product, extent) => product * extent, 1);
  const exactly = { minLength: length, maxLength: length };
  return fc.oneof(
    fc.uint8Array(exactly).map((data): DenseArray => ({ dtype: 'uint8', data, shape })),
    fc.uint8Array({ ...exactly, max: 1 }).map((data): DenseArray => ({ dtype: 'bool', data, shape })),
    fc.int32Array(exactly).map((data): DenseArray => ({ dtype: 'int32', data, shape })),
    fc.float32Array(exactly).map((data): DenseArray => ({ dtype: 'float32', data, shape })),
    fc.float64Array(exactly).map((data): DenseArray => ({ dtype: 'float64', data, shape })),
  );
});

describe('npy', () => {
  test.each([1, 2, 3])('version %i, in column-major order', (version) => {
    const { dtype, shape, data } = readNpy(bytesOf(`version${version}.npy`), 'a file');
    expect([dtype, shape]).toEqual(['int32', [2, 3, 4]]);
    expectClose(
      data,
      Int32Array.from({ length: 24 }, (_entry, i) => i),
      EXACT,
      'columns',
    );
  });

  test('what is written is read again', () => {
    fc.assert(
      fc.property(arrays, (array) => {
        expect(readNpy(writeNpy(array), 'a file')).toEqual(array);
      }),
      { numRuns: 300 },
    );
  });

  test('written byte for byte as NumPy does, and where views of it begin', () => {
    const array = openNpz(bytesOf('arrays.npz'), 'a file').array('single');
    const text = "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }";
    const header = Buffer.from(`\x93NUMPY\x01\x00\x76\x00${text.padEnd(117)}\n`, 'latin1');
    expect(Buffer.from(writeNpy(array))).toEqual(Buffer.concat([header, Buffer.from((array.data as Float32Array).buffer)]));
    // A view that begins inside its buffer.
    expect(readNpy(writeNpy(dense(Float64Array.of(1, 2, 3).subarray(1))), 'a file').data).toEqual(Float64Array.of(2, 3));
  });

  test.each(readdirSync(new URL('numpy', fixtures)).filter((name) => name.startsWith('refused')))('%s', (name) => {
    expect(() => readNpy(bytesOf(name), 'a file')).toThrow(/^a file: (type|header) must be/);
    expect(() => readNpy(bytesOf(name), 'a file')).toThrow(UserError);
  });

  /** A file with this header and eight bytes of data. */
  const file = (text: string, version = 1) => {
    const length = Buffer.alloc(version === 1 ? 2 : 4);
    if (version === 1) length.writeUInt16LE(text.length);
    else length.writeUInt32LE(text.length);
    return Buffer.concat([Buffer.from('\x93NUMPY', 'latin1'), Buffer.of(version, 0), length, Buffer.from(text), Buffer.alloc(8)]);
  };
  const header = (shape: string, type = "'<f4'", order = 'False') => `{'descr': ${type}, 'fortran_order': ${order}, 'shape': ${shape}, }\n`;

  test('a header may be in any order, with other quotes, without the last comma, with the L of Python 2', () => {
    for (const text of [
      `{'shape': (2L,), 'fortran_order': True, "descr": "<f4"}`,
      ` { 'descr':'<f4','shape':(1 , 2),'fortran_order':False } \n`,
      header('(2,)'),
    ])
      expect(readNpy(file(text), 'a file').data).toEqual(new Float32Array(2));
  });

  test.each<[string, Uint8Array, string]>([
    ['another file', Buffer.from('hello, world'), 'must be an npy array'],
    ['an empty file', Buffer.of(), 'must be an npy array'],
    ['version 4', file(header('(2,)'), 4), 'version must be 1, 2 or 3, got 4'],
    ['a header longer than the file', file(header('(2,)')).subarray(0, 40), 'header must have the'],
    ['a header longer than NumPy takes', file(header('(2,)').padEnd(10_001)), 'header must have at most 10000 bytes, got 10001'],
    ['a number for a shape', file(header('(2)')), 'header must be'],
    ['a negative extent', file(header('(-2,)')), 'header must be'],
    ['an expression', file(header('(1+1,)')), 'header must be'],
    ['no order', file("{'descr': '<f4', 'shape': (2,)}"), 'header must be'],
    ['two shapes', file("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'shape': (2,)}"), 'header must be'],
    ['something behind the dictionary', file(`${header('(2,)').trim()} + {}`), 'header must be'],
    ['an unknown key', file("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'more': True}"), 'header must be'],
    ['more numbers than there are', file(header('(3,)')), 'must hold 3 number(s) of 4 byte(s), got "8 bytes"'],
    ['fewer', file(header('(1,)')), 'must hold 1 number(s)'],
    ['an extent beyond 2^53', file(header('(99999999999999999999,)')), 'shape must be of at most 64 integers'],
    ['a size beyond any number', file(header(`(${'9007199254740991,'.repeat(60)} 0)`)), 'got "8 bytes"'],
    ['too many dimensions', file(header(`(${'1,'.repeat(65)})`)), 'shape must be of at most 64 integers'],
    ['a name of an object', file(header('(2,)', "'constructor'")), 'type must be one of'],
  ])('refuses %s', (_name, bytes, message) => {
    expect(() => readNpy(bytes, 'a file')).toThrow(UserError);
    expect(() => readNpy(bytes, 'a file')).toThrow(message);
  });

  test('refuses integers int32 cannot hold, by their place and value', () => {
    const wide = (type: string, ...values: bigint[]) =>
      Buffer.concat([file(header(`(${values.length},)`, `'${type}'`)).subarray(0, -8), new Uint8Array(BigInt64Array.from(values).buffer)]);
    expect(readNpy(wide('<i8', -1n, 2n ** 31n - 1n, -(2n ** 31n)), 'a').data).toEqual(Int32Array.of(-1, 2147483647, -2147483648));
    const rule = 'must be in [-2147483648, 2147483647], got';
    expect(() => readNpy(wide('<i8', 0n, 2n ** 31n), 'a')).toThrow(`a: entry 1 ${rule} 2147483648`);
    expect(() => readNpy(wide('<i8', -(2n ** 31n) - 1n), 'a')).toThrow(`a: entry 0 ${rule} -2147483649`);
    expect(() => readNpy(wide('<u8', 7n, -1n), 'a')).toThrow(`a: entry 1 ${rule} 18446744073709551615`);
    expect(() => readNpy(Buffer.concat([file(header('(3,)', "'<u4'")), Buffer.alloc(4, 255)]), 'a')).toThrow(
      `a: entry 2 ${rule} 4294967295`,
    );
  });

  test('a shape that is not its data is not written', () => {
    expect(() => dense(new Float32Array(3), [2])).toThrow('dense: data must hold 2 numbers, got 3');
    expect(() => writeNpy({ dtype: 'uint8', data: new Uint8Array(2), shape: [-1, -2] })).toThrow('writeNpy: shape must be of integers ≥ 0');
  });
});

describe('npz', () => {
  test.each(['arrays.npz', 'compressed.npz'])('%s as NumPy made it', (name) => {
    const archive = openNpz(bytesOf(name), name);
    expect([...archive.names].sort()).toEqual(Object.keys(expected).sort());
    for (const [key, { shape, values }] of Object.entries(expected)) {
      const array = archive.array(key);
      expect(array.shape, key).toEqual(shape);
      expectClose(Float64Array.from(array.data), Float64Array.from(values, Number), EXACT, key);
    }
    expect(archive.array('bytes').dtype).toBe('uint8');
    expect(archive.array('truth').dtype).toBe('bool');
  });

  test('the same content gives the same bytes, in whatever order, at whatever time', () => {
    const [a, b] = [dense(Int32Array.of(1, 2, 3)), dense(Float32Array.of(0.5), [1, 1])];
    const bytes = writeNpz({ a, b });
    expect(writeNpz({ b, a })).toEqual(bytes);
    // The date of each member, in its header: 1980-01-01, 00:00.
    expect([...bytes.subarray(10, 14)]).toEqual([0, 0, 0b00100001, 0]);
    expect(openNpz(bytes, 'a file').names).toEqual(['a', 'b']);
    expect(openNpz(bytes, 'a file').array('b')).toEqual(b);
  });

  test.skipIf(!numpy)('NumPy reads what is written (skipped where python3 has no NumPy)', () => {
    const folder = mkdtempSync(join(tmpdir(), 'gatescope-npz-'));
    try {
      const examples = fc.sample(arrays, { seed: 1, numRuns: 40 }).filter(({ data }) => Array.from<number>(data).every(Number.isFinite));
      writeFileSync(join(folder, 'a.npz'), writeNpz(Object.fromEntries(examples.map((array, i) => [`array ${i}`, array]))));
      const script = `import numpy, json
a = numpy.load('a.npz')
print(json.dumps([[a[f'array {i}'].dtype.name, list(a[f'array {i}'].shape), [float(v) for v in a[f'array {i}'].ravel()]] for i in range(len(a.files))]))`;
      const { stdout } = spawnSync('python3', ['-c', script], { cwd: folder, encoding: 'utf8' });
      const read = JSON.parse(stdout) as unknown;
      expect(read).toEqual(examples.map(({ dtype, shape, data }) => [dtype, shape, Array.from<number>(data)]));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('an array that is missing, and one that is of another kind but not asked for', () => {
    const archive = openNpz(bytesOf('arrays.npz'), 'digits.npz');
    expect(() => archive.array('x_train')).toThrow(/^digits.npz must hold an array x_train, got \[bytes, /);
    const mixed = writeNpz({ good: dense(Uint8Array.of(1)), other: dense(Float32Array.of(1)) });
    const at = Buffer.from(mixed).indexOf('<f4');
    mixed.set(Buffer.from('>f4'), at);
    expect(openNpz(mixed, 'a').array('good').data).toEqual(Uint8Array.of(1));
    expect(() => openNpz(mixed, 'a').array('other')).toThrow('a: other.npy must be undamaged, got "another checksum"');
  });

  test('an archive that unpacks to more than it may, or says it does', () => {
    const bytes = writeNpz({ a: dense(new Uint8Array(1000)) });
    expect(() => openNpz(bytes, 'a', 1000).array('a')).toThrow('a: a.npy must unpack to at most 1000 bytes, got 1128');
    const directory = Buffer.from(bytes).indexOf('PK\x01\x02');
    new DataView(bytes.buffer).setUint32(directory + 24, 2 ** 31 - 1, true);
    expect(() => openNpz(bytes, 'a').array('a')).toThrow('must unpack to what 1128 bytes can hold, got 2147483647');
  });

  test.each<[string, (bytes: Buffer, directory: number) => void, string]>([
    ['encrypted members', (bytes, at) => bytes.writeUInt16LE(1, at + 8), 'must not be encrypted'],
    ['another compression', (bytes, at) => bytes.writeUInt16LE(12, at + 10), 'compression must be 0 (stored) or 8 (deflated), got 12'],
    ['a member elsewhere', (bytes, at) => bytes.writeUInt32LE(5, at + 42), 'must be where the directory says'],
    ['a member beyond the end', (bytes, at) => bytes.writeUInt32LE(1 << 20, at + 20), 'must have the 1048576 bytes the directory says'],
    ['a directory elsewhere', (bytes) => bytes.writeUInt32LE(3, bytes.length - 6), 'directory must have its 2 entries'],
    ['more entries than there are', (bytes) => bytes.writeUInt16LE(3, bytes.length - 12), 'directory must have its 3 entries'],
    ['a name twice', (bytes, at) => bytes.write('b', bytes.indexOf('a.npy', at)), 'directory must name a member once, got "b.npy"'],
    ['a wrong length', (bytes, at) => bytes.writeUInt32LE(7, at + 24), 'must unpack to 7 bytes'],
    ['a stream that is none', (bytes, at) => bytes.fill(255, 35, 40).writeUInt16LE(8, at + 10), 'must be undamaged, got "Z_'],
  ])('refuses %s', (_name, change, message) => {
    const bytes = Buffer.from(writeNpz({ a: dense(Uint8Array.of(255)), b: dense(Uint8Array.of(2)) }));
    change(bytes, bytes.indexOf('PK\x01\x02'));
    const read = () => openNpz(bytes, 'a file').array('a');
    expect(read).toThrow(UserError);
    expect(read).toThrow(message);
  });
});
