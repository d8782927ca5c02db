/**
 * Which heads speak in plain words and fall silent under the cipher, by a pass for each arm (methods.md P8): in what they write to the metric at the
 * output, and in what they write at their own layer. The first cannot see an ideal gate, which writes nothing to the metric (trap T23); the second can.
 *
 *   s[l,h]     = |mean DLA(x⁺) − mean DLA(c⁺)|                                        local[l,h]: the same of the share in u_l
 *   s'[l,h]    = |(mean DLA(x⁺) − mean DLA(x⁻)) − (mean DLA(c⁺) − mean DLA(c⁻))|      difference of differences (trap T15)
 *
 * c⁺ is the sensitive prompt in cipher, c⁻ the control one. Part of s is only that a cipher looks different; s' takes that away. Local shares are of the
 * u of their own layer, so they are most alike within a layer; `first` is the head with the largest local s' of all.
 */
import { z } from 'zod';
import type { Measure } from '../../base/findings.ts';
import { Random } from '../../base/random.ts';
import type { Arm } from '../../tasks/pairs.ts';
import type { RoutingAnalysis } from './analysis.ts';
import { DirectEffects, incompleteness, requireComplete } from './components.ts';
import { gateOf } from './gateRanking.ts';
import { gateOption, labelOf, meanOf, RunSteps } from './heads.ts';
import { minus, ranksOf, ResidualWrites, type ReadValues } from './residualWrites.ts';
import { groundFacts, headAxes } from './screens.ts';
import { gapFacts, gapOf, pairAxis, shareMeasures, type Gap } from './shares.ts';

const options = z.strictObject({ gate: gateOption });

