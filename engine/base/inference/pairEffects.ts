/** Effects of interventions pair by pair: the one form that tests, intervals and curves over pairs read. It holds numbers and knows no models. */
import { UserError } from '../errors.ts';

/** One number for each pair and cell; a cell is whatever was intervened on: a head, a head at a position, a set. */
export interface PairEffects {
  readonly data: Float32Array | Float64Array;
  readonly pairs: number;
  readonly cells: number;
  /** Which axis is outermost in `data`: `pairs` for [pairs, cells], as unless told, `cells` for [cells, pairs]. */
  readonly outermost?: 'pairs' | 'cells';
}

/** @throws UserError unless there are pairs and cells, and as many numbers as they say */
export function checkEffects(place: string, effects: PairEffects): void {
  const { data, pairs, cells } = effects;
  for (const [name, value] of [
    ['pairs', pairs],
    ['cells', cells],
  ] as const)
    if (!Number.isInteger(value) || value < 1) throw new UserError(`${place}: ${name}`, 'must be an integer of at least 1', value);
  if (data.length !== pairs * cells) throw new UserError(`${place}: effects`, `must hold ${pairs} × ${cells} numbers`, data.length);
}

/**
 * The cells that are tested together: distinct indices, all of them unless told.
 * @throws UserError for a cell that is not there or stands twice, and for a family of none
 */
export function checkFamily(place: string, { cells }: PairEffects, family?: ArrayLike<number>): Int32Array {
  if (family === undefined) return Int32Array.from({ length: cells }, (_, cell) => cell);
  const seen = new Uint8Array(cells);
  for (let i = 0; i < family.length; i++) {
    const cell = family[i];
    if (!Number.isInteger(cell) || cell < 0 || cell >= cells)
      throw new UserError(`${place}: family[${i}]`, `must be an integer in [0, ${cells - 1}]`, cell);
    if (seen[cell]++) throw new UserError(`${place}: family[${i}]`, 'must not stand twice', cell);
  }
  if (family.length === 0) throw new UserError(`${place}: family`, 'must hold at least 1 cell', 0);
  return Int32Array.from(family);
}

/**
 * The effects of one cell, in the order of the pairs.
 * @throws UserError for one that is not finite: a cell that was not run is left out of the family, never counted as 0
 */
export function cellEffects(place: string, effects: PairEffects, cell: number): Float64Array {
  const { data, pairs, cells, outermost = 'pairs' } = effects;
  const [begin, step] = outermost === 'pairs' ? [cell, cells] : [cell * pairs, 1];
  const column = new Float64Array(pairs);
  for (let pair = 0; pair < pairs; pair++) {
    const value = data[begin + pair * step];
    if (!Number.isFinite(value)) throw new UserError(`${place}: effect of cell ${cell}, pair ${pair}`, 'must be finite', value);
    column[pair] = value;
  }
  return column;
}
