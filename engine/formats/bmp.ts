/**
 * Reader for Windows bitmaps (Microsoft, "Bitmap Storage") without compression: 1, 4 and 8 bits with a palette, 24 and 32 bits.
 *
 * Own code: the package that reads them takes the numbers of a palette's colours for greys.
 */
import { UserError } from '../base/errors.ts';
import { checkSize, lookUp, unpackBits, type Raster } from './raster.ts';

export const BMP_SIGNATURE = Buffer.from('BM');

const FILE_HEADER = 14;
const INFO_HEADER = 40;
const PLAIN = 0;
const BIT_FIELDS = 3;
/** Where red, green and blue are in a pixel of 32 bits. */
const MASKS = [0xff0000, 0xff00, 0xff];

/** @throws UserError naming what is wrong with the file */
export function decodeBmp(bytes: Uint8Array, place: string): Raster {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headers = FILE_HEADER + INFO_HEADER;
  if (bytes.length < headers) throw new UserError(place, `must have headers of ${headers} bytes`, `${bytes.length} bytes`);
  const infoBytes = view.getUint32(14, true);
  if (infoBytes < INFO_HEADER) throw new UserError(`${place}: header`, `must have at least ${INFO_HEADER} bytes`, infoBytes);
  const [width, signedHeight] = [view.getInt32(18, true), view.getInt32(22, true)];
  const height = Math.abs(signedHeight);
  checkSize(place, height, width);
  const bits = view.getUint16(28, true);
  if (![1, 4, 8, 24, 32].includes(bits)) throw new UserError(`${place}: bits a pixel`, 'must be 1, 4, 8, 24 or 32', bits);
  const compression = view.getUint32(30, true);
  if (compression !== PLAIN && !(compression === BIT_FIELDS && bits === 32))
    throw new UserError(`${place}: compression`, 'must be 0 (none), or 3 (bit fields) at 32 bits', compression);
  if (compression === BIT_FIELDS) checkMasks(view, place);
  const begin = view.getUint32(10, true);
  const rowBytes = Math.ceil((width * bits) / 32) * 4;
  if (begin + rowBytes * height > bytes.length)
    throw new UserError(place, `must hold ${rowBytes * height} bytes of pixels from byte ${begin}`, `${bytes.length} bytes (truncated)`);
  // Stored from the bottom up, unless the height is negative.
  const rows = Array.from({ length: height }, (_entry, row) => begin + rowBytes * (signedHeight < 0 ? row : height - 1 - row));
  const stored = Buffer.concat(rows.map((at) => bytes.subarray(at, at + rowBytes)));
  const shape = { height, width, colours: 3, maximum: 255 } as const;
  if (bits <= 8) {
    const indices = unpackBits(stored, height, width, bits, rowBytes);
    return { ...shape, channels: 3, alpha: false, data: lookUp(place, indices, palette(bytes, view, infoBytes, bits, place), 3) };
  }
  // The last byte of a pixel of 32 bits is opacity only where the header says so.
  const alpha = compression === BIT_FIELDS && infoBytes >= 56 && view.getUint32(66, true) === 0xff000000;
  const [channels, step] = [alpha ? 4 : 3, bits / 8];
  const data = new Uint8Array(height * width * channels);
  for (let row = 0, to = 0; row < height; row++)
    for (let column = 0; column < width; column++, to += channels) {
      const at = row * rowBytes + column * step;
      [data[to], data[to + 1], data[to + 2]] = [stored[at + 2], stored[at + 1], stored[at]];
      if (alpha) data[to + 3] = stored[at + 3];
    }
  return { ...shape, channels, alpha, data };
}

function checkMasks(view: DataView, place: string): void {
  if (view.byteLength < 70) throw new UserError(`${place}: header`, 'must hold the masks of its colours', `${view.byteLength} bytes`);
  const masks = [54, 58, 62].map((at) => view.getUint32(at, true));
  if (masks.some((mask, i) => mask !== MASKS[i])) throw new UserError(`${place}: masks`, `must be ${MASKS.join(', ')}`, masks);
}

/** [colours, 3]: red, green, blue; blue comes first in the file. */
function palette(bytes: Uint8Array, view: DataView, infoBytes: number, bits: number, place: string): Uint8Array {
  const used = view.getUint32(46, true) || 2 ** bits;
  const begin = FILE_HEADER + infoBytes;
  if (used > 2 ** bits || begin + 4 * used > bytes.length)
    throw new UserError(`${place}: palette`, `must be of at most ${2 ** bits} colours within the file`, used);
  return Uint8Array.from({ length: 3 * used }, (_entry, i) => bytes[begin + 4 * Math.floor(i / 3) + 2 - (i % 3)]);
}
