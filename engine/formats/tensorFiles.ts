/**
 * Weights that stay on disk until they are asked for: one safetensors file, or the shards that `model.safetensors.index.json` names.
 *
 * Opening reads headers only. A tensor is read in pieces of at most 64 MiB at positions of their own (Node aborts on reads of 2 GiB) and comes as
 * float32, turned over where asked. What the tensors are called and mean is left to the loaders of models.
 */
import { open, stat, type FileHandle } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { throwIfCancelled, UserError } from '../base/errors.ts';
import { parseWith } from '../base/schema.ts';
import { sizeOf } from './denseArray.ts';
import { jsonFile } from './jsonFile.ts';
import { readSafetensorsHeader, readTensor, safetensorsHeaderBytes, type TensorPlace } from './safetensors.ts';

/** The most bytes read at once. */
export const PIECE = 64 * 2 ** 20;
const INDEX_LIMIT = 64 * 2 ** 20;
const SHARD_LIMIT = 1000;

export interface StoredTensor extends TensorPlace {
  readonly path: string;
}

/** By name, in the order of the headers. Nothing is held open. */
export type StoredTensors = ReadonlyMap<string, StoredTensor>;

/** The tensors of one file. @throws UserError naming what is wrong with its header */
export async function openTensorFile(path: string, place: string): Promise<StoredTensors> {
  const { file, size } = await openFile(path, place);
  try {
    const length = safetensorsHeaderBytes(await readAt(file, 0, Math.min(8, size), place), size, place);
    const { tensors } = readSafetensorsHeader(await readAt(file, 0, length, place), size, place);
    return new Map([...tensors].map(([name, tensor]) => [name, { ...tensor, path }]));
  } finally {
    await file.close();
  }
}

const indexSchema = z.object(
  { weight_map: z.record(z.string(), z.string('must be a text'), 'must be an object of texts') },
  'must be an object with a weight_map',
);

/** Which shard holds which tensor. @throws UserError for an index that is none, or that names files outside its folder */
export function readIndex(value: unknown, place: string): ReadonlyMap<string, string> {
  const { weight_map: map } = parseWith(indexSchema, place, value);
  const entries = Object.entries(map);
  for (const [tensor, file] of entries)
    if (basename(file) !== file || /[\\/:\0]/.test(file) || !file.endsWith('.safetensors'))
      throw new UserError(`${place}: weight_map.${tensor}`, 'must name a safetensors file beside the index', file);
  const shards = new Set(entries.map(([, file]) => file)).size;
  if (shards < 1 || shards > SHARD_LIMIT) throw new UserError(`${place}: weight_map`, `must name 1 to ${SHARD_LIMIT} files`, shards);
  return new Map(entries);
}

/** The tensors of all shards of an index. @throws UserError also if a shard has not what the index says */
export async function openShards(folder: string, index: string, place: string): Promise<StoredTensors> {
  const map = readIndex(jsonFile(join(folder, index), `${place}: ${index}`, INDEX_LIMIT), `${place}: ${index}`);
  const shards = new Map<string, StoredTensors>();
  for (const file of map.values()) if (!shards.has(file)) shards.set(file, await openTensorFile(join(folder, file), `${place}: ${file}`));
  const tensors = new Map<string, StoredTensor>();
  for (const [name, file] of map) {
    const tensor = shards.get(file)?.get(name);
    if (!tensor) throw new UserError(`${place}: ${file}`, 'must hold what the index says', name);
    tensors.set(name, tensor);
  }
  for (const [file, held] of shards)
    for (const name of held.keys())
      if (!map.has(name))
        throw new UserError(`${place}: ${index}: weight_map`, 'must name every tensor of its files', `${name} of ${file}`);
  return tensors;
}

const FLOATS: readonly string[] = ['F32', 'F16', 'BF16'];

/** @throws UserError unless these are numbers {@link readFloats} reads: others are quantised or no weights */
export function requireFloats({ dtype }: TensorPlace, place: string): void {
  if (!FLOATS.includes(dtype)) throw new UserError(`${place}: dtype`, `must be one of ${FLOATS.join(', ')}`, dtype);
}

export interface ReadOptions {
  /** A matrix [rows, columns] comes as [columns, rows]. */
  readonly transpose?: boolean;
  readonly signal?: AbortSignal | undefined;
  /** The most bytes at once; for tests. */
  readonly piece?: number;
}

/** The numbers of one tensor as float32, row-major. @throws UserError for a type that is no float, for NaNs and infinities, for a file that shrank */
export async function readFloats(tensor: StoredTensor, place: string, { transpose, signal, piece = PIECE }: ReadOptions = {}) {
  requireFloats(tensor, place);
  const { dtype, shape, begin } = tensor;
  if (transpose && shape.length !== 2) throw new UserError(place, 'must be a matrix', shape);
  const values = new Float32Array(sizeOf(shape));
  // Whole rows at a time: a piece can then be turned over on its own.
  const columns = shape.at(-1) ?? 1;
  const rows = columns === 0 ? 0 : values.length / columns;
  const rowBytes = columns * (dtype === 'F32' ? 4 : 2);
  const rowsAtOnce = Math.max(1, Math.floor(piece / Math.max(1, rowBytes)));
  const { file } = await openFile(tensor.path, place);
  try {
    for (let row = 0; row < rows; row += rowsAtOnce) {
      throwIfCancelled(signal);
      const count = Math.min(rowsAtOnce, rows - row);
      const from = begin + row * rowBytes;
      const bytes = await readAt(file, from, count * rowBytes, place);
      const numbers = readTensor({ dtype, shape: [count, columns], begin: from, end: from + bytes.length }, bytes, place).data;
      const wrong = numbers.findIndex((value) => !Number.isFinite(value));
      if (wrong >= 0) throw new UserError(`${place}: entry ${row * columns + wrong}`, 'must be a finite number', numbers[wrong]);
      if (transpose) turn(numbers as Float32Array, count, columns, values, row, rows);
      else values.set(numbers, row * columns);
    }
  } finally {
    await file.close();
  }
  return values;
}

/** Column `first + r` of the target becomes row r of the piece; by blocks that stay in the cache. */
function turn(piece: Float32Array, rows: number, columns: number, target: Float32Array, first: number, stride: number): void {
  const BLOCK = 32;
  for (let r0 = 0; r0 < rows; r0 += BLOCK)
    for (let c0 = 0; c0 < columns; c0 += BLOCK)
      for (let c = c0; c < Math.min(columns, c0 + BLOCK); c++)
        for (let r = r0; r < Math.min(rows, r0 + BLOCK); r++) target[c * stride + first + r] = piece[r * columns + c];
}

async function openFile(path: string, place: string): Promise<{ file: FileHandle; size: number }> {
  try {
    // Asked first: opening a pipe would not end.
    const status = await stat(path);
    if (!status.isFile()) throw new UserError(place, 'must be a file', status.isDirectory() ? 'a directory' : 'a special file');
    return { file: await open(path, 'r'), size: status.size };
  } catch (error) {
    if (error instanceof UserError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    if (code === 'ENOENT') throw new UserError(place, 'must exist', 'no such file', { cause: error });
    throw new UserError(place, 'must be readable', code, { cause: error });
  }
}

async function readAt(file: FileHandle, position: number, length: number, place: string): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length;) {
    const { bytesRead } = await file.read(bytes, done, Math.min(PIECE, length - done), position + done);
    if (bytesRead === 0) throw new UserError(place, `must have ${position + length} bytes while it is read`, position + done);
    done += bytesRead;
  }
  return bytes;
}
