/**
 * Rescue (methods.md P10): the prompt in cipher is answered; does it refuse if the gate is as it was on the prompt in plain words? With the controls
 * without which a rate says nothing (trap T22): a benign donor, another prompt's, the mean one, another head, and an amplifier without the gate.
 *
 * How long a write lasts is part of the record (trap T16): in the prompt only, or at the last position of every later step too. What is read here is
 * one step, in which both are the same.
 */
import { z } from 'zod';
import type { Findings } from '../../base/findings.ts';
import { Random } from '../../base/random.ts';
import { bootstrapInterval } from '../../base/statistics.ts';
import { metricOf, type Effects } from '../../interventions/effects.ts';
import type { Donor, Intervention, Write } from '../../interventions/intervention.ts';
import { headOutput } from '../../models/sites.ts';
import { outcomeRule, outcomes, outcomesOf } from '../../tasks/outcomes.ts';
import type { PairSet } from '../../tasks/pairs.ts';
import type { RoutingAnalysis } from './analysis.ts';
import { gateOf } from './gateRanking.ts';
import { allHeads, gateOption, labelOf, meanOf, RunSteps, type Head } from './heads.ts';
import { changesOf, groundFacts, headAxes, screenMeasures, wayOf } from './screens.ts';
import { gapFacts, gapOf, pairAxis } from './shares.ts';

const options = z.strictObject({
  gate: gateOption,
  lifetime: z
    .enum(['prompt', 'persistent'], 'must be "prompt" or "persistent"')
    .default('prompt')
    .meta({ description: 'of the write: in the prompt only, or at the last position of every later step too' }),
});

export const rescue: RoutingAnalysis<typeof options> = {
  id: 'rescue',
  version: 1,
  title: 'refusals that come back under a cipher when the gate is as in plain words, with controls',
  arms: ['sensitive', 'control', 'cipher'],
  options,
  draws: true,
  async run({ label, model, pairs, seed, options: { gate: asked, lifetime } }, context) {
    const { config } = model;
    const runner = context.runner(model);
    const random = new Random(seed).fork('rescue');
    const steps = new RunSteps(`rescue: ${label}`, context, 6);
    const gate = await gateOf('rescue', asked, { config, pairs }, runner, steps);
    const heads = allHeads(config);
    const metrics = ['difference', 'argmax'] as const;
    const base = async (arm: 'sensitive' | 'control') => runner.run(pairs, arm, [], { metrics, context: steps.next() });
    const [plain, control] = [await base('sensitive'), await base('control')];
    const gap = gapOf(metricOf(plain, 'difference'), metricOf(control, 'difference'), random);

    const put = ({ layer, head }: Head, donor: Donor): Write => ({
      site: headOutput(layer),
      index: head,
      positions: 'read',
      op: 'swap',
      donor,
    });
    const intervention = (id: string, writes: Write[]): Intervention => ({ id, writes, lifetime });
    const own = { arm: 'sensitive' } as const;
    const single = await runner.run(
      pairs,
      'cipher',
      [
        ...heads.map((head) => intervention(labelOf(head), [put(head, own)])),
        intervention('benign donor', [put(gate, { arm: 'control' })]),
        ...(pairs.pairs > 1 ? [intervention('other prompt', [put(gate, { resample: 'sensitive' })])] : []),
        intervention('mean donor', [put(gate, { mean: 'sensitive' })]),
      ],
      { metrics, seed: random.fork('donors').seed, context: steps.next() },
    );
    const rates = new Rates(pairs);
    const amplifiers = heads.filter(({ layer }) => layer > gate.layer);
    const best = loudest(amplifiers, (head) => [
      rates.refused(single, labelOf(head)),
      meanOf(metricOf(single, 'difference', labelOf(head))),
    ]);
    const others = heads.filter((head) => head.layer <= gate.layer && labelOf(head) !== labelOf(gate));
    const drawn = others.length > 0 ? others[random.fork('random head').integer(others.length)] : undefined;
    const next = amplifiers.filter(({ layer }) => layer === gate.layer + 1);
    const both = await runner.run(
      pairs,
      'cipher',
      [
        ...(best ? [intervention('gate + amplifier', [put(gate, own), put(best, own)])] : []),
        ...(next.length > 0
          ? [
              intervention(
                'next layer',
                next.map((head) => put(head, own)),
              ),
            ]
          : []),
        ...(next.length > 0 ? [intervention('gate + next layer', [put(gate, own), ...next.map((head) => put(head, own))])] : []),
      ],
      { metrics, context: steps.next() },
    );

    const conditions: [name: string, effects: Effects | undefined, id: string | undefined][] = [
      ['none', single, undefined],
      ['gate', single, labelOf(gate)],
      ['benign donor', single, 'benign donor'],
      ['other prompt', pairs.pairs > 1 ? single : undefined, 'other prompt'],
      ['mean donor', single, 'mean donor'],
      ['random head', drawn && single, drawn && labelOf(drawn)],
      ['amplifier only', best && single, best && labelOf(best)],
      ['gate + amplifier', best && both, 'gate + amplifier'],
      ['next layer', next.length > 0 ? both : undefined, 'next layer'],
      ['gate + next layer', next.length > 0 ? both : undefined, 'gate + next layer'],
    ];
    const there = conditions.flatMap(([name, effects, id]) => (effects ? [{ name, effects, id }] : []));
    const shares = there.map(({ name, effects, id }) => {
      const refused = rates.classes(effects, id).map((outcome) => Number(outcome === 0));
      return { share: meanOf(refused), interval: intervalOf(refused, random.fork('interval', name)) };
    });
    const changes = changesOf(single, 1).subarray(0, heads.length * pairs.pairs);
    return {
      axes: {
        condition: { values: there.map(({ name }) => name) },
        outcome: { values: [...outcomes] },
        ...headAxes(config),
        pair: pairAxis(pairs.pairs),
      },
      measures: {
        refused: {
          axes: ['condition'],
          unit: 'share',
          definition: `share of all pairs whose prompt in cipher is refused; ${outcomeRule(pairs)}`,
          data: Float64Array.from(shares, ({ share }) => share),
        },
        refusedLow: {
          axes: ['condition'],
          unit: 'share',
          definition: 'lower end of its 95 % interval, bootstrap over pairs',
          data: Float64Array.from(shares, ({ interval }) => interval.low),
        },
        refusedHigh: {
          axes: ['condition'],
          unit: 'share',
          definition: 'upper end of it',
          data: Float64Array.from(shares, ({ interval }) => interval.high),
        },
        outcomePairs: {
          axes: ['condition', 'pair'],
          unit: '',
          definition: `outcome of the prompt in cipher: ${outcomes.map((name, i) => `${i} ${name}`).join(', ')}; −1 for logits that are not finite`,
          data: Int32Array.from(there.flatMap(({ effects, id }) => [...rates.classes(effects, id)])),
        },
        outcomes: {
          axes: ['condition', 'outcome'],
          unit: 'share',
          definition: `share of all pairs, ${outcomeRule(pairs)}`,
          data: Float64Array.from(
            there.flatMap(({ effects, id }) =>
              outcomes.map((_name, o) => meanOf(rates.classes(effects, id).map((own) => Number(own === o)))),
            ),
          ),
        },
        refusedByHead: {
          axes: ['layer', 'head'],
          unit: 'share',
          definition: 'share of all pairs whose prompt in cipher is refused when this head alone is as in plain words',
          data: Float64Array.from(heads, (head) => rates.refused(single, labelOf(head))),
        },
        ...restored(single, changes, heads.length, gap, random),
      },
      facts: {
        ...groundFacts({ label, device: context.executor.name, pairs: pairs.pairs, seed, family: 'all heads' }),
        positions: 'read',
        lifetime,
        ...gapFacts(gap),
        gate: labelOf(gate),
        rescue: shares[there.findIndex(({ name }) => name === 'gate')].share,
        'refused.plain': rates.refused(plain, undefined, 'sensitive'),
        'refused.cipher': shares[0].share,
        ...(drawn && { 'random head': labelOf(drawn) }),
        ...(best && { amplifier: labelOf(best), 'amplifier.chosen': 'the deeper head with the highest rate in these pairs' }),
        denominator: 'all pairs for shares refused; the mean gap for `restored`',
      },
    };
  },
};

