/**
 * Reads pictures as grey bytes: PNG, JPEG, BMP and TIFF, told apart by content. How colour and transparency become grey is said in raster.ts;
 * a decoder is loaded when the first picture of its kind comes.
 */
import { UserError } from '../base/errors.ts';
import { BMP_SIGNATURE, decodeBmp } from './bmp.ts';
import { fileBytes } from './fileBytes.ts';
import { decodeJpeg, JPEG_SIGNATURE } from './jpeg.ts';
import { decodePng, PNG_SIGNATURE } from './png.ts';
import { toGrey, type GreyImage, type Raster } from './raster.ts';
import { decodeTiff, TIFF_SIGNATURES } from './tiff.ts';

/** How names of pictures end, in lower case. */
export const imageEndings: readonly string[] = ['.png', '.jpg', '.jpeg', '.bmp', '.tif', '.tiff'];

/** Eight bytes a pixel of the largest image, and as much again for what is said about it. */
const FILE_LIMIT = 2 ** 20;

const decoders: readonly { signatures: readonly Uint8Array[]; decode(bytes: Uint8Array, place: string): Raster | Promise<Raster> }[] = [
  { signatures: [PNG_SIGNATURE], decode: decodePng },
  { signatures: [JPEG_SIGNATURE], decode: decodeJpeg },
  { signatures: [BMP_SIGNATURE], decode: decodeBmp },
  { signatures: TIFF_SIGNATURES, decode: decodeTiff },
];

/** @throws UserError naming the file, the rule and the value if it is missing, unreadable, damaged, too large or of another kind */
export async function readImageFile(path: string): Promise<GreyImage> {
  const place = `readImageFile: ${path}`;
  return decodeImage(fileBytes(path, place, FILE_LIMIT), place);
}

/** @param place of the bytes, for messages @throws UserError as {@link readImageFile} does */
export async function decodeImage(bytes: Uint8Array, place: string): Promise<GreyImage> {
  const decoder = decoders.find(({ signatures }) => signatures.some((signature) => signature.every((byte, i) => bytes[i] === byte)));
  if (!decoder)
    throw new UserError(
      place,
      'must be a PNG, JPEG, BMP or TIFF image',
      `first bytes ${Buffer.from(bytes.subarray(0, 4)).toString('hex')}`,
    );
  return toGrey(await decoder.decode(bytes, place));
}
