/**
 * Necessity and sufficiency of every head, by interchange between the members of a pair (Geiger et al. 2021, arXiv:2106.02997): the output of a head
 * on one prompt is what it was on the other, at the position that is read, where the prompts differ, and everywhere.
 *
 *   necessity = mean[M(x⁺) − M(x⁺; h ← x⁻)] / mean gap     sufficiency = mean[M(x⁻; h ← x⁺) − M(x⁻)] / mean gap     methods.md §1.6
 *
 * A head that matters only for what it writes where it is read has one necessity at both; a difference says that the route runs through other
 * positions (trap T5), and is flagged.
 */
import { z } from 'zod';
import type { Findings, Measure } from '../../base/findings.ts';
import { Random } from '../../base/random.ts';
import { between } from '../../base/schema.ts';
import { metricOf } from '../../interventions/effects.ts';
import { outcomeRule } from '../../tasks/outcomes.ts';
import type { RoutingAnalysis } from './analysis.ts';
import { allHeads, labelOf, RunSteps } from './heads.ts';
import { groundFacts, headAxes, screenMeasures, wayOf, type Screen } from './screens.ts';
import { gapFacts, gapOf, pairAxis } from './shares.ts';
import { flipsOf, interchange, type Interchange, type Part } from './swaps.ts';

export const places = ['read', 'content', 'all'] as const;

const options = z.strictObject({
  positions: z
    .array(z.enum(places, 'must be "read", "content" or "all"'), 'must be a list of "read", "content" and "all"')
    .refine((given) => new Set(given).size === given.length, 'must name each once')
    .default([])
    .meta({ description: 'where a head is swapped; none: all that the pairs know' }),
  mlps: z.boolean('must be true or false').default(false).meta({ description: 'whether MLPs are swapped too, as a family of their own' }),
  flag: between(0, 10).default(0.05).meta({
    description: 'difference between the necessity at all positions and at the one that is read from which a head is flagged',
    unit: 'share',
  }),
});

export const headInterchange: RoutingAnalysis<typeof options> = {
  id: 'headInterchange',
  version: 1,
  title: 'necessity and sufficiency of every head, swapped between sensitive and control prompts',
  arms: ['sensitive', 'control'],
  options,
  draws: true,
  async run({ label, model, pairs, seed, options: asked }, context) {
    const { layers, heads } = model.config;
    const runner = context.runner(model);
    const random = new Random(seed).fork('headInterchange');
    const known = places.filter((place) => place !== 'content' || pairs.content !== undefined);
    const sets = asked.positions.length > 0 ? asked.positions : known;
    const every = allHeads({ layers, heads }).map((head): Part => ({ id: labelOf(head), heads: [head] }));
    const mlps = Array.from({ length: layers }, (_entry, layer): Part => ({ id: `L${layer} MLP`, heads: [], mlps: [layer] }));
    const steps = new RunSteps(`headInterchange: ${label}`, context, sets.length * (asked.mlps ? 4 : 2));
    const sweep = async (parts: readonly Part[]) => {
      const found: Interchange[] = [];
      for (const place of sets) found.push(await interchange(runner, pairs, parts, place, { steps }));
      return found;
    };
    const ofHeads = await sweep(every);
    const ofMlps = asked.mlps ? await sweep(mlps) : undefined;

    const gap = gapOf(metricOf(ofHeads[0].noised, 'difference'), metricOf(ofHeads[0].denoised, 'difference'), new Random(seed));
    const rule = outcomeRule(pairs);
    const describe = (prefix: string, axes: readonly string[], found: readonly Interchange[]): Findings['measures'] => {
      const name = (base: string) => (prefix === '' ? base : `${prefix}${base[0].toUpperCase()}${base.slice(1)}`);
      const flips = (definition: string, of: (one: Interchange) => Float64Array): Measure => ({
        axes: ['positions', ...axes],
        unit: 'share',
        definition: `${definition}; NaN where there are none; ${rule}`,
        data: Float64Array.from(found.flatMap((one) => [...of(one)])),
      });
      const screen = (base: string, definition: string, of: (one: Interchange, place: string) => Screen['ways'][number]) =>
        screenMeasures(
          { name: name(base), over: 'positions', axes, definition, ways: found.map((one, i) => of(one, sets[i])) },
          gap,
          random,
        );
      return {
        ...screen('necessity', 'M(x⁺) − M(x⁺ with the output as on x⁻)', ({ noised, necessity }, place) => wayOf(place, noised, necessity)),
        ...screen('sufficiency', 'M(x⁻ with the output as on x⁺) − M(x⁻)', ({ denoised, sufficiency }, place) =>
          wayOf(place, denoised, sufficiency),
        ),
        [name('flip')]: flips('share of the refused x⁺ that are no longer refused with the output as on x⁻', ({ noised }) =>
          flipsOf(noised, pairs, 'sensitive', true),
        ),
        [name('reverseFlip')]: flips('share of the x⁻ that are not refused and are with the output as on x⁺', ({ denoised }) =>
          flipsOf(denoised, pairs, 'control', false),
        ),
      };
    };
    const measures = describe('', ['layer', 'head'], ofHeads);
    const leaks = leaksOf(measures.necessity, sets, layers * heads);
    const flagged = every.filter((_head, cell) => leaks && Math.abs(leaks[cell]) > asked.flag).map(({ id }) => id);
    return {
      axes: { positions: { values: [...sets] }, ...headAxes({ layers, heads }), pair: pairAxis(pairs.pairs) },
      measures: {
        ...measures,
        ...(leaks && {
          elsewhere: {
            axes: ['layer', 'head'],
            unit: 'share',
            definition: `necessity swapped at all positions − at the one that is read; beyond ±${asked.flag} the route runs through other positions`,
            data: leaks,
          },
        }),
        ...(ofMlps && describe('mlp', ['layer'], ofMlps)),
      },
      facts: {
        ...groundFacts({
          label,
          device: context.executor.name,
          pairs: pairs.pairs,
          seed,
          family: `all ${every.length} heads at one set of positions${ofMlps ? `; all ${layers} MLPs at one` : ''}`,
        }),
        positions: sets.join(', '),
        ...(leaks && { 'flagged heads': flagged.join(', ') || 'none' }),
        ...gapFacts(gap),
      },
    };
  },
};

/** Necessity at all positions − at the read one, where both were swapped. */
function leaksOf({ data }: Measure, sets: readonly string[], cells: number): Float64Array | undefined {
  const [read, all] = [sets.indexOf('read'), sets.indexOf('all')];
  if (read < 0 || all < 0) return undefined;
  return Float64Array.from({ length: cells }, (_entry, cell) => data[all * cells + cell] - data[read * cells + cell]);
}
