/**
 * The smallest effect that a screen of n pairs would find: what a "no effect" of that screen can at most mean.
 *
 * A mean over n pairs of deviation σ is normal with deviation σ/√n to good approximation (n ≥ 20). It is found with probability `power` when it
 * lies z_power of these above the critical size c of the test:  δ = c + z_power · σ/√n.  c is that of the corrected test: from the maxima of a
 * sign-flip test that was made, scaled by √(made/planned) to another n, or, before any is made, of m independent cells (Šidák):
 * c = z_{1−α'/2} · σ/√n, α' = 1 − (1 − α)^{1/m}. J. Cohen, Statistical Power Analysis for the Behavioral Sciences, 1988, chapter 2.
 */
import { UserError } from '../errors.ts';
import { normalQuantile } from '../special.ts';

export interface DetectableEffectOptions {
  /** Standard deviation of the effect over pairs, n − 1 in its denominator; in the units of the effect. */
  readonly deviation: number;
  /** Pairs of the screen that is judged or planned. */
  readonly pairs: number;
  /** The family: how many cells are tested together, taken as independent; or the critical size of a test that was made on so many pairs. */
  readonly family: number | { readonly critical: number; readonly pairs: number };
  /** Chance of one false discovery in the whole family, 0.05 unless told. It is not read where the critical size is given. */
  readonly level?: number;
  /** Chance of finding an effect of that size, 0.8 unless told. */
  readonly power?: number;
}

/** @returns the size of mean effect found with the given power, in the units of the deviation @throws UserError for what is out of range */
export function detectableEffect({ deviation, pairs, family, level = 0.05, power = 0.8 }: DetectableEffectOptions): number {
  if (!(deviation >= 0 && deviation < Infinity))
    throw new UserError('detectableEffect: deviation', 'must be finite and at least 0', deviation);
  requirePairs('pairs', pairs);
  if (!(level > 0 && level < 1)) throw new UserError('detectableEffect: level', 'must be in (0, 1)', level);
  // Below one half the other side of the test would have to be counted too.
  if (!(power >= 0.5 && power < 1)) throw new UserError('detectableEffect: power', 'must be in [0.5, 1)', power);
  const error = deviation / Math.sqrt(pairs);
  return critical() + normalQuantile(power) * error;

  function critical(): number {
    if (typeof family !== 'number') {
      requirePairs('family.pairs', family.pairs);
      if (!(family.critical >= 0)) throw new UserError('detectableEffect: family.critical', 'must be at least 0', family.critical);
      return family.critical * Math.sqrt(family.pairs / pairs);
    }
    if (!Number.isInteger(family) || family < 1)
      throw new UserError('detectableEffect: family', 'must be an integer of at least 1', family);
    // 1 − (1 − α)^{1/m} without cancellation for many cells.
    const own = -Math.expm1(Math.log1p(-level) / family);
    return -normalQuantile(own / 2) * error;
  }
}

function requirePairs(name: string, value: number): void {
  if (!Number.isInteger(value) || value < 2) throw new UserError(`detectableEffect: ${name}`, 'must be an integer of at least 2', value);
}
