/** Reader and writer for npz, NumPy's archive of named arrays: a zip of npy files, stored as `savez` does or deflated as `savez_compressed`. */
import { UserError } from '../base/errors.ts';
import type { DenseArray } from './denseArray.ts';
import { readNpy, writeNpy } from './npy.ts';
import { openZip, writeZip } from './zip.ts';

const ENDING = '.npy';
/** The most one array may take unpacked, unless told. */
const UNPACKED_LIMIT = 2 ** 31;

export interface ArrayArchive {
  readonly names: readonly string[];
  /** Reads one array, only now: what nobody asks for may be of any type. @throws UserError if it is missing or damaged */
  array(name: string): DenseArray;
}

/** @param place of the bytes, for messages, e.g. the path @throws UserError if this is not a zip archive */
export function openNpz(bytes: Uint8Array, place: string, limit = UNPACKED_LIMIT): ArrayArchive {
  const archive = openZip(bytes, place, limit);
  const names = archive.names.filter((name) => name.endsWith(ENDING)).map((name) => name.slice(0, -ENDING.length));
  return {
    names,
    array(name) {
      if (!names.includes(name)) throw new UserError(place, `must hold an array ${name}`, names);
      return readNpy(archive.read(name + ENDING), `${place}: ${name}`);
    },
  };
}

/** The arrays in the order of their names, stored: the same content gives the same bytes, whatever the time. */
export function writeNpz(arrays: Readonly<Record<string, DenseArray>>): Uint8Array<ArrayBuffer> {
  return writeZip(
    new Map(
      Object.keys(arrays)
        .sort()
        .map((name) => [name + ENDING, writeNpy(arrays[name])]),
    ),
  );
}