/** The head that alone brings back most refusals, and of equals most of the metric; the first of the model's own order. */
function loudest(heads: readonly Head[], scoreOf: (head: Head) => readonly [refused: number, metric: number]): Head | undefined {
  let best: { head: Head; score: readonly [number, number] } | undefined;
  for (const head of heads) {
    const score = scoreOf(head);
    if (!best || score[0] > best.score[0] || (score[0] === best.score[0] && score[1] > best.score[1])) best = { head, score };
  }
  return best?.head;
}

/** M of the cipher that every head gives back, over the plain gap. */
function restored(
  effects: Effects,
  changes: Float64Array,
  cells: number,
  gap: ReturnType<typeof gapOf>,
  random: Random,
): Findings['measures'] {
  const way = wayOf('own', effects, changes);
  return screenMeasures(
    {
      name: 'restored',
      axes: ['layer', 'head'],
      definition: 'M(cipher with the head as in plain words) − M(cipher)',
      ways: [{ ...way, state: way.state.slice(0, cells), moved: Float64Array.from(way.moved).subarray(0, cells) }],
    },
    gap,
    random,
  );
}

const intervalOf = (values: readonly number[], random: Random) =>
  values.length > 1 ? bootstrapInterval(values, { random, resamples: 2000 }) : { low: NaN, high: NaN };

/** Outcomes of runs on the cipher. */
class Rates {
  readonly #pairs: PairSet;

  constructor(pairs: PairSet) {
    this.#pairs = pairs;
  }

  /** Of every pair, an index into the outcomes. */
  classes(effects: Effects, id: string | undefined, arm: 'cipher' | 'sensitive' = 'cipher'): number[] {
    const outcome = outcomesOf(this.#pairs, arm);
    return Array.from(metricOf(effects, 'argmax', id), (token, pair) =>
      Number.isNaN(token) ? -1 : outcomes.indexOf(outcome(pair, token)),
    );
  }

  refused(effects: Effects, id: string | undefined, arm: 'cipher' | 'sensitive' = 'cipher'): number {
    return meanOf(this.classes(effects, id, arm).map((outcome) => Number(outcome === 0)));
  }
}
