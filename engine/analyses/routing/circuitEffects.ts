/** The forwards behind policyCircuit.ts: effects of every head pair by pair, residuals swapped layer by layer, answers. Nothing is averaged or tested here but shares. */
import { metricOf, observedOf, type Observation } from '../../interventions/effects.ts';
import type { Arm, Intervention, Operation } from '../../interventions/intervention.ts';
import type { LanguageModel } from '../../models/languageModel.ts';
import { blockSite, headLabel, headOutput } from '../../models/sites.ts';
import { settled } from '../../models/transformer.ts';
import { armsOf, type PairSet } from '../../tasks/pairs.ts';
import type { RoutingContext, Subject } from './analysis.ts';
import { frozenScale, headWrite } from './frozenScale.ts';

/** Measures by head are [heads, pairs], in logits and signed as their names say; shares are [heads]. */
export interface CircuitEffects {
  readonly gaps: Float64Array;
  readonly necessity: Float64Array;
  readonly sufficiency: Float64Array;
  readonly zeroSensitive: Float64Array;
  readonly zeroControl: Float64Array;
  readonly cipherNecessity: Float64Array;
  readonly flip: Float64Array;
  readonly rescue: Float64Array;
  /** What heads write to M directly, x⁺ less x⁻. */
  readonly direct: Float64Array;
  /** The same of MLPs, mean over pairs. */
  readonly directElsewhere: readonly number[];
  /** [layers + 1] share of the gap. */
  readonly route: Float64Array;
  readonly content: Float64Array | undefined;
  /** Share of prompts answered as expected, by arm. */
  readonly right: Readonly<Partial<Record<Arm, number>>>;
}

const METRICS = ['difference', 'argmax'] as const;

export async function measureCircuit(
  context: RoutingContext,
  model: LanguageModel,
  pairs: PairSet,
  other?: Subject,
): Promise<CircuitEffects> {
  const { layers, heads } = settled(model.config);
  const runner = context.runner(model);
  const each = (operation: Operation): Intervention[] =>
    Array.from({ length: layers * heads }, (_, cell) => {
      const [layer, head] = [Math.floor(cell / heads), cell % heads];
      return { id: headLabel(layer, head), writes: [{ site: headOutput(layer), index: head, positions: 'read', ...operation }] };
    });
  const observe = observations(layers, heads);
  const run = (arm: Arm, interventions: readonly Intervention[], observed: readonly Observation[] = []) =>
    runner.run(pairs, arm, interventions, { metrics: METRICS, observe: observed, context });
  const from = (arm: Arm) => each({ op: 'swap', donor: { arm } });
  const zeros = each({ op: 'ablate', donor: { zero: true } });

  const noised = await run('sensitive', from('control'), observe);
  const denoised = await run('control', from('sensitive'), observe);
  const zeroed = { sensitive: await run('sensitive', zeros), control: await run('control', zeros) };
  const ciphered = { necessity: await run('cipher', from('control')), rescue: await run('cipher', from('sensitive')) };
  const base = {
    sensitive: metricOf(noised, 'difference'),
    control: metricOf(denoised, 'difference'),
    cipher: metricOf(ciphered.rescue, 'difference'),
  };

  const rows = pairs.pairs;
  const byHead = (effects: typeof noised, sign: 1 | -1, from: Float32Array) => {
    const data = new Float64Array(layers * heads * rows);
    effects.interventions.forEach((id, cell) =>
      metricOf(effects, 'difference', id).forEach((value, pair) => (data[cell * rows + pair] = 0 + sign * (value - from[pair]))),
    );
    return data;
  };
  const positive = (answers: Float32Array) => Array.from(answers, (answer, pair) => isPositive(pairs, pair, answer));
  const before = positive(metricOf(noised, 'argmax'));
  const answered = before.filter(Boolean).length;
  const shares = (effects: typeof noised, share: (now: readonly boolean[]) => number) =>
    Float64Array.from(effects.interventions, (id) => share(positive(metricOf(effects, 'argmax', id))));
  const right: Partial<Record<Arm, number>> = {};
  for (const arm of armsOf(pairs)) {
    const expected = pairs.labels?.expected?.[arm];
    const answers = metricOf(arm === 'sensitive' ? noised : arm === 'control' ? denoised : await run(arm, []), 'argmax');
    if (expected) right[arm] = answers.reduce((sum, answer, pair) => sum + Number(answer === expected[pair]), 0) / rows;
  }
  return {
    gaps: Float64Array.from(base.sensitive, (value, pair) => value - base.control[pair]),
    necessity: byHead(noised, -1, base.sensitive),
    sufficiency: byHead(denoised, 1, base.control),
    zeroSensitive: byHead(zeroed.sensitive, -1, base.sensitive),
    zeroControl: byHead(zeroed.control, 1, base.control),
    cipherNecessity: byHead(ciphered.necessity, -1, base.cipher),
    flip: shares(noised, (now) => now.filter((own, pair) => before[pair] && !own).length / answered),
    rescue: shares(ciphered.rescue, (now) => now.filter(Boolean).length / rows),
    ...direct(model, pairs, [noised, denoised]),
    route: await settledBy(context, model, pairs),
    content: other && (await settledBy(context, other.model, other.pairs)),
    right,
  };
}

