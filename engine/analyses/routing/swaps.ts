/**
 * Interchange of every head (and MLP) between the members of a pair, both ways, with what it does to the metric and to the answer. What is made of it,
 * a table or a gate, is the caller's.
 */
import { metricOf, type Effects, type Runner } from '../../interventions/effects.ts';
import type { Arm, Intervention, Positions } from '../../interventions/intervention.ts';
import { blockSite } from '../../models/sites.ts';
import { outcomesOf } from '../../tasks/outcomes.ts';
import type { PairSet } from '../../tasks/pairs.ts';
import { swapHead, type Head, type RunSteps } from './heads.ts';
import { changesOf } from './screens.ts';

/** What is swapped together. */
export interface Part {
  readonly id: string;
  readonly heads: readonly Head[];
  readonly mlps?: readonly number[];
}

/** x⁺ with parts as on x⁻ (noising), and x⁻ with parts as on x⁺ (denoising). */
export interface Interchange {
  readonly noised: Effects;
  readonly denoised: Effects;
  /** M(x⁺) − M(x⁺; part ← x⁻), [parts, pairs]. */
  readonly necessity: Float64Array;
  /** M(x⁻; part ← x⁺) − M(x⁻), [parts, pairs]. */
  readonly sufficiency: Float64Array;
}

const writesOf = ({ heads, mlps = [] }: Part, donor: Arm, positions: Positions): Intervention['writes'] => [
  ...heads.map((head) => swapHead(head, donor, positions)),
  ...mlps.map((layer) => ({ site: blockSite(layer, 'hook_mlp_out'), positions, op: 'swap' as const, donor: { arm: donor } })),
];

/** @param steps two runs */
export async function interchange(
  runner: Runner,
  pairs: PairSet,
  parts: readonly Part[],
  positions: Positions,
  { steps, arms: [sensitive, control] = ['sensitive', 'control'] }: { steps: RunSteps; arms?: readonly [Arm, Arm] },
): Promise<Interchange> {
  const run = (base: Arm, donor: Arm) =>
    runner.run(
      pairs,
      base,
      parts.map((part) => ({ id: part.id, writes: writesOf(part, donor, positions) })),
      { metrics: ['difference', 'argmax'], context: steps.next() },
    );
  const noised = await run(sensitive, control);
  const denoised = await run(control, sensitive);
  return { noised, denoised, necessity: changesOf(noised, -1), sufficiency: changesOf(denoised, 1) };
}

/**
 * Of the pairs that are refused without an intervention (or are not), the share that no longer are (or are then): [interventions]. NaN where there is
 * no such pair.
 */
export function flipsOf(effects: Effects, pairs: PairSet, arm: Arm, refusedBefore: boolean): Float64Array {
  const outcome = outcomesOf(pairs, arm);
  const refused = (tokens: Float32Array) =>
    Array.from(tokens, (token, pair) => Number.isFinite(token) && outcome(pair, token) === 'REFUSE');
  const before = refused(metricOf(effects, 'argmax'));
  const among = before.flatMap((was, pair) => (was === refusedBefore ? [pair] : []));
  return Float64Array.from(effects.interventions, (id) => {
    const after = refused(metricOf(effects, 'argmax', id));
    return among.filter((pair) => after[pair] !== refusedBefore).length / among.length;
  });
}
