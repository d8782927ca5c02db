/**
 * How far a ranking of cells depends on which pairs happened to be there: the curve of agreement with the ranking of all pairs, against the number
 * of pairs drawn. methods.md P13: with 16 to 32 pairs the winning head of a published model changed; this shows it instead of a rule like n ≥ 120.
 */
import { UserError } from '../errors.ts';
import type { Random } from '../random.ts';
import { quantile } from '../statistics.ts';
import { cellEffects, checkEffects, checkFamily, type PairEffects } from './pairEffects.ts';

export interface RankStabilityOptions {
  readonly random: Random;
  /** Numbers of pairs to draw, e.g. [8, 16, 32, 64, 120]; each with replacement, so the number of all pairs says something too. */
  readonly sizes: readonly number[];
  /** How many of the first cells are compared. */
  readonly top: number;
  /** Draws for each size, 2000 unless told. */
  readonly draws?: number;
  readonly family?: ArrayLike<number>;
  /** By mean effect, the largest first (necessity, sufficiency), or by its magnitude (attribution); `value` unless told. */
  readonly by?: 'value' | 'magnitude';
}

export interface RankStability {
  /** The first cells with all pairs, best first; ties go to the lower index. */
  readonly ranking: Int32Array;
  /** [sizes] mean over the draws of |A ∩ B| / |A ∪ B| of the first `top` cells drawn and of all pairs. */
  readonly jaccard: Float64Array;
  /** [sizes] the middle 95 % of the draws. */
  readonly low: Float64Array;
  readonly high: Float64Array;
  /** [sizes] share of the draws in which another cell is first. */
  readonly winnerChanges: Float64Array;
}

/** @throws UserError for sizes or a `top` that are not there */
export function rankStability(effects: PairEffects, options: RankStabilityOptions): RankStability {
  const { random, sizes, top, draws = 2000, by = 'value' } = options;
  checkEffects('rankStability', effects);
  const { pairs } = effects;
  const family = checkFamily('rankStability', effects, options.family);
  whole('top', top, family.length);
  whole('draws', draws, 1e9);
  sizes.forEach((size, i) => whole(`sizes[${i}]`, size, pairs));
  const columns = Array.from(family, (cell) => cellEffects('rankStability', effects, cell));

  const counts = new Float64Array(pairs).fill(1);
  const means = new Float64Array(family.length);
  const first = (): Int32Array => {
    columns.forEach((column, i) => {
      let sum = 0;
      for (let pair = 0; pair < pairs; pair++) sum += counts[pair] * column[pair];
      means[i] = by === 'value' ? sum : Math.abs(sum);
    });
    return leading(means, top);
  };
  const reference = first();
  const inReference = new Set(reference);

  const [jaccard, low, high, winnerChanges] = [0, 0, 0, 0].map(() => new Float64Array(sizes.length));
  const agreements = new Float64Array(draws);
  sizes.forEach((size, at) => {
    // A stream of its own: a point of the curve does not depend on which others are asked for.
    const stream = random.fork('rank stability', size);
    let changes = 0;
    for (let draw = 0; draw < draws; draw++) {
      counts.fill(0);
      for (let i = 0; i < size; i++) counts[stream.integer(pairs)]++;
      const drawn = first();
      let shared = 0;
      for (const cell of drawn) if (inReference.has(cell)) shared++;
      agreements[draw] = shared / (2 * top - shared);
      if (drawn[0] !== reference[0]) changes++;
    }
    jaccard[at] = agreements.reduce((sum, value) => sum + value, 0) / draws;
    [low[at], high[at]] = [quantile(agreements, 0.025), quantile(agreements, 0.975)];
    winnerChanges[at] = changes / draws;
  });
  return { ranking: reference.map((i) => family[i]), jaccard, low, high, winnerChanges };
}

/** Indices of the `top` largest, the largest first, the lower index first among equals. */
function leading(values: Float64Array, top: number): Int32Array {
  const chosen = new Int32Array(top);
  let held = 0;
  for (let i = 0; i < values.length; i++) {
    if (held === top && !(values[i] > values[chosen[top - 1]])) continue;
    let place = held < top ? held++ : top - 1;
    for (; place > 0 && values[i] > values[chosen[place - 1]]; place--) chosen[place] = chosen[place - 1];
    chosen[place] = i;
  }
  return chosen;
}

function whole(name: string, value: number, most: number): void {
  if (!Number.isInteger(value) || value < 1 || value > most)
    throw new UserError(`rankStability: ${name}`, `must be an integer in [1, ${most}]`, value);
}
