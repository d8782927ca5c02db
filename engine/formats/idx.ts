/**
 * Reader for idx files, the format MNIST and its descendants are published in (Y. LeCun, C. Cortes, C. Burges, "The MNIST database"):
 * a big-endian header (magic number, then the size of each dimension) and the values, here always unsigned bytes.
 *
 * Reads labels (magic 0x00000801, one dimension) and images (magic 0x00000803, three), plain or gzipped, told apart by content.
 * What the values mean is left to the tasks.
 */
import { gunzipSync } from 'node:zlib';
import { UserError } from '../base/errors.ts';
import { fileBytes } from './fileBytes.ts';

/** An array of bytes in row-major order: `data.length` is the product of `dims`. */
export type IdxArray = { dims: number[]; data: Uint8Array };

const MAGIC_DIMENSIONS = new Map([
  [0x00000801, 1],
  [0x00000803, 3],
]);

/** A gzipped file may not unpack to more than this: ten times the largest data set of the family. */
const UNPACKED_LIMIT = 2 ** 29;

/**
 * Reads one idx file of unsigned bytes. `data` is a view of the file's bytes, not a copy.
 * @throws UserError naming the file, the rule and the value if the file is missing, unreadable, not a file, not idx, or longer or shorter than it says
 */
export function readIdx(path: string): IdxArray {
  const field = `readIdx: ${path}`;
  return parseIdx(fileBytes(path, field), field);
}

/** The same of bytes at hand. @param field who complains and of what, for messages */
export function parseIdx(packed: Uint8Array, field: string): IdxArray {
  const bytes = unpack(packed, field);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4) throw new UserError(field, 'must begin with a magic number of 4 bytes', `${bytes.length} bytes`);
  const magic = view.getUint32(0);
  const rank = MAGIC_DIMENSIONS.get(magic);
  if (rank === undefined) {
    throw new UserError(
      field,
      'must begin with the magic number 0x00000801 (labels) or 0x00000803 (images)',
      `0x${magic.toString(16).padStart(8, '0')}`,
    );
  }
  const header = 4 + 4 * rank;
  if (bytes.length < header) throw new UserError(field, `must have a header of ${header} bytes`, `${bytes.length} bytes`);
  const dims = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const size = dims.reduce((product, extent) => product * extent, 1);
  const held = bytes.length - header;
  if (held !== size) {
    const fault = held < size ? 'truncated' : `${held - size} trailing`;
    throw new UserError(field, `must hold ${dims.join(' x ')} = ${size} bytes after its header`, `${held} bytes (${fault})`);
  }
  return { dims, data: bytes.subarray(header) };
}

/** The bytes themselves, or what they unpack to where they begin with the mark of gzip. */
function unpack(bytes: Uint8Array, field: string): Uint8Array {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: UNPACKED_LIMIT });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ERR_BUFFER_TOO_LARGE')
      throw new UserError(field, `must unpack to at most ${UNPACKED_LIMIT} bytes`, 'more', { cause: error });
    throw new UserError(field, 'must be a whole gzip file', code ?? String(error), { cause: error });
  }
}
