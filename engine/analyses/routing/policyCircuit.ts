/**
 * A policy circuit in short: every head by interchange, by what it writes to the metric directly, by zeroing and under a cipher, and which of them
 * is the gate; then what the gate alone does to prompts in cipher (methods.md §1.6). Each of these has an analysis of its own that says more; here they are on one set of pairs, in the figures that scripts and claims read.
 */
import { z } from 'zod';
import { UserError } from '../../base/errors.ts';
import type { Findings, Measure } from '../../base/findings.ts';
import { ratioIntervals } from '../../base/inference/ratioInterval.ts';
import { signFlipMaxT } from '../../base/inference/signFlip.ts';
import { Random } from '../../base/random.ts';
import { wholeBetween } from '../../base/schema.ts';
import { headLabel } from '../../models/sites.ts';
import type { RoutingAnalysis } from './analysis.ts';
import { measureCircuit, type CircuitEffects } from './circuitEffects.ts';
import { requireComplete } from './components.ts';
import { sizeOf } from './directLogitAttribution.ts';
import { meanOf } from './heads.ts';
import { gapFacts, gapOf } from './shares.ts';

const LEVEL = 0.95;

const options = z.strictObject({
  permutations: wholeBetween(99, 1_000_000).default(10_000).meta({ description: 'relabellings of pairs that p rests on' }),
  resamples: wholeBetween(100, 1_000_000).default(2000).meta({ description: 'bootstrap samples of pairs that intervals rest on' }),
});

export const policyCircuit: RoutingAnalysis<typeof options> = {
  id: 'policyCircuit',
  version: 1,
  title: 'a policy circuit in short: every head by interchange, attribution, zeroing and cipher, and the gate among them',
  draws: true,
  options,
  arms: ['sensitive', 'control', 'cipher'],
  async run(input, context) {
    const { model, label, pairs, seed, options: asked } = input;
    const { layers, heads } = model.config;
    const found = await measureCircuit(context, { model, label, pairs });
    const cells = layers * heads;
    const random = new Random(seed).fork('policyCircuit');
    const gap = gapOf(found.metric.sensitive, found.metric.control, random);
    if (!gap.divides)
      throw new UserError(
        'policyCircuit: gap between sensitive and control',
        'must have an interval without 0, for all is divided by it',
        `${gap.estimate} [${gap.low}, ${gap.high}]`,
      );
    requireComplete('policyCircuit', found.incompleteness, sizeOf(gap));
    const effects = (data: Float64Array) => ({ data, pairs: pairs.pairs, cells, outermost: 'cells' as const });
    const interval = (data: Float64Array, name: string) =>
      ratioIntervals(effects(data), gap.pairs, { random: random.fork(name), resamples: asked.resamples, level: LEVEL });
    const [necessity, sufficiency] = [interval(found.necessity, 'necessity'), interval(found.sufficiency, 'sufficiency')];
    const test = signFlipMaxT(effects(found.necessity), { random: random.fork('signs'), permutations: asked.permutations });
    const overGap = (data: Float64Array) =>
      Float64Array.from(
        { length: cells },
        (_, cell) => meanOf(data.subarray(cell * pairs.pairs, (cell + 1) * pairs.pairs)) / gap.estimate + 0,
      );
    const cipherNecessity = overGap(found.cipherNecessity);
    const gate = gateOf(necessity.estimate, sufficiency.estimate, { layers, heads });

    return {
      axes: {
        head: { values: Array.from({ length: cells }, (_, cell) => headLabel(Math.floor(cell / heads), cell % heads)) },
        pair: { values: Array.from({ length: pairs.pairs }, (_, pair) => pair) },
      },
      measures: {
        ...withInterval('necessity', 'M(x⁺) − M(x⁺; head ← x⁻) over the gap', necessity),
        ...withInterval('sufficiency', 'M(x⁻; head ← x⁺) − M(x⁻) over the gap', sufficiency),
        p: ofHeads('', `sign-flip max-T of necessity over all ${cells} heads`, test.pValues),
        flip: ofHeads('share', 'pairs whose answer on x⁺ leaves the positive tokens under noising, of those that had it there', found.flip),
        dlaOverGap: ofHeads('of the gap', 'what the head writes to M directly, on x⁺ less on x⁻, scale frozen', overGap(found.direct)),
        dlaShare: ofHeads('share', '|Δ| of the head of Σ|Δ| over all components', found.directShare),
        zeroSensitive: ofHeads('of the gap', 'M(x⁺) − M(x⁺; head ← 0) over the gap', overGap(found.zeroSensitive)),
        zeroControl: ofHeads('of the gap', 'M(x⁻; head ← 0) − M(x⁻) over the gap', overGap(found.zeroControl)),
        cipherNecessity: ofHeads('of the gap', 'M(cipher) − M(cipher; head ← x⁻) over the gap in plain words', cipherNecessity),
        rescue: ofHeads('share', 'cipher prompts answered by a positive token with the head as on x⁺', found.rescue),
        necessityByPair: { axes: ['head', 'pair'], unit: 'logits', definition: 'M(x⁺) − M(x⁺; head ← x⁻)', data: found.necessity },
        sufficiencyByPair: { axes: ['head', 'pair'], unit: 'logits', definition: 'M(x⁻; head ← x⁺) − M(x⁻)', data: found.sufficiency },
        gapByPair: { axes: ['pair'], unit: 'logits', definition: 'M(x⁺) − M(x⁻)', data: gap.pairs },
      },
      facts: {
        model: label,
        metric: 'M = mean logit of the positive tokens − mean logit of the negative ones',
        ...gapFacts(gap),
        positions: 'read',
        pairs: pairs.pairs,
        seed,
        family: test.family,
        permutations: asked.permutations,
        'p.floor': test.floor,
        gate: headLabel(Math.floor(gate / heads), gate % heads),
        rescue: found.rescue[gate],
        collapse: 1 - cipherNecessity[gate] / necessity.estimate[gate],
        ...behaviourFacts(found),
      },
    };
  },
};

const ofHeads = (unit: string, definition: string, data: Float64Array): Measure => ({ axes: ['head'], unit, definition, data });

function withInterval(
  name: string,
  definition: string,
  { estimate, low, high }: { estimate: Float64Array; low: Float64Array; high: Float64Array },
): Findings['measures'] {
  const bound = (which: string) => `${100 * LEVEL} % interval of ${name}, ${which} bound, bootstrap over pairs`;
  return {
    [name]: ofHeads('of the gap', definition, estimate),
    [`${name}Low`]: ofHeads('of the gap', bound('lower'), low),
    [`${name}High`]: ofHeads('of the gap', bound('upper'), high),
  };
}

/** The largest necessity + sufficiency among heads that a deeper layer can read (trap T9). */
function gateOf(necessity: Float64Array, sufficiency: Float64Array, { layers, heads }: { layers: number; heads: number }): number {
  const cells = Math.max(1, layers - 1) * heads;
  let best = 0;
  for (let cell = 1; cell < cells; cell++) if (necessity[cell] + sufficiency[cell] > necessity[best] + sufficiency[best]) best = cell;
  return best;
}

/** What the model answers on each arm, where the pairs know what is right. */
function behaviourFacts({ right }: CircuitEffects): Findings['facts'] {
  return Object.fromEntries(Object.entries(right).map(([arm, share]) => [`right.${arm}`, share]));
}
