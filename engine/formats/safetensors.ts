/**
 * Reader and writer for safetensors, the files models are exchanged in (https://github.com/huggingface/safetensors, "Format"): the length of a
 * header, the header as JSON (type, shape and place of each tensor), the numbers, little-endian and row-major.
 *
 * The header is read apart from the numbers, so that a file larger than memory can be read tensor by tensor. Halves and bfloat16 become float32,
 * 64-bit integers int32 where they fit; 8-bit floats and other types are refused by name. What the tensors mean is left to the models.
 */
import { z } from 'zod';
import { UserError } from '../base/errors.ts';
import { parseWith, wholeBetween } from '../base/schema.ts';
import { checkDense, int32From64, rawBytes, sizeOf, type DenseArray, type DenseNumbers, type DenseType } from './denseArray.ts';

/** The reference implementation takes no longer header either. */
const HEADER_LIMIT = 100_000_000;
const LENGTH_BYTES = 8;
const METADATA = '__metadata__';

interface StoredType {
  readonly bytes: number;
  read(raw: ArrayBuffer, place: string): DenseNumbers;
}

const readable: Readonly<Record<string, StoredType>> = {
  BOOL: { bytes: 1, read: (raw) => ({ dtype: 'bool', data: new Uint8Array(raw).map((value) => Number(value !== 0)) }) },
  U8: { bytes: 1, read: (raw) => ({ dtype: 'uint8', data: new Uint8Array(raw) }) },
  I32: { bytes: 4, read: (raw) => ({ dtype: 'int32', data: new Int32Array(raw) }) },
  I64: { bytes: 8, read: (raw, place) => ({ dtype: 'int32', data: int32From64(raw, true, place) }) },
  BF16: { bytes: 2, read: (raw) => ({ dtype: 'float32', data: fromBfloat16(new Uint16Array(raw)) }) },
  F16: { bytes: 2, read: (raw) => ({ dtype: 'float32', data: fromHalf(new Uint16Array(raw)) }) },
  F32: { bytes: 4, read: (raw) => ({ dtype: 'float32', data: new Float32Array(raw) }) },
  F64: { bytes: 8, read: (raw) => ({ dtype: 'float64', data: new Float64Array(raw) }) },
};

const written: Readonly<Record<DenseType, string>> = { bool: 'BOOL', uint8: 'U8', int32: 'I32', float32: 'F32', float64: 'F64' };

/** The reference writes wide numbers first, and so keeps each aligned. */
const ORDER: readonly DenseType[] = ['float64', 'float32', 'int32', 'uint8', 'bool'];

