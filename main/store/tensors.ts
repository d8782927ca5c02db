/** Arrays of a session, each stored once under its content's digest, in chunks small enough for SQLite and for memory. */
import { createHash } from 'node:crypto';
import type { Connection } from './connection.ts';
import { damaged, fileError } from './problems.ts';

/** Types by their names in safetensors. */
const types = {
  F32: Float32Array,
  F64: Float64Array,
  I8: Int8Array,
  I16: Int16Array,
  I32: Int32Array,
  I64: BigInt64Array,
  U8: Uint8Array,
  U16: Uint16Array,
  U32: Uint32Array,
  U64: BigUint64Array,
};
export type DType = keyof typeof types;
export type TypedArray = InstanceType<(typeof types)[DType]>;

export interface StoredTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TypedArray;
}

export const CHUNK_BYTES = 64 * 2 ** 20;
/** More than an array can hold, so that a file cannot ask for all memory. */
const MOST_BYTES = 2 ** 33;

/** @returns the name of an array's type, or undefined for one that has none */
export function dtypeOf(data: ArrayBufferView): DType | undefined {
  const tag = (data as Uint8Array)[Symbol.toStringTag] as string; // of a Buffer too: Uint8Array
  return (Object.keys(types) as DType[]).find((dtype) => types[dtype].name === tag);
}

/** The bytes of a view, no more: what arrives by message may lie anywhere in the buffer of the whole message. */
export const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array => new Uint8Array(buffer, byteOffset, byteLength);

export function tensorDigest(data: TypedArray, shape: readonly number[]): string {
  return createHash('sha256')
    .update(`${dtypeOf(data)} ${JSON.stringify(shape)}\n`)
    .update(bytesOf(data))
    .digest('hex');
}

/** Stores what is not there yet. @param shape of all its elements; a list of them unless given @returns its digest */
export function putTensor(connection: Connection, data: TypedArray, shape: readonly number[] = [data.length]): string {
  const size = shape.reduce((a, b) => a * b, 1);
  if (size !== data.length) throw new TypeError(`putTensor: a shape ${shape.join(' x ')} must hold ${data.length} elements`);
  const digest = tensorDigest(data, shape);
  if (hasTensor(connection, digest)) return digest;
  const bytes = bytesOf(data);
  connection.transaction(() => {
    const values = [digest, dtypeOf(data)!, JSON.stringify(shape), bytes.length];
    connection.run('INSERT INTO tensors (digest, dtype, shape, bytes) VALUES (?, ?, ?, ?)', ...values);
    eachChunk(bytes, (position, content) =>
      connection.run('INSERT INTO tensor_chunks (tensor, position, content) VALUES (?, ?, ?)', digest, position, content),
    );
  });
  return digest;
}

export function hasTensor(connection: Connection, digest: string): boolean {
  return connection.get('SELECT 1 FROM tensors WHERE digest = ?', digest) !== undefined;
}

/** @throws UserError if it is not in the file; DamagedSession if its bytes are not those its digest stands for */
export function getTensor(connection: Connection, digest: string): StoredTensor {
  const { path } = connection;
  const row = connection.get<{ dtype: string; shape: string; bytes: number }>(
    'SELECT dtype, shape, bytes FROM tensors WHERE digest = ?',
    digest,
  );
  if (!row) throw fileError(`must hold the array ${digest.slice(0, 12)} (a copy made for sharing has no weights)`, path);
  const what = `array ${digest.slice(0, 12)}`;
  const type = Object.hasOwn(types, row.dtype) ? types[row.dtype as DType] : undefined;
  const shape = shapeOf(row.shape);
  if (!type || !shape) throw damaged(`${what} is of no known type and shape`, path);
  const size = shape.reduce((a, b) => a * b, 1);
  if (row.bytes !== size * type.BYTES_PER_ELEMENT) throw damaged(`${what} must have ${size} elements`, path);
  const read = 'FROM tensor_chunks WHERE tensor = ?';
  const bytes = joinChunks(connection, read, digest, row.bytes);
  if (!bytes) throw damaged(`${what} lacks a part`, path);
  const data = new type(bytes.buffer);
  if (tensorDigest(data, shape) !== digest) throw damaged(`the bytes of ${what} are not its own`, path);
  return { dtype: row.dtype as DType, shape, data };
}

function shapeOf(text: string): number[] | undefined {
  if (!/^\[(\d+(,\d+)*)?\]$/.test(text)) return undefined;
  return JSON.parse(text) as number[];
}

/** Hands over bytes in pieces that SQLite takes; at least one, so that nothing at all is told from a loss. */
export function eachChunk(bytes: Uint8Array, store: (position: number, content: Uint8Array) => void): void {
  for (let position = 0; position === 0 || position * CHUNK_BYTES < bytes.length; position++)
    store(position, bytes.subarray(position * CHUNK_BYTES, (position + 1) * CHUNK_BYTES));
}

/** @param source `FROM … WHERE …` of a table of chunks @returns undefined unless they are as many bytes as expected */
export function joinChunks(connection: Connection, source: string, key: string, expected: number): Uint8Array<ArrayBuffer> | undefined {
  const found = connection.get<{ bytes: number | null; chunks: number }>(
    `SELECT sum(length(content)) AS bytes, count(*) AS chunks ${source}`,
    key,
  )!;
  if (found.bytes !== expected || !(expected >= 0 && expected <= MOST_BYTES)) return undefined;
  const bytes = new Uint8Array(expected);
  let at = 0;
  for (let position = 0; position < found.chunks; position++) {
    const chunk = connection.get<{ content: Uint8Array }>(`SELECT content ${source} AND position = ?`, key, position);
    if (!chunk) return undefined;
    bytes.set(chunk.content, at);
    at += chunk.content.length;
  }
  return bytes;
}