/** z of every head, then what every MLP writes, then the last residual. */
function observations(layers: number, heads: number): Observation[] {
  const each = <T>(count: number, make: (i: number) => T) => Array.from({ length: count }, (_, i) => make(i));
  return [
    ...each(layers * heads, (cell) => ({ site: headOutput(Math.floor(cell / heads)), index: cell % heads })),
    ...each(layers, (layer) => ({ site: blockSite(layer, 'hook_mlp_out') })),
    { site: blockSite(layers - 1, 'hook_resid_post') },
  ];
}

type Run = Parameters<typeof observedOf>[0];

function direct(
  { config, parameters }: LanguageModel,
  pairs: PairSet,
  [sensitive, control]: readonly [Run, Run],
): Pick<CircuitEffects, 'direct' | 'directElsewhere'> {
  const { layers, heads, width } = settled(config);
  const scale = frozenScale(config, parameters, pairs);
  const part = (values: Float32Array, pair: number) =>
    values.subarray((pair * values.length) / pairs.pairs, ((pair + 1) * values.length) / pairs.pairs);
  const own = new Float64Array(layers * heads * pairs.pairs);
  const elsewhere = new Array<number>(layers).fill(0);
  for (const [effects, sign] of [
    [sensitive, 1],
    [control, -1],
  ] as const)
    for (let pair = 0; pair < pairs.pairs; pair++) {
      const read = scale.readOut(pair, part(observedOf(effects, layers * heads + layers), pair).subarray(0, width));
      for (let cell = 0; cell < layers * heads; cell++) {
        const written = headWrite(config, parameters, Math.floor(cell / heads), cell % heads, part(observedOf(effects, cell), pair));
        own[cell * pairs.pairs + pair] += sign * read(written);
      }
      for (let layer = 0; layer < layers; layer++)
        elsewhere[layer] += (sign * read(part(observedOf(effects, layers * heads + layer), pair))) / pairs.pairs;
    }
  return { direct: own, directElsewhere: elsewhere };
}

/** How much of the gap goes with the residual at the read position after 0, 1, … layers. */
async function settledBy(context: RoutingContext, model: LanguageModel, pairs: PairSet): Promise<Float64Array> {
  const { layers } = settled(model.config);
  const interventions = Array.from({ length: layers + 1 }, (_, completed): Intervention => ({
    id: `after ${completed}`,
    writes: [
      {
        site: completed === 0 ? blockSite(0, 'hook_resid_pre') : blockSite(completed - 1, 'hook_resid_post'),
        positions: 'read',
        op: 'swap',
        donor: { arm: 'control' },
      },
    ],
  }));
  const runner = context.runner(model);
  const swapped = await runner.run(pairs, 'sensitive', interventions, { context });
  const [base, control] = [metricOf(swapped, 'difference'), metricOf(await runner.run(pairs, 'control', [], { context }), 'difference')];
  const gap = base.reduce((sum, value, pair) => sum + value - control[pair], 0);
  return Float64Array.from(
    interventions,
    ({ id }) => metricOf(swapped, 'difference', id).reduce((sum, value, pair) => sum + base[pair] - value, 0) / gap,
  );
}

function isPositive({ metric: { positive } }: PairSet, pair: number, answer: number): boolean {
  return positive.tokens.subarray(pair * positive.count, (pair + 1) * positive.count).includes(answer);
}
