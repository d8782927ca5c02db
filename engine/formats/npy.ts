/**
 * Reader and writer for npy, NumPy's file of one array (NumPy Enhancement Proposal 1 and numpy/lib/format.py): a magic string, a version, a
 * Python dictionary of type, order and shape as text, the numbers.
 *
 * Reads versions 1 to 3, little-endian booleans, integers and float32/64, in either order; writes version 1 in row-major order, the bytes
 * depending on the content alone. Objects, text, structures and big-endian numbers are refused.
 */
import { UserError } from '../base/errors.ts';
import {
  checkDense,
  int32From64,
  int32FromUnsigned,
  rawBytes,
  sizeOf,
  type DenseArray,
  type DenseNumbers,
  type DenseType,
} from './denseArray.ts';

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY

/** NumPy's own reader refuses longer headers too. */
const HEADER_LIMIT = 10_000;
/** NumPy's arrays have no more dimensions. */
const RANK_LIMIT = 64;

interface StoredType {
  readonly bytes: number;
  read(raw: ArrayBuffer, place: string): DenseNumbers;
}

const readable: Readonly<Record<string, StoredType>> = {
  '|b1': { bytes: 1, read: (raw) => ({ dtype: 'bool', data: new Uint8Array(raw).map((value) => Number(value !== 0)) }) },
  '|u1': { bytes: 1, read: (raw) => ({ dtype: 'uint8', data: new Uint8Array(raw) }) },
  '|i1': { bytes: 1, read: (raw) => ({ dtype: 'int32', data: new Int32Array(new Int8Array(raw)) }) },
  '<u2': { bytes: 2, read: (raw) => ({ dtype: 'int32', data: new Int32Array(new Uint16Array(raw)) }) },
  '<i2': { bytes: 2, read: (raw) => ({ dtype: 'int32', data: new Int32Array(new Int16Array(raw)) }) },
  '<u4': { bytes: 4, read: (raw, place) => ({ dtype: 'int32', data: int32FromUnsigned(new Uint32Array(raw), place) }) },
  '<i4': { bytes: 4, read: (raw) => ({ dtype: 'int32', data: new Int32Array(raw) }) },
  '<u8': { bytes: 8, read: (raw, place) => ({ dtype: 'int32', data: int32From64(raw, false, place) }) },
  '<i8': { bytes: 8, read: (raw, place) => ({ dtype: 'int32', data: int32From64(raw, true, place) }) },
  '<f4': { bytes: 4, read: (raw) => ({ dtype: 'float32', data: new Float32Array(raw) }) },
  '<f8': { bytes: 8, read: (raw) => ({ dtype: 'float64', data: new Float64Array(raw) }) },
};

const written: Readonly<Record<DenseType, string>> = { bool: '|b1', uint8: '|u1', int32: '<i4', float32: '<f4', float64: '<f8' };

/** @param place of the bytes, for messages, e.g. `digits.npz: x_train` @throws UserError naming the rule and the value if this is not a whole npy file */
export function readNpy(bytes: Uint8Array, place: string): DenseArray {
  const { header, begin } = headerOf(bytes, place);
  const { descr, fortran, shape } = parseHeader(header, place);
  const type = Object.hasOwn(readable, descr) ? readable[descr] : undefined;
  if (!type) throw new UserError(`${place}: type`, `must be one of ${Object.keys(readable).join(', ')}`, descr);
  const size = sizeOf(shape);
  if (bytes.length - begin !== size * type.bytes)
    throw new UserError(
      place,
      `must hold ${shape.join(' x ') || 'one'} number(s) of ${type.bytes} byte(s)`,
      `${bytes.length - begin} bytes`,
    );
  const stored = type.read(new Uint8Array(bytes.subarray(begin)).buffer, place);
  const data = fortran && shape.length > 1 ? rowMajor(stored.data, shape) : stored.data;
  return { dtype: stored.dtype, data, shape } as DenseArray;
}

