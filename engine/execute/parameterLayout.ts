/**
 * Where the tensors of a step lie in their region: small ones first, one after another, each on a cache line; the padding stays zero.
 *
 * Small gradients leave the runtime together with the loss as one *packed* output, for each output costs microseconds and, later, garbage.
 */
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
  /** Floats, from the start, that hold the small tensors. */
  readonly small: number;
}

/** Tensors of up to so many floats are small: copying them costs less than handing over an output. */
const SMALL = 4096;
/** Floats before the packed gradients: the loss and what fills its cache line. */
export const PACKED_HEAD = 16;

export const lengthOf = ({ shape }: NamedShape): number => shape.reduce((a, b) => a * b, 1);

export const isSmall = (tensor: NamedShape): boolean => lengthOf(tensor) <= SMALL;

export function layOut(tensors: readonly NamedShape[]): Layout {
  const offsets = new Map<string, number>();
  let bytes = 0;
  const place = (tensor: NamedShape) => {
    offsets.set(tensor.name, bytes);
    bytes = align(bytes + 4 * lengthOf(tensor));
  };
  tensors.filter(isSmall).forEach(place);
  const small = bytes / 4;
  tensors.filter((tensor) => !isSmall(tensor)).forEach(place);
  return { offsets, count: bytes / 4, small };
}
