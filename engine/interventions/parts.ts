/** Sweeps whose effects are larger than memory: run part by part, each handed out before the next begins. Unchanged values are found once for all. */
import { UserError } from '../base/errors.ts';
import type { PairSet } from '../tasks/pairs.ts';
import type { Effects, Runner, RunOptions } from './effects.ts';
import type { Arm, Intervention } from './intervention.ts';

/** Bytes of effects that are in memory at once, unless said otherwise. */
export const EFFECT_BYTES = 256 * 2 ** 20;

export interface PartOptions extends RunOptions {
  /** Bytes of the effects of one part; a single intervention may take more. */
  readonly ceiling?: number;
  /** Bytes of the effects of one intervention: `bytes.effects / (interventions + 1)` of its plan. */
  readonly each: number;
}

/**
 * Yields effects of consecutive interventions. What is stored and taken up again is a part: a caller that resumes leaves out the interventions
 * whose effects it has.
 */
export async function* runInParts(
  runner: Runner,
  pairs: PairSet,
  base: Arm,
  interventions: readonly Intervention[],
  { ceiling = EFFECT_BYTES, each, ...options }: PartOptions,
): AsyncGenerator<Effects, void, void> {
  if (!(each > 0)) throw new UserError('runInParts: each', 'must be a number of bytes > 0', each);
  const size = Math.max(1, Math.floor(ceiling / each));
  for (let begin = 0; begin < interventions.length; begin += size)
    yield await runner.run(pairs, base, interventions.slice(begin, begin + size), options);
}
