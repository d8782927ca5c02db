/** Where the tensors of a step lie in their region: one after another, each on a cache line; the padding between stays zero. */
import { align } from './sharedMemory.ts';

export interface NamedShape {
  readonly name: string;
  readonly shape: readonly number[];
}

export interface Layout {
  /** Bytes from the start of the region, by name. */
  readonly offsets: ReadonlyMap<string, number>;
  /** Floats in the region, padding included. */
  readonly count: number;
}

export function layOut(tensors: readonly NamedShape[]): Layout {
  const offsets = new Map<string, number>();
  let bytes = 0;
  for (const { name, shape } of tensors) {
    offsets.set(name, bytes);
    bytes = align(bytes + 4 * shape.reduce((a, b) => a * b, 1));
  }
  return { offsets, count: bytes / 4 };
}
