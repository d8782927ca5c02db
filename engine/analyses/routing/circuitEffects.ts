/** The forwards behind policyCircuit.ts: effects of every head pair by pair, and answers. What is made of them is its business. */
import { metricOf, type Effects } from '../../interventions/effects.ts';
import type { Arm, Intervention, Operation } from '../../interventions/intervention.ts';
import { headOutput } from '../../models/sites.ts';
import { armsOf, type PairSet } from '../../tasks/pairs.ts';
import type { RoutingContext, Subject } from './analysis.ts';
import { DirectEffects, sharesOf } from './components.ts';
import { attribute } from './directLogitAttribution.ts';
import { allHeads, labelOf, RunSteps } from './heads.ts';
import { changesOf } from './screens.ts';
import { flipsOf, interchange } from './swaps.ts';

/** Measures by head are [heads, pairs], in logits and signed as their names say; shares are [heads]. */
export interface CircuitEffects {
  readonly metric: Readonly<Record<'sensitive' | 'control', Float32Array>>;
  /** The largest |Σ of what components write − M|. */
  readonly incompleteness: number;
  readonly necessity: Float64Array;
  readonly sufficiency: Float64Array;
  readonly zeroSensitive: Float64Array;
  readonly zeroControl: Float64Array;
  readonly cipherNecessity: Float64Array;
  readonly flip: Float64Array;
  readonly rescue: Float64Array;
  /** What heads write to M directly, x⁺ less x⁻. */
  readonly direct: Float64Array;
  /** |Δ| of heads over that of all components. */
  readonly directShare: Float64Array;
  /** Share of prompts answered as expected, by arm. */
  readonly right: Readonly<Partial<Record<Arm, number>>>;
}

const METRICS = ['difference', 'argmax'] as const;

export async function measureCircuit(context: RoutingContext, { label, model, pairs }: Subject): Promise<CircuitEffects> {
  const steps = new RunSteps(`policyCircuit: ${label}`, context, 10);
  const runner = context.runner(model);
  const heads = allHeads(model.config);
  const every = (operation: Operation): Intervention[] =>
    heads.map((head) => ({
      id: labelOf(head),
      writes: [{ site: headOutput(head.layer), index: head.head, positions: 'read', ...operation }],
    }));
  const run = (arm: Arm, interventions: readonly Intervention[]) =>
    runner.run(pairs, arm, interventions, { metrics: METRICS, context: steps.next() });
  const from = (arm: Arm) => every({ op: 'swap', donor: { arm } });
  const zeros = every({ op: 'ablate', donor: { zero: true } });

  const parts = heads.map((head) => ({ id: labelOf(head), heads: [head] }));
  const { noised, denoised, necessity, sufficiency } = await interchange(runner, pairs, parts, 'read', { steps });
  const zeroed = { sensitive: await run('sensitive', zeros), control: await run('control', zeros) };
  const ciphered = { noised: await run('cipher', from('control')), rescued: await run('cipher', from('sensitive')) };
  const directly = new DirectEffects(model, pairs);
  const { difference, error, metric } = await attribute(directly, runner, pairs, steps);
  return {
    metric,
    incompleteness: error,
    necessity,
    sufficiency,
    zeroSensitive: changesOf(zeroed.sensitive, -1),
    zeroControl: changesOf(zeroed.control, 1),
    cipherNecessity: changesOf(ciphered.noised, -1),
    flip: flipsOf(noised, pairs, 'sensitive', true),
    rescue: Float64Array.from(ciphered.rescued.interventions, (id) => refusals(pairs, metricOf(ciphered.rescued, 'argmax', id))),
    direct: difference.subarray(0, directly.heads * pairs.pairs),
    directShare: sharesOf(difference, directly.labels.length).shares.slice(0, directly.heads),
    right: await rightAnswers(pairs, { sensitive: noised, control: denoised, cipher: ciphered.rescued }, run),
  };
}

async function rightAnswers(
  pairs: PairSet,
  known: Readonly<Partial<Record<Arm, Effects>>>,
  run: (arm: Arm, interventions: readonly Intervention[]) => Promise<Effects>,
): Promise<Partial<Record<Arm, number>>> {
  const right: Partial<Record<Arm, number>> = {};
  for (const arm of armsOf(pairs)) {
    const expected = pairs.labels?.expected?.[arm];
    if (!expected) continue;
    const answers = metricOf(known[arm] ?? (await run(arm, [])), 'argmax');
    right[arm] = answers.reduce((sum, answer, pair) => sum + Number(answer === expected[pair]), 0) / pairs.pairs;
  }
  return right;
}

/** The share of answers that are positive tokens. */
function refusals({ pairs, metric: { positive } }: PairSet, answers: Float32Array): number {
  const { count, tokens } = positive;
  return answers.reduce((sum, answer, pair) => sum + Number(tokens.subarray(pair * count, (pair + 1) * count).includes(answer)), 0) / pairs;
}
