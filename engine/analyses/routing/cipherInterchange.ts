/**
 * What the heads of a circuit do under a cipher (methods.md P4, §1.6): necessity and sufficiency of every head with the sensitive prompt in plain words
 * and in cipher, the control prompt in plain words both times; and by how much they collapse.
 *
 *   necessity(plain) = mean[M(x⁺) − M(x⁺; h ← x⁻)]      necessity(cipher) = mean[M(c⁺) − M(c⁺; h ← x⁻)]      both over the plain mean gap
 *   collapse = 1 − necessity(cipher) / necessity(plain)
 *
 * signed, with an interval, and beside it of mean absolute changes, which hide the sign and are mostly noise where effects are small (trap T6).
 */
import { z } from 'zod';
import type { Findings, Measure } from '../../base/findings.ts';
import { ratioIntervals } from '../../base/inference/ratioInterval.ts';
import { Random } from '../../base/random.ts';
import { metricOf } from '../../interventions/effects.ts';
import type { RoutingAnalysis } from './analysis.ts';
import { gateOf } from './gateRanking.ts';
import { allHeads, gateOption, labelOf, meanOf, RunSteps } from './heads.ts';
import { groundFacts, headAxes, screenMeasures, wayOf } from './screens.ts';
import { gapFacts, gapOf, pairAxis } from './shares.ts';
import { interchange, type Part } from './swaps.ts';

const options = z.strictObject({ gate: gateOption });

export const cipherInterchange: RoutingAnalysis<typeof options> = {
  id: 'cipherInterchange',
  version: 1,
  title: 'necessity of every head under a cipher, and how far it collapses',
  arms: ['sensitive', 'control', 'cipher'],
  options,
  draws: true,
  async run({ label, model, pairs, seed, options: asked }, context) {
    const { config } = model;
    const runner = context.runner(model);
    const random = new Random(seed).fork('cipherInterchange');
    const steps = new RunSteps(`cipher interchange: ${label}`, context, 6);
    const heads = allHeads(config);
    const parts = heads.map((head): Part => ({ id: labelOf(head), heads: [head] }));
    const gate = await gateOf('cipherInterchange', asked.gate, { config, pairs }, runner, steps);
    const plain = await interchange(runner, pairs, parts, 'read', { steps });
    const cipher = await interchange(runner, pairs, parts, 'read', { steps, arms: ['cipher', 'control'] });
    const gap = gapOf(metricOf(plain.noised, 'difference'), metricOf(plain.denoised, 'difference'), random);
    const ciphered = gapOf(metricOf(cipher.noised, 'difference'), metricOf(cipher.denoised, 'difference'), random, 'cipher');
    const axes = ['layer', 'head'];
    const collapses = heads.map((head, cell) => {
      const own = (effects: Float64Array) => effects.subarray(cell * pairs.pairs, (cell + 1) * pairs.pairs);
      return collapseOf(own(plain.necessity), own(cipher.necessity), random.fork('collapse', labelOf(head)));
    });
    const perHead = (unit: string, definition: string, of: (collapse: Collapse) => number): Measure => ({
      axes,
      unit,
      definition: `${definition}; NaN for a head whose necessity in plain words has an interval that contains 0`,
      data: Float64Array.from(collapses, of),
    });
    const way = (effects: 'noised' | 'denoised', changes: 'necessity' | 'sufficiency') => [
      wayOf('plain', plain[effects], plain[changes]),
      wayOf('cipher', cipher[effects], cipher[changes]),
    ];
    const ofGate = collapses[gate.layer * config.heads + gate.head];
    const gateCell = heads.findIndex((head) => labelOf(head) === labelOf(gate));
    const measures: Findings['measures'] = {
      ...screenMeasures(
        {
          name: 'necessity',
          over: 'arm',
          axes,
          definition: 'M(x) − M(x with the head as on control), x the sensitive prompt in plain words or in cipher',
          ways: way('noised', 'necessity'),
        },
        gap,
        random,
      ),
      ...screenMeasures(
        {
          name: 'sufficiency',
          over: 'arm',
          axes,
          definition: 'M(control with the head as on x) − M(control), x the sensitive prompt in plain words or in cipher',
          ways: way('denoised', 'sufficiency'),
        },
        gap,
        random,
      ),
      collapse: perHead(
        'share',
        '1 − mean necessity under the cipher / mean necessity in plain words, signed',
        ({ signed }) => signed.estimate,
      ),
      collapseLow: perHead('share', 'lower end of its 95 % interval, bootstrap over pairs', ({ signed }) => signed.low),
      collapseHigh: perHead('share', 'upper end of it', ({ signed }) => signed.high),
      collapseAbsolute: perHead(
        'share',
        '1 − mean |necessity| under the cipher / mean |necessity| in plain words, over pairs',
        ({ absolute }) => absolute.estimate,
      ),
      collapseAbsoluteLow: perHead('share', 'lower end of its 95 % interval', ({ absolute }) => absolute.low),
      collapseAbsoluteHigh: perHead('share', 'upper end of it', ({ absolute }) => absolute.high),
    };
    return {
      axes: { arm: { values: ['plain', 'cipher'] }, ...headAxes(config), pair: pairAxis(pairs.pairs) },
      measures,
      facts: {
        ...groundFacts({ label, device: context.executor.name, pairs: pairs.pairs, seed, family: 'all heads of an arm' }),
        positions: 'read',
        ...gapFacts(gap),
        'cipher.gap': ciphered.estimate,
        'cipher.gap.low': ciphered.low,
        'cipher.gap.high': ciphered.high,
        gate: labelOf(gate),
        'gate.necessity': measures.necessity.data[gateCell],
        'gate.cipherNecessity': measures.necessity.data[heads.length + gateCell],
        'gate.collapse': ofGate.signed.estimate,
        'gate.collapse.low': ofGate.signed.low,
        'gate.collapse.high': ofGate.signed.high,
        'gate.collapse.absolute': ofGate.absolute.estimate,
      },
    };
  },
};

interface Bounds {
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
}

interface Collapse {
  readonly signed: Bounds;
  readonly absolute: Bounds;
}

const REFUSED: Bounds = { estimate: NaN, low: NaN, high: NaN };

/** @param plain necessity of every pair in plain words, in logits @param cipher of the same pairs under the cipher */
function collapseOf(plain: Float64Array, cipher: Float64Array, random: Random): Collapse {
  const size = gapOf(plain, new Float64Array(plain.length), random, 'plain');
  // Rounding has intervals too, but nothing collapses that is not there.
  if (!size.divides || !plain.every(Number.isFinite) || !cipher.every(Number.isFinite) || plain.length < 2)
    return { signed: REFUSED, absolute: REFUSED };
  return {
    signed: fallOf(plain, cipher, random.fork('signed')),
    absolute: fallOf(plain.map(Math.abs), cipher.map(Math.abs), random.fork('absolute')),
  };
}

/** 1 − mean after / mean before, pairs drawn together. */
function fallOf(before: Float64Array, after: Float64Array, random: Random): Bounds {
  if (meanOf(before) === 0) return REFUSED;
  const { estimate, low, high } = ratioIntervals({ data: after, pairs: after.length, cells: 1 }, before, { random });
  return { estimate: 1 - estimate[0], low: 1 - high[0], high: 1 - low[0] };
}
