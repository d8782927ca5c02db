/** Reader for JPEG (ITU-T T.81), baseline and progressive, by jpeg-js, which is told how much memory an image may take. */
import { UserError } from '../base/errors.ts';
import { decodeWith, LARGEST_IMAGE, type Raster } from './raster.ts';

export const JPEG_SIGNATURE = Buffer.from('ffd8ff', 'hex');
const START_OF_SCAN = Buffer.from('ffda', 'hex');

/** Coefficients of four components at the largest size take a few of them. */
const MEMORY_MEBIBYTES = 64;

/** @throws UserError naming what is wrong with the file */
export async function decodeJpeg(bytes: Uint8Array, place: string): Promise<Raster> {
  const { decode } = await import('jpeg-js');
  // Without one, jpeg-js gives an even grey.
  if (!Buffer.from(bytes).includes(START_OF_SCAN)) throw new UserError(place, 'must hold a scan', 'none');
  const { height, width, data } = decodeWith(place, `must be a whole JPEG image of at most ${LARGEST_IMAGE} pixels`, () =>
    decode(bytes, {
      useTArray: true,
      formatAsRGBA: false,
      maxResolutionInMP: LARGEST_IMAGE / 1e6,
      maxMemoryUsageInMB: MEMORY_MEBIBYTES,
    }),
  );
  return { height, width, channels: 3, colours: 3, alpha: false, maximum: 255, data };
}
