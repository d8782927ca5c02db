/** The first digits of MNIST as a data set of their own: real ones, of which an epoch takes as little as they are few. */
import { writeFileSync } from 'node:fs';
import { dense } from '../../formats/denseArray.ts';
import { writeNpz } from '../../formats/npz.ts';
import { loadImages } from '../imageData.ts';
import type { ImagePart } from '../imageParts.ts';

/** @param path of the npz file to be written */
export async function writeSomeDigits(path: string, train: number, test: number): Promise<void> {
  const { height, width, ...mnist } = await loadImages('mnist');
  const first = ({ pixels, labels }: ImagePart, count: number) => ({
    x: dense(pixels.slice(0, count * height * width), [count, height, width]),
    y: dense(Uint8Array.from(labels.subarray(0, count))),
  });
  const [trained, tested] = [first(mnist.train, train), first(mnist.test, test)];
  writeFileSync(path, writeNpz({ x_train: trained.x, y_train: trained.y, x_test: tested.x, y_test: tested.y }));
}
