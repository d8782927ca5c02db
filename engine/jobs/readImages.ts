/** Reads a data set and says what it is: the digest that requests then name, sizes, classes, counts. */
import { z } from 'zod';
import { parseWith } from '../base/schema.ts';
import type { JobKind } from '../contract.ts';
import { dataReference } from '../tasks/dataReference.ts';
import { describe, loadImages, requireDigest } from '../tasks/imageData.ts';

const schema = z.strictObject({ data: dataReference });

export interface ImageSummary {
  readonly name: string;
  readonly digest: string;
  /** In one line: sizes, classes, counts, and whether colour became grey. */
  readonly description: string;
  readonly height: number;
  readonly width: number;
  readonly classes: readonly string[];
  readonly train: number;
  readonly test: number;
}

export const readImages: JobKind<z.output<typeof schema>, ImageSummary> = {
  id: 'readImages',
  version: 1,
  keeps: 'nothing',
  parse: (parameters) => parseWith(schema, 'readImages', parameters),
  async run({ data: reference }) {
    const data = requireDigest(await loadImages(reference.source), reference);
    const { name, digest, height, width, classes, train, test } = data;
    return { name, digest, description: describe(data), height, width, classes, train: train.count, test: test.count };
  },
};
