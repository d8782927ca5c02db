/** Images as bytes, turned, for whoever draws them: a sheet of thumbnails in one answer. */
import { z } from 'zod';
import { angle } from '../../analyses/options.ts';
import { parseWith } from '../../base/schema.ts';
import type { JobKind } from '../../contract.ts';
import { dataReference } from '../../tasks/dataReference.ts';
import { loadImages, requireDigest } from '../../tasks/imageData.ts';
import { imagesAt } from '../../tasks/someImages.ts';

const schema = z.strictObject({
  data: dataReference,
  part: z.enum(['train', 'test'], 'must be "train" or "test"').default('test'),
  // Their range is that of the data, which are not there yet.
  indices: z.array(z.number(), 'must be a list of numbers of images').max(4096, 'must be at most 4096 images'),
  angle: angle(0, 'degrees the images are turned by'),
});

export interface DrawnImages {
  readonly height: number;
  readonly width: number;
  /** Image by image, row by row, 0 … 255: [n, height, width]. */
  readonly pixels: Uint8Array;
  /** Places among the classes. */
  readonly labels: Int32Array;
  readonly classes: readonly string[];
}

export const drawImages: JobKind<z.output<typeof schema>, DrawnImages> = {
  id: 'drawImages',
  version: 1,
  keeps: 'nothing',
  parse: (parameters) => parseWith(schema, 'drawImages', parameters),
  async run({ data: reference, part, indices, angle }) {
    const data = requireDigest(await loadImages(reference.source), reference);
    const { images, labels } = imagesAt('drawImages: indices', data, part, indices, angle);
    const pixels = new Uint8Array(images.length);
    // `Uint8Array.from` takes ten times as long for millions of pixels.
    for (let i = 0; i < images.length; i++) pixels[i] = Math.round(255 * images[i]);
    return { height: data.height, width: data.width, pixels, labels, classes: data.classes };
  },
};