export const cipherContrast: RoutingAnalysis<typeof options> = {
  id: 'cipherContrast',
  version: 1,
  title: 'which heads speak in plain words and not under the cipher, at the output and at their own layer',
  arms: ['sensitive', 'control', 'cipher'],
  options,
  draws: true,
  async run({ label, model, pairs, seed, options: asked }, context) {
    const { config } = model;
    const runner = context.runner(model);
    const random = new Random(seed).fork('cipherContrast');
    const arms: Arm[] = ['sensitive', 'control', 'cipher', ...(pairs.arms.benignCipher ? ['benignCipher' as const] : [])];
    const steps = new RunSteps(`cipher contrast: ${label}`, context, 2 + arms.length);
    const gate = await gateOf('cipherContrast', asked.gate, { config, pairs }, runner, steps);
    const writes = new ResidualWrites(model, pairs);
    const direct = new DirectEffects(model, pairs);
    const heads = writes.heads;
    const seen: { values: ReadValues; final: Float64Array; error: number; metric: Float32Array }[] = [];
    for (const arm of arms) {
      const { values, more, metric } = await writes.read(runner, arm, steps, direct.observe);
      const final = direct.of(more);
      seen.push({ values, final: final.subarray(0, heads * pairs.pairs), error: incompleteness(final, metric), metric });
    }
    const gap = gapOf(seen[0].metric, seen[1].metric, random);
    requireComplete('cipherContrast', Math.max(...seen.map(({ error }) => error)), gap.estimate);

    const local = localShares(
      writes,
      seen.map(({ values }) => values),
      config,
      pairs.pairs,
    );
    const ways = [
      { name: 'final', what: 'direct effect on M', of: seen.map(({ final }) => final), over: gap },
      {
        name: 'local',
        what: 'share of what the head writes in the mean difference of the residuals after its layer',
        of: local,
        over: unitGap(pairs.pairs),
      },
    ];
    const axes = ['layer', 'head'];
    const measures: Record<string, Measure> = {};
    const ranks: Record<string, Int32Array> = {};
    for (const { name, what, of, over } of ways) {
      const [plus, less, cipher, benign] = of;
      const routing = minus(plus, less);
      const contrasts: [key: string, definition: string, effects: Float64Array][] = [
        [`${name}Routing`, `${what}, sensitive − control`, routing],
        [`${name}Contrast`, `${what}, sensitive in plain words − in cipher`, minus(plus, cipher)],
        ...(arms.length > 3
          ? (
              [
                [
                  `${name}Difference`,
                  `${what}, (sensitive − control in plain words) − (sensitive − control in cipher)`,
                  minus(routing, minus(cipher, benign)),
                ],
              ] as const
            ).map((own): [string, string, Float64Array] => [...own])
          : []),
      ];
      for (const [key, definition, effects] of contrasts) {
        Object.assign(
          measures,
          shareMeasures(
            {
              name: key,
              axes,
              definition,
              effects,
              cells: heads,
              ...(over !== gap && { unit: 'share', over: '1: it is a share already' }),
            },
            over,
            random,
          ),
        );
        ranks[key] = ranksOf(measures[`${key}Effect`].data);
        measures[`${key}Rank`] = {
          axes,
          unit: '',
          definition: `rank of |${key}| among all heads, 1 the largest; equals share the worse rank; 0 where it is NaN`,
          data: ranks[key],
        };
      }
      measures[`${name}Level`] = {
        axes: ['arm', 'layer', 'head'],
        unit: over === gap ? 'logits' : 'share',
        definition: `${what}, mean over the prompts of the arm`,
        data: Float64Array.from(of.flatMap((own) => meansOf(own, heads))),
      };
      measures[`${name}GateLike`] = {
        axes,
        unit: over === gap ? 'logits' : 'share',
        definition: `how far the head stands out on the sensitive prompt in plain words from both others: the lesser of ${name}Routing and ${name}Contrast, means over pairs`,
        data: least(measures[`${name}RoutingEffect`], measures[`${name}ContrastEffect`]),
      };
    }
    const cell = gate.layer * config.heads + gate.head;
    const order = (key: string) => {
      if (!(key in ranks)) return {};
      const effects = measures[`${key}Effect`].data;
      const inLayer = effects.slice(gate.layer * config.heads, (gate.layer + 1) * config.heads);
      return {
        [`gate.${key}`]: effects[cell],
        [`gate.${key}.rank`]: ranks[key][cell],
        [`gate.${key}.rankInLayer`]: ranksOf(inLayer)[gate.head],
      };
    };
    return {
      axes: { arm: { values: arms }, ...headAxes(config), pair: pairAxis(pairs.pairs) },
      measures,
      facts: {
        ...groundFacts({ label, device: context.executor.name, pairs: pairs.pairs, seed, family: 'all heads of a contrast' }),
        positions: 'read',
        ...gapFacts(gap),
        localUnit: 'share of ‖u‖², u the mean of sensitive − control of the residual after the layer of the head; NaN where it is 0',
        gate: labelOf(gate),
        ...order('finalContrast'),
        ...order('finalDifference'),
        ...order('localContrast'),
        ...order('localDifference'),
        first: headNamed(ranks.localDifference ?? ranks.localContrast, config.heads),
      },
    };
  },
};

/** A share is over 1 in every pair. */
const unitGap = (pairs: number): Gap => ({ estimate: 1, low: 1, high: 1, divides: true, pairs: new Float64Array(pairs).fill(1) });

const meansOf = (values: Float64Array, cells: number): number[] => {
  const pairs = values.length / cells;
  return Array.from({ length: cells }, (_entry, cell) => meanOf(values.subarray(cell * pairs, (cell + 1) * pairs)));
};

const least = (one: Measure, other: Measure): Float64Array => Float64Array.from(one.data, (value, i) => Math.min(value, other.data[i]));

function headNamed(ranks: Int32Array, heads: number): string {
  const first = ranks.indexOf(1);
  return first < 0 ? 'none' : labelOf({ layer: Math.floor(first / heads), head: first % heads });
}

/** Of every arm what each head writes along the direction of its own layer, [heads, pairs]. */
function localShares(
  writes: ResidualWrites,
  arms: readonly ReadValues[],
  { layers, heads }: { layers: number; heads: number },
  pairs: number,
): Float64Array[] {
  const [plus, less] = arms;
  const found = arms.map(() => new Float64Array(layers * heads * pairs).fill(NaN));
  for (let layer = 0; layer < layers; layer++) {
    const direction = writes.direction(plus, less, layer + 1);
    if (!direction) continue;
    const begin = layer * heads * pairs;
    arms.forEach((own, i) => found[i].set(writes.along(own, direction, layer + 1).subarray(begin, begin + heads * pairs), begin));
  }
  return found;
}