export interface TensorPlace {
  readonly dtype: string;
  readonly shape: readonly number[];
  /** From the beginning of the file. */
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  readonly tensors: ReadonlyMap<string, TensorPlace>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** How many bytes the header takes with its length, from the first eight. @throws UserError if a file of `size` bytes has no room for it */
export function safetensorsHeaderBytes(first: Uint8Array, size: number, place: string): number {
  if (first.length < LENGTH_BYTES || size < LENGTH_BYTES)
    throw new UserError(place, 'must begin with the length of a header, 8 bytes', `${Math.min(first.length, size)} bytes`);
  const length = Number(new DataView(first.buffer, first.byteOffset, LENGTH_BYTES).getBigUint64(0, true));
  const room = Math.min(HEADER_LIMIT, size - LENGTH_BYTES);
  if (length > room) throw new UserError(`${place}: header`, `must have at most ${room} bytes`, length);
  return LENGTH_BYTES + length;
}

const count = wholeBetween(0, Number.MAX_SAFE_INTEGER);
const entrySchema = z.strictObject(
  {
    dtype: z.string('must be a text'),
    shape: z.array(count, 'must be a list of integers'),
    data_offsets: z.tuple([count, count], 'must be two integers'),
  },
  'must be an object of dtype, shape and data_offsets',
);
const metadataSchema = z.record(z.string(), z.string('must be a text'), 'must be an object of texts');

/**
 * @param bytes at least the header, with its length @param size of the whole file
 * @throws UserError unless the tensors lie one beside the other, each as long as its shape says, and fill the file
 */
export function readSafetensorsHeader(bytes: Uint8Array, size: number, place: string): SafetensorsHeader {
  const begin = safetensorsHeaderBytes(bytes, size, place);
  if (bytes.length < begin) throw new UserError(`${place}: header`, `must have ${begin} bytes`, bytes.length);
  const header = parseJson(bytes.subarray(LENGTH_BYTES, begin), place);
  const tensors = new Map<string, TensorPlace>();
  for (const [name, value] of Object.entries(header)) {
    if (name === METADATA) continue;
    const at = `${place}: ${name}`;
    const { dtype, shape, data_offsets: offsets } = parseWith(entrySchema, at, value);
    const type = Object.hasOwn(readable, dtype) ? readable[dtype] : undefined;
    if (!type) throw new UserError(`${at}: dtype`, `must be one of ${Object.keys(readable).join(', ')}`, dtype);
    const expected = sizeOf(shape) * type.bytes;
    if (offsets[1] - offsets[0] !== expected)
      throw new UserError(`${at}: data_offsets`, `must be ${expected} bytes apart for shape [${shape.join(', ')}] of ${dtype}`, offsets);
    tensors.set(name, { dtype, shape, begin: begin + offsets[0], end: begin + offsets[1] });
  }
  checkCover(tensors, begin, size, place);
  const metadata = Object.hasOwn(header, METADATA) ? parseWith(metadataSchema, `${place}: ${METADATA}`, header[METADATA]) : {};
  return { tensors, metadata };
}

/** The numbers of one tensor from its bytes, those of the file from `begin` to `end`. */
export function readTensor({ dtype, shape, begin, end }: TensorPlace, bytes: Uint8Array, place: string): DenseArray {
  if (bytes.length !== end - begin) throw new UserError(place, `must have ${end - begin} bytes`, bytes.length);
  // A copy: tensors may begin anywhere, views of floats only at multiples of their size.
  return { ...readable[dtype].read(new Uint8Array(bytes).buffer, place), shape } as DenseArray;
}

/** All tensors of a file that is in memory, in the order of its header. @throws UserError naming what is wrong with it */
export function readSafetensors(
  bytes: Uint8Array,
  place: string,
): { tensors: Map<string, DenseArray>; metadata: Readonly<Record<string, string>> } {
  const { tensors, metadata } = readSafetensorsHeader(bytes, bytes.length, place);
  const read = [...tensors].map(
    ([name, tensor]) => [name, readTensor(tensor, bytes.subarray(tensor.begin, tensor.end), `${place}: ${name}`)] as const,
  );
  return { tensors: new Map(read), metadata };
}

/** The file of these tensors, byte for byte the same for the same content, and those the reference writes: by type, then by name. */
export function writeSafetensors(
  tensors: Readonly<Record<string, DenseArray>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const names = Object.keys(tensors).sort((a, b) => ORDER.indexOf(tensors[a].dtype) - ORDER.indexOf(tensors[b].dtype) || (a < b ? -1 : 1));
  const header: [string, unknown][] = [];
  if (Object.keys(metadata).length > 0)
    header.push([METADATA, Object.fromEntries(Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1)))]);
  let end = 0;
  for (const name of names) {
    if (name === METADATA) throw new UserError('writeSafetensors: name', `must not be ${METADATA}`, name);
    checkDense(`writeSafetensors: ${name}`, tensors[name]);
    const begin = end;
    end += rawBytes(tensors[name]).length;
    header.push([name, { dtype: written[tensors[name].dtype], shape: tensors[name].shape, data_offsets: [begin, end] }]);
  }
  // By hand, as objects put names that look like numbers first. Padded so that the widest numbers are aligned.
  const text = Buffer.from(`{${header.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`);
  const start = Math.ceil((LENGTH_BYTES + text.length) / 8) * 8;
  const bytes = new Uint8Array(start + end).fill(0x20, LENGTH_BYTES, start);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(start - LENGTH_BYTES), true);
  bytes.set(text, LENGTH_BYTES);
  let at = start;
  for (const name of names) {
    const raw = rawBytes(tensors[name]);
    bytes.set(raw, at);
    at += raw.length;
  }
  return bytes;
}

function parseJson(bytes: Uint8Array, place: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (bytes[0] === 0x7b) return value as Record<string, unknown>;
  } catch (error) {
    throw new UserError(`${place}: header`, 'must be JSON', (error as Error).message, { cause: error });
  }
  throw new UserError(`${place}: header`, 'must be a JSON object', `first byte ${bytes[0]}`);
}

/** The format allows neither overlaps nor holes: nothing may hide in a file, and nothing be read twice. */
function checkCover(tensors: ReadonlyMap<string, TensorPlace>, begin: number, size: number, place: string): void {
  let covered = begin;
  for (const [name, tensor] of [...tensors].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end)) {
    if (tensor.end > size)
      throw new UserError(`${place}: ${name}: data_offsets`, `must end within the ${size - begin} bytes of data`, tensor.end - begin);
    if (tensor.begin !== covered)
      throw new UserError(
        `${place}: ${name}: data_offsets`,
        `must begin where the tensor before it ends, at ${covered - begin}`,
        tensor.begin - begin,
      );
    covered = tensor.end;
  }
  if (covered !== size) throw new UserError(place, `must end with its last tensor, after ${covered} bytes`, `${size} bytes`);
}

/** A bfloat16 is the upper half of a float32. */
function fromBfloat16(codes: Uint16Array): Float32Array {
  const words = new Uint32Array(codes.length);
  for (let i = 0; i < codes.length; i++) words[i] = codes[i] << 16;
  return new Float32Array(words.buffer);
}

/** IEEE 754 binary16: sign, 5 bits of exponent (bias 15), 10 of fraction. Bits are moved rather than numbers, so that NaNs stay what they were. */
function fromHalf(codes: Uint16Array): Float32Array {
  const values = new Float32Array(codes.length);
  const words = new Uint32Array(values.buffer);
  for (let i = 0; i < codes.length; i++) {
    const sign = (codes[i] & 0x8000) << 16;
    const exponent = (codes[i] >> 10) & 0x1f;
    const fraction = codes[i] & 0x3ff;
    if (exponent === 0) {
      values[i] = fraction * 2 ** -24; // zero and the subnormal
      words[i] |= sign;
    } else words[i] = sign | ((exponent === 0x1f ? 0xff : exponent + 112) << 23) | (fraction << 13);
  }
  return values;
}