/** The array as an npy file, byte for byte the same for the same content. */
export function writeNpy(array: DenseArray): Uint8Array<ArrayBuffer> {
  checkDense('writeNpy', array);
  const { shape, dtype } = array;
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const text = `{'descr': '${written[dtype]}', 'fortran_order': False, 'shape': ${tuple}, }`;
  // The numbers begin at a multiple of 64, so that they can be mapped into memory.
  const begin = Math.ceil((MAGIC.length + 4 + text.length + 1) / 64) * 64;
  const raw = rawBytes(array);
  const bytes = new Uint8Array(begin + raw.length);
  bytes.set([...MAGIC, 1, 0]);
  new DataView(bytes.buffer).setUint16(MAGIC.length + 2, begin - MAGIC.length - 4, true);
  bytes.set(Buffer.from(`${text.padEnd(begin - MAGIC.length - 5)}\n`, 'latin1'), MAGIC.length + 4);
  bytes.set(raw, begin);
  return bytes;
}

function headerOf(bytes: Uint8Array, place: string): { header: string; begin: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || MAGIC.some((byte, i) => bytes[i] !== byte))
    throw new UserError(place, 'must be an npy array, which begins with \\x93NUMPY', hexadecimal(bytes.subarray(0, 6)));
  const major = bytes[6];
  if (major < 1 || major > 3) throw new UserError(`${place}: version`, 'must be 1, 2 or 3', major);
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  const start = major === 1 ? 10 : 12;
  if (length > HEADER_LIMIT) throw new UserError(`${place}: header`, `must have at most ${HEADER_LIMIT} bytes`, length);
  if (start + length > bytes.length)
    throw new UserError(`${place}: header`, `must have the ${length} bytes it says`, `${bytes.length - start} bytes`);
  return { header: Buffer.from(bytes.subarray(start, start + length)).toString('latin1'), begin: start + length };
}

/** One entry of the dictionary: a key, and a text, a truth value or a tuple of integers (with the L of Python 2). */
const ENTRY =
  /\s*(['"])(descr|fortran_order|shape)\1\s*:\s*(?:(['"])([^'"\\]*)\3|(True|False)|\(\s*((?:\d+L?\s*,\s*)*(?:\d+L?)?)\s*\))\s*(?:,|(?=\}))/y;

function entryAt(text: string, begin: number): RegExpExecArray | null {
  ENTRY.lastIndex = begin;
  return ENTRY.exec(text);
}

function parseHeader(header: string, place: string): { descr: string; fortran: boolean; shape: number[] } {
  const wrong = () =>
    new UserError(
      `${place}: header`,
      "must be {'descr': a type, 'fortran_order': True or False, 'shape': a tuple of integers}",
      header.trim(),
    );
  const text = header.trim();
  const values = new Map<string, string | undefined>();
  let end = 1;
  for (let found = entryAt(text, end); found; found = entryAt(text, end)) {
    const [entry, , key, , descr, truth, tuple] = found;
    if (values.has(key)) throw wrong();
    values.set(key, { descr, fortran_order: truth, shape: tuple }[key]);
    end += entry.length;
  }
  const [descr, truth, tuple] = ['descr', 'fortran_order', 'shape'].map((key) => values.get(key));
  const whole = text.startsWith('{') && text.slice(end).trim() === '}';
  if (!whole || descr === undefined || truth === undefined || tuple === undefined) throw wrong();
  const shape = [...tuple.matchAll(/\d+/g)].map(([digits]) => Number(digits));
  // `(3)` is a number in Python, not a tuple.
  if (shape.length === 1 && !tuple.includes(',')) throw wrong();
  if (shape.length > RANK_LIMIT || !shape.every(Number.isSafeInteger))
    throw new UserError(`${place}: shape`, `must be of at most ${RANK_LIMIT} integers below 2^53`, tuple);
  return { descr, fortran: truth === 'True', shape };
}

/** From column-major order: the first axis runs fastest in `data`, the last one in what is returned. */
function rowMajor<Numbers extends DenseArray['data']>(data: Numbers, shape: readonly number[]): Numbers {
  const turned = data.slice() as Numbers;
  const strides = shape.map((_extent, axis) => sizeOf(shape.slice(0, axis)));
  const index = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < turned.length; to++) {
    turned[to] = data[from];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis];
      if (++index[axis] < shape[axis]) break;
      from -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return turned;
}

function hexadecimal(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
