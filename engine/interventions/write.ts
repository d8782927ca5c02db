/** What a write makes of the numbers it covers. All operations but the removal of a direction are affine: v ← scale · v + shift. */
import type { Write } from './intervention.ts';

export interface Affine {
  readonly scale: number;
  /** For each number of the part; undefined for none. */
  readonly shift?: Float32Array;
}

/**
 * @param given the donor's values, or noise, for this part
 * @returns undefined for the removal of a direction, which mixes the numbers of a part
 */
export function affineOf(write: Write, given: Float32Array | undefined, part: number): Affine | undefined {
  const times = (vector: Float32Array, by: number) => (by === 1 ? vector : vector.map((number) => by * number));
  switch (write.op) {
    case 'swap':
      return { scale: 0, shift: given! };
    case 'set':
      return { scale: 0, shift: write.vector ?? new Float32Array(part).fill(write.amount!) };
    case 'scale':
      return { scale: write.amount };
    case 'add':
      return { scale: 1, shift: times(write.vector, write.amount ?? 1) };
    case 'interpolate':
      return { scale: 1 - write.amount, shift: times(given!, write.amount) };
    case 'noise':
      return { scale: 1, shift: times(given!, write.amount) };
    case 'ablate':
      return 'donor' in write && write.donor ? { scale: 0, shift: given! } : undefined;
    default:
      return write satisfies never;
  }
}

/** Whether a write with a donor puts the donor's values in place of what was there, as they are. */
export const replaces = ({ op }: Write): boolean => op === 'swap' || op === 'ablate';

/** Writes to a part in place; sums in double precision. */
export function applyWrite(write: Write, part: Float32Array, given: Float32Array | undefined): void {
  const affine = affineOf(write, given, part.length);
  if (affine) applyAffine(affine, part);
  else if (write.op === 'ablate' && 'vector' in write) removeDirection(part, write.vector, write.amount ?? 1);
}

export function applyAffine({ scale, shift }: Affine, part: Float32Array): void {
  for (let i = 0; i < part.length; i++) {
    const added = shift ? shift[i] : 0;
    // What is replaced does not count, whatever it was.
    part[i] = scale === 0 ? added : scale * part[i] + added;
  }
}

/** v ← v − amount · (v·u) u with u = vector/‖vector‖. */
function removeDirection(part: Float32Array, vector: Float32Array, amount: number): void {
  let dot = 0;
  let square = 0;
  for (let i = 0; i < part.length; i++) {
    dot += part[i] * vector[i];
    square += vector[i] * vector[i];
  }
  for (let i = 0; i < part.length; i++) part[i] -= ((amount * dot) / square) * vector[i];
}
