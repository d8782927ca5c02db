/** Pixels as the decoders of image files give them, and how they become grey bytes. */
import { UserError } from '../base/errors.ts';

/** The most pixels an image may have, 256 x 256 say: as many inputs as a network may have. */
export const LARGEST_IMAGE = 65_536;

export interface Raster {
  readonly height: number;
  readonly width: number;
  /** Of a pixel: grey, or red, green and blue; then opacity if `alpha`; then what is not looked at. */
  readonly channels: number;
  readonly colours: 1 | 3;
  readonly alpha: boolean;
  /** What stands for white, and for opaque. */
  readonly maximum: number;
  /** [height, width, channels] */
  readonly data: Uint8Array | Uint16Array;
}

export interface GreyImage {
  readonly height: number;
  readonly width: number;
  /** [height, width], 0 is black */
  readonly pixels: Uint8Array;
  /** Whether there was a pixel that is not grey. */
  readonly colour: boolean;
}

/**
 * Luma, 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601), times opacity: what is transparent lies on black. Rounded to 0 … 255; every sum is an
 * integer below 2^53, so that grey stays the grey it was.
 */
export function toGrey({ height, width, channels, colours, alpha, maximum, data }: Raster): GreyImage {
  const pixels = new Uint8Array(height * width);
  const unit = alpha ? 1000 * maximum * maximum : 1000 * maximum;
  let colour = false;
  for (let pixel = 0, at = 0; pixel < pixels.length; pixel++, at += channels) {
    const red = data[at];
    const [green, blue] = colours === 3 ? [data[at + 1], data[at + 2]] : [red, red];
    colour ||= red !== green || green !== blue;
    const opacity = alpha ? data[at + colours] : 1;
    pixels[pixel] = Math.round(((299 * red + 587 * green + 114 * blue) * opacity * 255) / unit);
  }
  return { height, width, pixels, colour };
}

/** @throws UserError for an image without pixels or with more than any network takes */
export function checkSize(place: string, height: number, width: number): void {
  if (!(height >= 1 && width >= 1 && height * width <= LARGEST_IMAGE))
    throw new UserError(place, `must have 1 to ${LARGEST_IMAGE} pixels`, `${height} × ${width}`);
}

/** Colours in the place of their numbers: `table` is [colours, channels]. @throws UserError for a number the table does not have */
export function lookUp(place: string, indices: Uint8Array, table: Uint8Array | Uint16Array, channels: number): Uint8Array | Uint16Array {
  const size = table.length / channels;
  const wrong = indices.findIndex((index) => index >= size);
  if (wrong >= 0) throw new UserError(`${place}: pixel ${wrong}`, `must be one of the palette's ${size} colours`, indices[wrong]);
  const data = table instanceof Uint8Array ? new Uint8Array(indices.length * channels) : new Uint16Array(indices.length * channels);
  indices.forEach((index, pixel) => data.set(table.subarray(index * channels, (index + 1) * channels), pixel * channels));
  return data;
}

/** Samples of 1, 2, 4 or 8 bits, the first in the highest bits, each row in `rowBytes` bytes of its own. */
export function unpackBits(data: Uint8Array, height: number, width: number, bits: number, rowBytes: number): Uint8Array {
  const samples = new Uint8Array(height * width);
  const mask = 2 ** bits - 1;
  for (let row = 0, at = 0; row < height; row++)
    for (let column = 0; column < width; column++, at++) {
      const bit = column * bits;
      samples[at] = (data[row * rowBytes + (bit >> 3)] >> (8 - bits - (bit & 7))) & mask;
    }
  return samples;
}

/** Runs a library's decoder: what it throws for a broken file is a mistake in the file. */
export function decodeWith<T>(place: string, rule: string, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    throw new UserError(place, rule, error instanceof Error ? error.message : String(error), { cause: error });
  }
}
