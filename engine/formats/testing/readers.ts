/** Every reader of bytes, with good files of its own and a bound on what it may make of some bytes: for the tests that damage files. */
import type * as fc from 'fast-check';
import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import type { DenseArray } from '../denseArray.ts';
import { parseIdx, type IdxArray } from '../idx.ts';
import { decodeImage } from '../imageFile.ts';
import { readNpy } from '../npy.ts';
import { openNpz } from '../npz.ts';
import { LARGEST_IMAGE, type GreyImage } from '../raster.ts';
import { readSafetensors } from '../safetensors.ts';
import { checkpointReaders } from './checkpointReaders.ts';
import { withChecksums } from './png.ts';

export interface Reader {
  readonly name: string;
  readonly good: readonly Uint8Array[];
  readonly read: (bytes: Uint8Array, place: string) => unknown;
  readonly sizeOf: (value: never, bytes: Uint8Array) => { held: number; most: number };
  /** How its files are damaged, if not as any bytes are. */
  readonly damage?: (good: readonly Uint8Array[]) => fc.Arbitrary<Uint8Array>;
}

const fixtures = new URL('../fixtures/', import.meta.url);

export function fixturesIn(folder: string, ending = ''): { name: string; bytes: Uint8Array }[] {
  const url = new URL(`${folder}/`, fixtures);
  return readdirSync(url)
    .filter((name) => name.endsWith(ending) && !name.startsWith('refused'))
    .sort()
    .map((name) => ({ name, bytes: new Uint8Array(readFileSync(new URL(name, url))) }));
}

const files = (folder: string, ending = '') => fixturesIn(folder, ending).map(({ bytes }) => bytes);
const heldBy = (arrays: readonly DenseArray[]) => arrays.reduce((sum, { data }) => sum + data.byteLength, 0);
// Bytes become int32, halves float32: four times as much at most, and some for the constants of an empty file.
const most = (bytes: Uint8Array) => 4 * bytes.length + 64;

/** What an archive may unpack to here. */
const LIMIT = 1 << 16;

const idx = [Buffer.from('0000080100000003070201', 'hex'), Buffer.from('0000080300000002000000010000000301020304050f', 'hex')];

export const readers: readonly Reader[] = [
  {
    name: 'idx',
    good: [...idx, ...idx.map((bytes) => gzipSync(bytes))].map((bytes) => new Uint8Array(bytes)),
    read: parseIdx,
    // gzip makes nothing more than some thousand times smaller.
    sizeOf: ({ data }: IdxArray, bytes) => ({ held: data.length, most: 1100 * bytes.length }),
  },
  {
    name: 'npy',
    good: files('numpy', '.npy'),
    read: readNpy,
    sizeOf: (array: DenseArray, bytes) => ({ held: heldBy([array]), most: most(bytes) }),
  },
  {
    name: 'npz',
    good: files('numpy', '.npz'),
    read: (bytes, place) => {
      const archive = openNpz(bytes, place, LIMIT);
      return archive.names.map((name) => archive.array(name));
    },
    sizeOf: (arrays: DenseArray[]) => ({ held: heldBy(arrays), most: 4 * LIMIT * arrays.length }),
  },
  {
    name: 'safetensors',
    good: files('safetensors'),
    read: readSafetensors,
    sizeOf: ({ tensors }: { tensors: Map<string, DenseArray> }, bytes) => ({ held: heldBy([...tensors.values()]), most: most(bytes) }),
  },
  {
    name: 'png with checksums put right',
    good: files('images', '.png'),
    read: (bytes, place) => decodeImage(withChecksums(bytes), place),
    sizeOf: ({ pixels }: GreyImage) => ({ held: pixels.length, most: LARGEST_IMAGE }),
  },
  ...checkpointReaders,
  ...['.png', '.jpg', '.bmp', '.tif'].map((ending): Reader => ({
    name: ending.slice(1),
    good: files('images', ending),
    read: decodeImage,
    sizeOf: ({ pixels }: GreyImage) => ({ held: pixels.length, most: LARGEST_IMAGE }),
  })),
];
