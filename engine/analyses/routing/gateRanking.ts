/** The ranking that leads to a gate: necessity + sufficiency of every head where the prompt is read. Who asks for it decides what to make of it. */
import { UserError } from '../../base/errors.ts';
import { metricOf, type Runner } from '../../interventions/effects.ts';
import type { TransformerConfig } from '../../models/transformer.ts';
import type { PairSet } from '../../tasks/pairs.ts';
import { allHeads, headOf, labelOf, meanOf, type Head, type RunSteps } from './heads.ts';
import { interchange, type Interchange } from './swaps.ts';

export interface Ranking {
  readonly heads: readonly Head[];
  readonly swaps: Interchange;
  /** M of every pair without an intervention. */
  readonly sensitive: Float32Array;
  readonly control: Float32Array;
  /** Necessity + sufficiency of every pair in logits, [heads, pairs]. */
  readonly score: Float64Array;
  /** Mean of it, with the sign of the gap: larger moves more of it. */
  readonly means: Float64Array;
  /** Indices of heads that have a layer after them (trap T9) and did not fail, the largest score first; ties go to the lower index. */
  readonly candidates: readonly number[];
}

/** @param steps two runs @throws UserError for a model of one layer: a gate has a layer after it */
export async function gateRanking(
  runner: Runner,
  pairs: PairSet,
  config: Pick<TransformerConfig, 'layers' | 'heads'>,
  steps: RunSteps,
): Promise<Ranking> {
  if (config.layers < 2) throw new UserError('gate: layers', 'must be at least 2: a gate has a layer after it', config.layers);
  const heads = allHeads(config);
  const swaps = await interchange(
    runner,
    pairs,
    heads.map((head) => ({ id: labelOf(head), heads: [head] })),
    'read',
    { steps },
  );
  const [sensitive, control] = [metricOf(swaps.noised, 'difference'), metricOf(swaps.denoised, 'difference')];
  const score = swaps.necessity.map((value, i) => value + swaps.sufficiency[i]);
  const sign = Math.sign(meanOf(sensitive) - meanOf(control)) || 1;
  const means = Float64Array.from(heads, (_head, cell) => sign * meanOf(score.subarray(cell * pairs.pairs, (cell + 1) * pairs.pairs)));
  const candidates = heads
    .flatMap(({ layer }, cell) => (layer < config.layers - 1 && Number.isFinite(means[cell]) ? [cell] : []))
    .sort((a, b) => means[b] - means[a] || a - b);
  if (candidates.length === 0) throw new UserError('gate: heads', 'must have finite effects: no head with a layer after it does', 'NaN');
  return { heads, swaps, sensitive, control, score, means, candidates };
}

/**
 * The gate asked for; with `auto`, the first of the ranking.
 * @param steps two runs @throws UserError naming `place`, for what is no head of the model
 */
export async function gateOf(
  place: string,
  asked: string,
  { config, pairs }: { config: TransformerConfig; pairs: PairSet },
  runner: Runner,
  steps: RunSteps,
): Promise<Head> {
  if (asked !== 'auto') return headOf(`${place}: gate`, asked, config);
  const { heads, candidates } = await gateRanking(runner, pairs, config, steps);
  return heads[candidates[0]];
}
