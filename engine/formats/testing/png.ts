/** PNG files put together from their parts, as the specification has them, for what no fixture shows. */
import { crc32, deflateSync } from 'node:zlib';

/** IHDR of these fields, the chunks given, IEND, each with its checksum. */
export function png(
  width: number,
  height: number,
  depth: number,
  colourType: number,
  interlace: number,
  chunks: readonly (readonly [string, Uint8Array])[],
): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width);
  header.writeUInt32BE(height, 4);
  header.set([depth, colourType, 0, 0, interlace], 8);
  const pieces = [['IHDR', header] as const, ...chunks, ['IEND', Buffer.alloc(0)] as const].map(([name, data]) => {
    const chunk = Buffer.alloc(12 + data.length);
    chunk.writeUInt32BE(data.length);
    chunk.write(name, 4, 'latin1');
    chunk.set(data, 8);
    chunk.writeUInt32BE(crc32(chunk.subarray(4, -4)), 8 + data.length);
    return chunk;
  });
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), ...pieces]);
}

/** A picture of 8 bits a sample, not filtered. @param channels 1 for grey, 3 for red, green and blue */
export function picture(width: number, height: number, samples: Uint8Array, channels: 1 | 3 = 1): Buffer {
  const bytes = width * channels;
  const rows = Array.from({ length: height }, (_entry, row) => [Buffer.of(0), samples.subarray(row * bytes, (row + 1) * bytes)]);
  return png(width, height, 8, channels === 1 ? 0 : 2, 0, [['IDAT', deflateSync(Buffer.concat(rows.flat()))]]);
}

/** The same bytes with the checksum of every chunk put right as far as chunks can be told apart, so that damage gets past them. */
export function withChecksums(bytes: Uint8Array): Buffer {
  const copy = Buffer.from(bytes);
  for (let at = 8; at + 12 <= copy.length;) {
    const end = at + 8 + copy.readUInt32BE(at);
    if (end + 4 > copy.length) break;
    copy.writeUInt32BE(crc32(copy.subarray(at + 4, end)), end);
    at = end + 4;
  }
  return copy;
}
