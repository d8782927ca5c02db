/** Positions of an intervention, pair by pair, and the rows it runs in. */
import { UserError } from '../base/errors.ts';
import type { SettledConfig } from '../models/transformer.ts';
import { rolesOf, type PairSet } from '../tasks/pairs.ts';
import type { Positions } from './intervention.ts';

/** Positions that are written or read, by pair, ascending unless given otherwise: the k-th of one pair is the place of the k-th of another. */
export type Places = readonly (readonly number[])[];

/** @throws UserError naming `place`, for positions the pairs do not have */
export function placesOf(place: string, positions: Positions, pairs: PairSet): Places {
  const single = (field: string, at: Int32Array | undefined): Places => {
    if (!at) throw new UserError(`${place}: positions`, `must be known: the pairs name no ${field}`, positions);
    return Array.from({ length: pairs.pairs }, (_entry, pair) => [at[pair]]);
  };
  const same = (list: readonly number[]): Places => Array.from({ length: pairs.pairs }, () => list);
  if (positions === 'read') return single('read position', pairs.read);
  if (positions === 'content') return single('content position', pairs.content);
  if (positions === 'all') return same(Array.from({ length: pairs.length }, (_entry, i) => i));
  if (!('role' in positions) && !('mark' in positions)) return same(positions);
  if ('mark' in positions) {
    const names = Object.keys(pairs.marks ?? {});
    const marks = pairs.marks?.[positions.mark];
    if (!marks)
      throw new UserError(
        `${place}: mark`,
        names.length > 0 ? `must be one of ${names.join(', ')}` : 'must be known: the pairs have none',
        positions.mark,
      );
    return single(positions.mark, marks);
  }
  const role = pairs.roleNames?.indexOf(positions.role) ?? -1;
  if (!pairs.roles || role < 0)
    throw new UserError(
      `${place}: role`,
      pairs.roleNames ? `must be one of ${pairs.roleNames.join(', ')}` : 'must be known: the pairs have none',
      positions.role,
    );
  return Array.from({ length: pairs.pairs }, (_entry, pair) => {
    const own = rolesOf(pairs, pair)!;
    const found = Array.from({ length: pairs.length }, (_position, i) => i).filter((position) => own[position] === role);
    if (found.length === 0) throw new UserError(`${place}: role`, `must be that of some position of pair ${pair}`, positions.role);
    return found;
  });
}

/** How many places every pair has. @throws UserError naming `place` where they have not the same number */
export function placesEach(place: string, places: Places): number {
  const count = places[0].length;
  const other = places.findIndex((own) => own.length !== count);
  if (other >= 0)
    throw new UserError(
      `${place}: positions`,
      `must be as many for every pair: pair 0 has ${count}`,
      `${places[other].length} for pair ${other}`,
    );
  return count;
}

/** Numbers of a chunk's activations that stay in the second-level cache; how many rows that is depends on model and length, never on the machine. */
const CHUNK_NUMBERS = 1 << 17;
const LEAST_ROWS = 4;
const MOST_ROWS = 32;

/** Rows run together, fixed: the number of rows of a product may change its last bits. */
export const chunkRows = (width: number, length: number): number =>
  Math.min(MOST_ROWS, Math.max(LEAST_ROWS, Math.floor(CHUNK_NUMBERS / (width * length))));

/** Pairs run together. */
export type Chunk = readonly number[];

/** The pairs in chunks, those that are read at the same position together; none of them is one pair alone if it can be helped. */
export function chunksOf({ pairs, read }: Pick<PairSet, 'pairs' | 'read'>, rows: number): Chunk[] {
  const byRead = new Map<number, number[]>();
  for (let pair = 0; pair < pairs; pair++) byRead.set(read[pair], [...(byRead.get(read[pair]) ?? []), pair]);
  return [...byRead.values()].flatMap((all) => {
    const chunks: number[][] = [];
    for (let begin = 0; begin < all.length;) {
      const left = all.length - begin;
      const size = left === rows + 1 && rows > 2 ? rows - 1 : Math.min(rows, left);
      chunks.push(all.slice(begin, begin + size));
      begin += size;
    }
    return chunks;
  });
}

/** Positions of all branches and rows of one run: with more, products are no faster. */
const RUN_POSITIONS = 4096;
/** Numbers of the widest value of one run: 16 MB. */
const RUN_NUMBERS = 1 << 22;

/**
 * Branches of one run that have so many positions each: fixed by the model and the pairs, so that results do not depend on the machine.
 * @param length positions of the prompts
 */
export function capacity(
  { heads, mlp, experts, vocabulary, width }: SettledConfig,
  { length, rows, positions }: { readonly length: number; readonly rows: number; readonly positions: number },
): number {
  // Logits are of the last position only.
  const numbers = Math.max(positions * Math.max(width, mlp * (experts?.count ?? 1), heads * (length + positions)), vocabulary);
  return Math.max(1, Math.floor(Math.min(RUN_POSITIONS / positions, RUN_NUMBERS / numbers) / rows));
}
