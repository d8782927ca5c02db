/**
 * Ablation of every head, four ways, on both members of a pair: zero, the mean over the corpus, another prompt of the corpus (resample), or one
 * direction taken out (methods.md P2, z ← z − α (z·k) k).
 *
 * Zero is off the distribution and may find nothing where interchange finds a gate: a model that refuses by default refuses both members then. So
 * effects stand for both members, and levels and outcomes beside them (trap T10). α = 1 removes the direction; the published 5 turns it round (T8).
 */
import { z } from 'zod';
import type { Findings } from '../../base/findings.ts';
import { Random } from '../../base/random.ts';
import { between } from '../../base/schema.ts';
import { metricOf, type Effects, type Runner } from '../../interventions/effects.ts';
import type { Intervention, Positions } from '../../interventions/intervention.ts';
import { blockSite, headOutput } from '../../models/sites.ts';
import { outcomeRule, outcomes, outcomesOf } from '../../tasks/outcomes.ts';
import type { PairSet } from '../../tasks/pairs.ts';
import type { RoutingAnalysis } from './analysis.ts';
import { headDirection, meanResidualDifference, metricDirection } from './headDirections.ts';
import { allHeads, labelOf, meanOf, positionsOf, positionsOption, RunSteps, type Head } from './heads.ts';
import { pooled } from './pooled.ts';
import { groundFacts, headAxes, screenMeasures, type Way } from './screens.ts';
import { gapFacts, gapOf, pairAxis } from './shares.ts';

export const ablations = ['zero', 'mean', 'resample', 'direction'] as const;
type Ablation = (typeof ablations)[number];
const MEMBERS = ['sensitive', 'control'] as const;

const options = z.strictObject({
  ablations: z
    .array(z.enum(ablations, `must be one of ${ablations.join(', ')}`), 'must be a list of ablations')
    .min(1, 'must be at least one')
    .refine((given) => new Set(given).size === given.length, 'must name each once')
    .default([...ablations])
    .meta({ description: 'what stands instead of the output of a head' }),
  positions: positionsOption('all', 'where it stands'),
  direction: z.enum(['difference', 'metric'], 'must be "difference" or "metric"').default('difference').meta({
    description: 'taken out of what a head writes: the mean difference of the residual after its layer, or that in which M is read',
  }),
  amount: between(-100, 100).default(1).meta({ description: 'α: how often the direction is taken out; 1 removes it, 5 turns it round' }),
});

export const headAblation: RoutingAnalysis<typeof options> = {
  id: 'headAblation',
  version: 1,
  title: 'what every head does to sensitive and control prompts when it is zeroed, averaged, resampled, or loses a direction',
  arms: ['sensitive', 'control'],
  options,
  draws: true,
  async run({ label, model, pairs, seed, options: asked }, context) {
    const { layers, heads } = model.config;
    const runner = context.runner(model);
    const random = new Random(seed).fork('headAblation');
    const directional = asked.ablations.includes('direction');
    const measured = directional && asked.direction === 'difference';
    const steps = new RunSteps(`headAblation: ${label}`, context, asked.ablations.length + (measured ? 2 : 0));
    const every = allHeads({ layers, heads });
    const both = pooled(pairs);
    const positions = positionsOf('headAblation: positions', asked.positions, pairs);
    const perLayer = measured
      ? await meanResidualDifference(runner, pairs, layers, steps)
      : new Array<Float64Array>(layers).fill(metricDirection(model, pairs));
    const vectors = directional ? every.map(({ layer, head }) => headDirection(model, layer, head, perLayer[layer])) : undefined;

    const runs: { ablation: Ablation; found: Way[]; effects: Effects }[] = [];
    for (const ablation of asked.ablations) {
      const interventions = every.flatMap((head, i) => interventionOf(ablation, head, positions, vectors?.[i], asked.amount));
      const effects = await runner.run(both, 'sensitive', interventions, {
        metrics: ['difference', 'argmax'],
        seed: random.fork('resample').seed,
        context: steps.next(),
      });
      runs.push({ ablation, effects, found: MEMBERS.map((member) => wayOf(ablation, every, effects, member, pairs.pairs)) });
    }
    const base = metricOf(runs[0].effects, 'difference');
    const gap = gapOf(base.subarray(0, pairs.pairs), base.subarray(pairs.pairs), new Random(seed));
    const screen = (member: number, name: string, definition: string) =>
      screenMeasures(
        { name, over: 'ablation', axes: ['layer', 'head'], definition, ways: runs.map(({ found }) => found[member]) },
        gap,
        random,
      );
    return {
      axes: {
        ablation: { values: asked.ablations },
        ...headAxes({ layers, heads }),
        member: { values: MEMBERS },
        outcome: { values: outcomes },
        pair: pairAxis(pairs.pairs),
      },
      measures: {
        ...screen(0, 'sensitive', 'M(x⁺) − M(x⁺ with the head ablated)'),
        ...screen(1, 'control', 'M(x⁻ with the head ablated) − M(x⁻)'),
        ...(await levels(runner, pairs, every, runs)),
      },
      facts: {
        ...groundFacts({
          label,
          device: context.executor.name,
          pairs: pairs.pairs,
          seed,
          family: `all ${every.length} heads under one ablation, on one member`,
        }),
        positions: asked.positions,
        'mean, resample': 'over all prompts of both members',
        ...(vectors && {
          direction:
            asked.direction === 'metric' ? 'that in which M is read' : 'mean difference of the residual after the layer, where it is read',
          amount: asked.amount,
          'heads without it':
            every
              .filter((_head, i) => !vectors[i])
              .map(labelOf)
              .join(', ') || 'none',
        }),
        ...gapFacts(gap),
      },
    };
  },
};

