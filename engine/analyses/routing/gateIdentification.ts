/**
 * Which head is the gate: the one with the largest necessity + sufficiency among those that have a deeper layer to trigger (methods.md §1.6, trap T9),
 * with its corrected p, how it stands in a ranking by direct effects (a gate is silent there: a lift below 1 is what is expected), how far the ranking
 * depends on which pairs were drawn, and how small an effect this screen would have found. All heads are screened, none is chosen by DLA first (T14).
 */
import { z } from 'zod';
import { detectableEffect } from '../../base/inference/detectableEffect.ts';
import { rankStability } from '../../base/inference/rankStability.ts';
import { criticalEffect, signFlipMaxT } from '../../base/inference/signFlip.ts';
import { Random } from '../../base/random.ts';
import { standardDeviation } from '../../base/statistics.ts';
import { wholeBetween } from '../../base/schema.ts';
import type { RoutingAnalysis } from './analysis.ts';
import { DirectEffects, requireComplete, sharesOf } from './components.ts';
import { attribute, sizeOf } from './directLogitAttribution.ts';
import { gateRanking } from './gateRanking.ts';
import { labelOf, RunSteps } from './heads.ts';
import { groundFacts, headAxes, screenMeasures, wayOf } from './screens.ts';
import { gapFacts, gapOf, pairAxis } from './shares.ts';

const options = z.strictObject({
  top: wholeBetween(1, 1000).default(3).meta({ description: 'how many of the first heads are compared between draws of pairs' }),
  draws: wholeBetween(1, 100_000).default(500).meta({ description: 'draws of pairs for each size of the stability curve' }),
});

/** Sizes of the stability curve: doubling, and all. */
const sizesOf = (pairs: number): number[] => [...[8, 16, 32, 64, 120, 240, 480].filter((size) => size < pairs), pairs];

export const gateIdentification: RoutingAnalysis<typeof options> = {
  id: 'gateIdentification',
  version: 1,
  title: 'which head is the gate, how sure that is, and how silent it is in direct attribution',
  arms: ['sensitive', 'control'],
  options,
  draws: true,
  async run({ label, model, pairs, seed, options: asked }, context) {
    const { config } = model;
    const n = pairs.pairs;
    const runner = context.runner(model);
    const random = new Random(seed).fork('gateIdentification');
    const steps = new RunSteps(`gateIdentification: ${label}`, context, 4);
    const { heads, swaps, sensitive, control, score, means, candidates } = await gateRanking(runner, pairs, config, steps);
    const direct = new DirectEffects(model, pairs);
    const attributed = await attribute(direct, runner, pairs, steps);
    const gap = gapOf(sensitive, control, new Random(seed));
    requireComplete('gateIdentification', attributed.error, sizeOf(gap, sensitive));
    const { shares, lifts } = sharesOf(attributed.difference, direct.labels.length);

    const axes = ['layer', 'head'] as const;
    const screen = (name: string, definition: string, way: ReturnType<typeof wayOf>) =>
      screenMeasures({ name, axes, definition, ways: [way] }, gap, random);
    const measures = {
      ...screen('necessity', 'M(x⁺) − M(x⁺ with the output as on x⁻)', wayOf('necessity', swaps.noised, swaps.necessity)),
      ...screen('sufficiency', 'M(x⁻ with the output as on x⁺) − M(x⁻)', wayOf('sufficiency', swaps.denoised, swaps.sufficiency)),
      ...screen('score', 'necessity + sufficiency of the pair', wayOf('score', swaps.noised, score)),
    };
    const [gate, second] = candidates;
    const effects = { data: score, pairs: n, cells: heads.length, outermost: 'cells' } as const;
    const finite = heads.flatMap((_head, cell) => (score.subarray(cell * n, (cell + 1) * n).every(Number.isFinite) ? [cell] : []));
    const sizes = sizesOf(n);
    const top = Math.min(asked.top, finite.length);
    const stability = rankStability(effects, { random: random.fork('stability'), sizes, top, draws: asked.draws, family: finite });
    const test = signFlipMaxT(effects, { random: random.fork('critical'), permutations: 2000, family: finite });
    const critical = criticalEffect(test, 0.05);
    const detectable = Float64Array.from(heads, (_head, cell) => {
      const own = score.subarray(cell * n, (cell + 1) * n);
      if (n < 2 || !finite.includes(cell)) return NaN;
      const size = detectableEffect({ deviation: standardDeviation(own), pairs: n, family: { critical, pairs: n } });
      return gap.divides ? size / Math.abs(gap.estimate) : NaN;
    });
    const at = (name: keyof typeof measures) => measures[name].data[gate];
    const overSizes = (definition: string, data: Float64Array) => ({ axes: ['pairsDrawn'], unit: 'share', definition, data });
    return {
      axes: { ...headAxes(config), pairsDrawn: { values: sizes, unit: 'pairs' }, pair: pairAxis(n) },
      measures: {
        ...measures,
        candidate: {
          axes,
          unit: '',
          definition: '1 for a head that has a layer after it, else 0: it cannot be a gate',
          data: Int32Array.from(heads, (_head, cell) => Number(candidates.includes(cell))),
        },
        rank: {
          axes,
          unit: '',
          definition: 'place by necessity + sufficiency among the candidates, 1 for the gate; NaN for others',
          data: Float64Array.from(heads, (_head, cell) => (candidates.includes(cell) ? 1 + candidates.indexOf(cell) : NaN)),
        },
        directShare: {
          axes,
          unit: 'share',
          definition: '|Δ| of the direct effect of Σ|Δ| over all components',
          data: shares.slice(0, heads.length),
        },
        directLift: {
          axes,
          unit: '',
          definition: 'directShare times the number of components: 1 is an equal share',
          data: lifts.slice(0, heads.length),
        },
        detectable: {
          axes,
          unit: 'share',
          definition: 'necessity + sufficiency that this screen finds with probability 0.8 at a corrected level of 0.05, of the mean gap',
          data: detectable,
        },
        stability: overSizes(`mean Jaccard of the first ${top} heads by score, of drawn pairs and of all`, stability.jaccard),
        stabilityLow: overSizes('lower end of the middle 95 % of the draws', stability.low),
        stabilityHigh: overSizes('upper end of it', stability.high),
        winnerChanges: overSizes('share of the draws in which another head is first', stability.winnerChanges),
      },
      facts: {
        ...groundFacts({
          label,
          device: context.executor.name,
          pairs: n,
          seed,
          family: `all ${heads.length} heads at the position that is read`,
        }),
        positions: 'read',
        gate: labelOf(heads[gate]),
        'gate.necessity': at('necessity'),
        'gate.sufficiency': at('sufficiency'),
        'gate.p': at('scoreP'),
        'gate.lift': lifts[gate],
        'gate.preferred': at('scoreP') < 0.001 && lifts[gate] < 1,
        ...(second !== undefined &&
          gap.divides && { second: labelOf(heads[second]), lead: (means[gate] - means[second]) / Math.abs(gap.estimate) }),
        ...gapFacts(gap),
      },
    };
  },
};
