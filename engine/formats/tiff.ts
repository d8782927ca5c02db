/**
 * Reader for TIFF (Adobe, TIFF 6.0): the first image of a file, in strips of 1, 8 or 16 bits, grey, colour or with a palette, not compressed or
 * by LZW or Deflate. The package `tiff` reads it; what it would read wrongly or without bound is refused here before.
 */
import { inflateSync } from 'node:zlib';
import { UserError } from '../base/errors.ts';
import { checkSize, decodeWith, lookUp, type Raster } from './raster.ts';

export const TIFF_SIGNATURES = [Buffer.from('49492a00', 'hex'), Buffer.from('4d4d002a', 'hex')];

const WHOLE = 'must be a whole TIFF image';
/** The directory of a picture has some twenty entries. */
const ENTRY_LIMIT = 256;
/** Bytes of a value by type, 1 … 12. */
const TYPE_BYTES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8];
/** Directories within the directory (EXIF, GPS), which do not change the pixels and may lead in circles. */
const INNER = new Set([0x8769, 0x8825]);
const GREY = new Set([0, 1]);
const PALETTE = 3;
const DEFLATE = new Set([8, 32946]);

type Directory = Awaited<ReturnType<typeof readDirectory>>;

/** @throws UserError naming what is wrong with the file */
export async function decodeTiff(bytes: Uint8Array, place: string): Promise<Raster> {
  const plain = withoutInner(bytes, place);
  const directory = await readDirectory(plain, place);
  check(directory, plain, place);
  const { decode } = await import('tiff');
  const [image] = decodeWith(place, WHOLE, () => decode(plain, { pages: [0] }));
  const { height, width, samplesPerPixel: channels, bitsPerSample: bits, type, alpha } = image;
  const data = image.data as Uint8Array | Uint16Array;
  if (data.length !== height * width * channels) throw new UserError(place, `must hold ${height * width * channels} samples`, data.length);
  if (type === PALETTE) {
    const table = Uint16Array.from((image.palette ?? []).flat());
    const indices = data as Uint8Array;
    return { height, width, channels: 3, colours: 3, alpha: false, maximum: 65_535, data: lookUp(place, indices, table, 3) };
  }
  return { height, width, channels, colours: GREY.has(type) ? 1 : 3, alpha, maximum: 2 ** bits - 1, data };
}

/** A copy in which inner directories are skipped, after a look at how much its directory makes a reader hold. */
function withoutInner(bytes: Uint8Array, place: string): Uint8Array {
  const copy = new Uint8Array(bytes);
  const view = new DataView(copy.buffer);
  const little = copy[0] === 0x49;
  const begin = view.byteLength < 8 ? Infinity : view.getUint32(4, little);
  const count = begin + 2 <= copy.length ? view.getUint16(begin, little) : 0;
  if (count < 1 || count > ENTRY_LIMIT || begin + 2 + 12 * count > copy.length)
    throw new UserError(`${place}: directory`, `must have 1 to ${ENTRY_LIMIT} entries within the file`, count);
  let values = 0;
  for (let at = begin + 2; at < begin + 2 + 12 * count; at += 12) {
    values += view.getUint32(at + 4, little) * (TYPE_BYTES[view.getUint16(at + 2, little)] ?? 0);
    // A type that does not exist is skipped.
    if (INNER.has(view.getUint16(at, little))) view.setUint16(at + 2, 0, little);
  }
  if (values > copy.length) throw new UserError(`${place}: directory`, 'must have its values within the file', `${values} bytes`);
  return copy;
}

async function readDirectory(bytes: Uint8Array, place: string) {
  const { decode } = await import('tiff');
  return decodeWith(place, WHOLE, () => decode(bytes, { pages: [0], ignoreImageData: true })[0]);
}

/** Refuses what the package cannot read, or reads as something else. */
function check(directory: Directory, bytes: Uint8Array, place: string): void {
  const { height, width, bitsPerSample: bits, samplesPerPixel: channels, type } = directory;
  checkSize(place, height, width);
  const rules: [string, string, unknown, boolean][] = [
    ['bits a sample', 'must be 1, 8 or 16', bits, [1, 8, 16].includes(bits)],
    ['sample format', 'must be 1 (unsigned integers)', directory.sampleFormat, directory.sampleFormat === 1],
    ['colours', 'must be 0 or 1 (grey), 2 (RGB) or 3 (palette)', type, GREY.has(type) || type === 2 || type === PALETTE],
    ['samples a pixel', 'must be 1 to 8', channels, Number.isInteger(channels) && channels >= 1 && channels <= 8],
    ['samples a pixel', 'must be at least 3 for RGB', channels, type !== 2 || channels >= 3],
    [
      'samples a pixel',
      'must be 1 for a palette of up to 8 bits, or 1 bit',
      channels,
      (type !== PALETTE && bits > 1) || (channels === 1 && bits < 16),
    ],
    ['planes', 'must be 1 (pixel by pixel)', directory.planarConfiguration, directory.planarConfiguration === 1 || channels === 1],
    ['fill order', 'must be 1', directory.fillOrder, directory.fillOrder === 1],
    ['layout', 'must be strips', 'tiles', !directory.tiled],
  ];
  for (const [field, rule, value, holds] of rules) if (!holds) throw new UserError(`${place}: ${field}`, rule, value);
  // The package compares what it unpacks with nothing: a strip may not be longer than its rows.
  const { stripOffsets, stripByteCounts, compression } = directory;
  if (!stripOffsets || !stripByteCounts || stripOffsets.length !== stripByteCounts.length)
    throw new UserError(`${place}: strips`, 'must have an offset and a length each', stripOffsets?.length);
  const rowBytes = Math.ceil((width * channels * bits) / 8);
  const stripBytes = rowBytes * Math.min(height, directory.rowsPerStrip);
  if (stripOffsets.length !== Math.ceil(height / directory.rowsPerStrip))
    throw new UserError(`${place}: strips`, `must be ${Math.ceil(height / directory.rowsPerStrip)}`, stripOffsets.length);
  stripOffsets.forEach((begin, i) => {
    const packed = bytes.subarray(begin, begin + stripByteCounts[i]);
    if (packed.length !== stripByteCounts[i] || packed.length > 2 * stripBytes + 1024)
      throw new UserError(
        `${place}: strip ${i}`,
        'must lie within the file and be no longer than its rows need',
        `${stripByteCounts[i]} bytes`,
      );
    if (DEFLATE.has(compression)) decodeWith(place, WHOLE, () => inflateSync(packed, { maxOutputLength: stripBytes }));
  });
}
