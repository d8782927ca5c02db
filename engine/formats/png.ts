/**
 * Reader for PNG (W3C, Portable Network Graphics, third edition): every colour type and depth, interlaced ones from 8 bits on.
 *
 * fast-png undoes filters and interlacing. Checked here, since it does not: checksums, how much the data unpack to, samples of less than a byte,
 * transparent colours. Its animated images, colour profiles and texts are left aside.
 */
import { crc32, inflateSync } from 'node:zlib';
import { UserError } from '../base/errors.ts';
import { checkSize, decodeWith, lookUp, unpackBits, type Raster } from './raster.ts';

export const PNG_SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');

const KEPT = new Set(['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND']);
const PALETTE = 3;
/** Samples a pixel by colour type. */
const CHANNELS = new Map([
  [0, 1],
  [2, 3],
  [PALETTE, 1],
  [4, 2],
  [6, 4],
]);
/** Adam7: first column and row, steps between columns and rows. */
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/** @throws UserError naming what is wrong with the file */
export async function decodePng(bytes: Uint8Array, place: string): Promise<Raster> {
  const { decode } = await import('fast-png');
  const { file, data, header } = essential(bytes, place);
  const { width, height, depth, type, channels, interlaced } = header;
  const expected = unpackedBytes(header);
  const unpacked = decodeWith(place, 'must be a whole PNG image', () => inflateSync(data, { maxOutputLength: expected + 1 }));
  if (unpacked.length !== expected) throw new UserError(`${place}: data`, `must unpack to ${expected} bytes`, unpacked.length);
  if (interlaced && depth < 8) throw new UserError(`${place}: depth`, 'must be 8 or 16 bits where the image is interlaced', depth);
  const png = decodeWith(place, 'must be a whole PNG image', () => decode(file));
  const samples = depth < 8 ? unpackBits(png.data as Uint8Array, height, width, depth, Math.ceil((width * depth) / 8)) : png.data;
  if (type === PALETTE) {
    const palette = png.palette ?? [];
    const table = Uint8Array.from(palette.flatMap(([red, green, blue, opacity = 255]) => [red, green, blue, opacity]));
    return { height, width, channels: 4, colours: 3, alpha: true, maximum: 255, data: lookUp(place, samples as Uint8Array, table, 4) };
  }
  const maximum = 2 ** depth - 1;
  const colours = channels < 3 ? 1 : 3;
  if (png.transparency)
    return { height, width, channels: colours + 1, colours, alpha: true, maximum, data: opaque(samples, png.transparency, maximum) };
  return { height, width, channels, colours, alpha: channels > colours, maximum, data: samples as Uint8Array | Uint16Array };
}

interface Header {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly type: number;
  readonly channels: number;
  readonly interlaced: boolean;
}

/** The file without what does not show, and its compressed data in one piece. */
function essential(bytes: Uint8Array, place: string): { file: Uint8Array; data: Uint8Array; header: Header } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const pieces: Uint8Array[] = [PNG_SIGNATURE];
  const data: Uint8Array[] = [];
  let header: Header | undefined;
  for (let at = PNG_SIGNATURE.length, type = ''; type !== 'IEND';) {
    const length = at + 12 <= bytes.length ? view.getUint32(at) : Infinity;
    const end = at + 12 + length;
    if (end > bytes.length) throw new UserError(place, 'must be a whole PNG image', `${bytes.length} bytes (truncated)`);
    type = Buffer.from(bytes.subarray(at + 4, at + 8)).toString('latin1');
    if (!header && (type !== 'IHDR' || length !== 13)) throw new UserError(place, 'must begin with an IHDR chunk of 13 bytes', type);
    if (KEPT.has(type)) {
      if (crc32(bytes.subarray(at + 4, end - 4)) !== view.getUint32(end - 4))
        throw new UserError(`${place}: ${type}`, 'must be undamaged', 'another checksum');
      if (type !== 'IHDR') pieces.push(bytes.subarray(at, end));
      else if (header) throw new UserError(place, 'must have one IHDR chunk', 'another');
      else {
        header = readHeader(view, at + 8, place);
        pieces.push(bytes.subarray(at, end));
      }
      if (type === 'IDAT') data.push(bytes.subarray(at + 8, end - 4));
    }
    at = end;
  }
  if (!header) throw new UserError(place, 'must have an IHDR chunk', 'none');
  return { file: Buffer.concat(pieces), data: Buffer.concat(data), header };
}

function readHeader(view: DataView, at: number, place: string): Header {
  const [width, height] = [view.getUint32(at), view.getUint32(at + 4)];
  const [depth, type, , , interlace] = Array.from({ length: 5 }, (_entry, i) => view.getUint8(at + 8 + i));
  checkSize(place, height, width);
  const channels = CHANNELS.get(type);
  if (channels === undefined) throw new UserError(`${place}: colour type`, 'must be 0, 2, 3, 4 or 6', type);
  const depths = type === 0 ? [1, 2, 4, 8, 16] : type === PALETTE ? [1, 2, 4, 8] : [8, 16];
  if (!depths.includes(depth)) throw new UserError(`${place}: depth`, `must be one of ${depths.join(', ')} bits`, depth);
  if (interlace > 1) throw new UserError(`${place}: interlacing`, 'must be 0 or 1', interlace);
  return { width, height, depth, type, channels, interlaced: interlace === 1 };
}

/** Rows of a byte for the filter and the samples, of the image or of each pass over it. */
function unpackedBytes({ width, height, depth, channels, interlaced }: Header): number {
  const of = (columns: number, rows: number) => (columns > 0 ? rows * (1 + Math.ceil((columns * channels * depth) / 8)) : 0);
  if (!interlaced) return of(width, height);
  return PASSES.reduce((sum, [x, y, dx, dy]) => sum + of(Math.ceil((width - x) / dx), Math.ceil((height - y) / dy)), 0);
}

/** With an opacity added to each pixel: none for the one colour that is transparent. */
function opaque(samples: ArrayLike<number>, transparent: Uint16Array, maximum: number): Uint16Array {
  const colours = transparent.length;
  const data = new Uint16Array((samples.length / colours) * (colours + 1));
  for (let from = 0, to = 0; from < samples.length; from += colours, to += colours + 1) {
    for (let channel = 0; channel < colours; channel++) data[to + channel] = samples[from + channel];
    data[to + colours] = transparent.every((value, channel) => samples[from + channel] === value) ? 0 : maximum;
  }
  return data;
}
