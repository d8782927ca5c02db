/** Which images are meant, as data of a request: where they are read, and what they must be. Reading them is imageData.ts's business. */
import { z } from 'zod';

export const dataReference = z
  .strictObject({
    source: z
      .string('must be a text')
      .min(1, 'must name a data set, a folder or an npz file')
      .default('mnist')
      .meta({ description: 'images: mnist, fashion-mnist, a folder, or an npz file' }),
    /** Absent: whatever is there. */
    digest: z
      .string('must be a text')
      .regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits')
      .optional()
      .meta({ description: 'SHA-256 that the images must have, as read' }),
  })
  .prefault({});

export type DataReference = z.output<typeof dataReference>;

/** `test`, `train`, or the 5 000 training images that a seed sets apart for choosing (`heldOut`). */
export const parts = ['test', 'heldOut', 'train'] as const;
export type Part = (typeof parts)[number];

/** Images of one part turned by one angle: [count, pixels] in [0, 1], row-major, and their labels. Read, never written. */
export interface ImageSet {
  readonly count: number;
  readonly height: number;
  readonly width: number;
  /** Names of the classes, in the order of the labels. */
  readonly classes: readonly string[];
  readonly images: Float32Array;
  readonly labels: Int32Array;
}