/** None for a head that writes nothing in the direction: there is nothing to take out. */
function interventionOf(
  ablation: Ablation,
  { layer, head }: Head,
  positions: Positions,
  vector: Float32Array | undefined,
  amount: number,
): Intervention[] {
  const write = { site: headOutput(layer), index: head, positions, op: 'ablate' } as const;
  const made = (one: Intervention['writes'][number]): Intervention[] => [{ id: labelOf({ layer, head }), writes: [one] }];
  switch (ablation) {
    case 'zero':
      return made({ ...write, donor: { zero: true } });
    case 'mean':
      return made({ ...write, donor: { mean: 'sensitive' } });
    case 'resample':
      return made({ ...write, donor: { resample: 'sensitive' } });
    case 'direction':
      return vector ? made({ ...write, vector, amount }) : [];
    default:
      return ablation satisfies never;
  }
}

/** Effects on one member: what the member loses, or the control gains. A head without a direction is left as it is, and proved to do nothing. */
function wayOf(label: string, every: readonly Head[], effects: Effects, member: (typeof MEMBERS)[number], pairs: number): Way {
  const [begin, sign] = member === 'sensitive' ? [0, -1] : [pairs, 1];
  const before = metricOf(effects, 'difference');
  const changes = new Float64Array(every.length * pairs);
  const at = every.map((head) => effects.interventions.indexOf(labelOf(head)));
  every.forEach((head, cell) => {
    if (at[cell] < 0) return;
    const after = metricOf(effects, 'difference', labelOf(head));
    for (let pair = 0; pair < pairs; pair++) changes[cell * pairs + pair] = 0 + sign * (after[begin + pair] - before[begin + pair]);
  });
  return {
    label: `${label} ${member}`,
    effects: changes,
    state: at.map((i) => (i < 0 ? 'proved-zero' : effects.state[i])),
    moved: at.map((i) => (i < 0 ? 0 : effects.moved[i])),
  };
}

/** M and outcomes with and without, of both members; and how much of a head's attention is parked on the first position (trap T11). */
async function levels(
  runner: Runner,
  pairs: PairSet,
  every: readonly Head[],
  runs: readonly { effects: Effects }[],
): Promise<Findings['measures']> {
  const n = pairs.pairs;
  const outcome = { sensitive: outcomesOf(pairs, 'sensitive'), control: outcomesOf(pairs, 'control') };
  const sharesOf = (tokens: Float32Array, m: number) => {
    const own = Array.from(tokens.subarray(m * n, (m + 1) * n), (token, pair) =>
      Number.isFinite(token) ? outcome[MEMBERS[m]](pair, token) : 'OTHER',
    );
    return outcomes.map((name) => own.filter((one) => one === name).length / n);
  };
  const without = (effects: Effects, head: Head, metric: string) =>
    metricOf(effects, metric, effects.interventions.includes(labelOf(head)) ? labelOf(head) : undefined);
  const each = (of: (effects: Effects, head: Head, m: number) => number[]) =>
    Float64Array.from(runs.flatMap(({ effects }) => MEMBERS.flatMap((_member, m) => every.flatMap((head) => of(effects, head, m)))));
  const rule = outcomeRule(pairs);
  const cells = ['ablation', 'member', 'layer', 'head'];
  const [{ effects: first }] = runs;
  const sinks = every.length > 0 ? await sinkMass(runner, pairs, every) : [];
  return {
    baseOutcomes: {
      axes: ['member', 'outcome'],
      unit: 'share',
      definition: `share of the prompts without an ablation, ${rule}`,
      data: Float64Array.from(MEMBERS.flatMap((_member, m) => sharesOf(metricOf(first, 'argmax'), m))),
    },
    outcomes: {
      axes: [...cells, 'outcome'],
      unit: 'share',
      definition: `share of the prompts with the head ablated, ${rule}`,
      data: each((effects, head, m) => sharesOf(without(effects, head, 'argmax'), m)),
    },
    level: {
      axes: cells,
      unit: 'logits',
      definition: 'M with the head ablated, mean over pairs',
      data: each((effects, head, m) => [meanOf(without(effects, head, 'difference').subarray(m * n, (m + 1) * n))]),
    },
    sinkMass: {
      axes: ['member', 'layer', 'head'],
      unit: 'share',
      definition: 'attention that the position that is read pays to the first position, mean over pairs',
      data: Float64Array.from(sinks),
    },
  };
}

async function sinkMass(runner: Runner, pairs: PairSet, every: readonly Head[]): Promise<number[]> {
  const observe = every.map(({ layer, head }) => ({ site: blockSite(layer, 'attn.hook_pattern'), index: head }));
  const masses: number[] = [];
  for (const member of MEMBERS) {
    const { baseObserved } = await runner.run(pairs, member, [], { observe });
    masses.push(
      ...baseObserved.map((pattern) => meanOf(Array.from({ length: pairs.pairs }, (_entry, pair) => pattern[pair * pairs.length]))),
    );
  }
  return masses;
}
