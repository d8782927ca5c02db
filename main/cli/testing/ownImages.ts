/** A small data set of one's own: three classes of 6 × 6 pixels, told apart by which third of the image is bright. */
import { writeFileSync } from 'node:fs';
import { Random } from '../../../engine/base/random.ts';
import { dense } from '../../../engine/formats/denseArray.ts';
import { writeNpz } from '../../../engine/formats/npz.ts';

const SIDE = 6;
const COUNT = 120;

export function writeOwnImages(path: string, seed = 1): void {
  const random = new Random(seed);
  const labels = Int32Array.from({ length: COUNT }, (_entry, i) => i % 3);
  const pixels = Uint8Array.from({ length: COUNT * SIDE * SIDE }, (_entry, i) => {
    const third = Math.floor(((i % (SIDE * SIDE)) / (SIDE * SIDE)) * 3);
    return random.integer(80) + (third === labels[Math.floor(i / (SIDE * SIDE))] ? 170 : 0);
  });
  writeFileSync(path, writeNpz({ images: dense(pixels, [COUNT, SIDE, SIDE]), labels: dense(labels) }));
}
