/**
 * A sweep over places that a query names: each is changed alone, and its effect on the metric is given with an interval, a p that counts how many
 * places were looked at, and whether it was measured at all. The general screen; screens of heads with their own measures are beside it.
 */
import { z } from 'zod';
import { UserError } from '../../base/errors.ts';
import type { Findings, Measure } from '../../base/findings.ts';
import { ratioIntervals, type RatioIntervals } from '../../base/inference/ratioInterval.ts';
import { signFlipSteps } from '../../base/inference/signFlip.ts';
import { Random } from '../../base/random.ts';
import { wholeBetween } from '../../base/schema.ts';
import { metricOf } from '../../interventions/effects.ts';
import type { Donor, Intervention } from '../../interventions/intervention.ts';
import { modelGraph, siteNamed, siteSize } from '../../interventions/modelGraph.ts';
import { sitesOf, type SweepCell, type SweptModel } from '../../interventions/siteQuery.ts';
import type { LanguageModel } from '../../models/languageModel.ts';
import { settled } from '../../models/transformer.ts';
import type { RoutingAnalysis } from './analysis.ts';
import { RunSteps } from './heads.ts';
import { changesOf, STATES } from './screens.ts';
import { gapFacts, gapOf } from './shares.ts';

export const sweepOptions = z.strictObject({
  sites: z
    .string('must be a query of sites')
    .min(1, 'must name sites')
    .default('L*H*')
    .meta({ description: 'heads and sites, with commas: L*H*, L1H0@content, blocks.*.attn.hook_z[*]@each, blocks.*.hook_resid_post@2-5' }),
  direction: z
    .enum(['noising', 'denoising'], 'must be "noising" or "denoising"')
    .default('noising')
    .meta({ description: 'which prompt is changed: the sensitive one (is the place needed?) or the control (does it suffice?)' }),
  donor: z
    .enum(['pair', 'mean', 'zero', 'resample'], 'must be "pair", "mean", "zero" or "resample"')
    .default('pair')
    .meta({ description: 'what is put in place: the other prompt’s value, the mean or a draw of the other prompts’, or 0' }),
  permutations: wholeBetween(99, 1_000_000).default(10_000).meta({ description: 'relabellings of pairs that p rests on' }),
  resamples: wholeBetween(100, 1_000_000).default(2000).meta({ description: 'bootstrap samples of pairs that intervals rest on' }),
  pairEffects: z.boolean('must be true or false').default(true).meta({ description: 'whether effects are kept pair by pair' }),
});
type Options = z.output<typeof sweepOptions>;

/** As the measure `state` counts them; what others computed is `imported`. */
export const CELL_STATES = { ...STATES, imported: 3 } as const;
export type SweptState = keyof typeof CELL_STATES;
export const stateDefinition = Object.entries(CELL_STATES)
  .map(([state, code]) => `${code}: ${state}`)
  .join('; ');
export const stateOf = (code: number): SweptState =>
  (Object.keys(CELL_STATES) as SweptState[]).find((state) => CELL_STATES[state] === code)!;

const LEVEL = 0.95;

export const siteSweep: RoutingAnalysis<typeof sweepOptions> = {
  id: 'siteSweep',
  version: 1,
  title: 'the effect of every place that a query of sites names, each changed alone',
  draws: true,
  options: sweepOptions,
  arms: ['sensitive', 'control'],
  async run({ model, label, pairs, seed, options }, context) {
    if (pairs.pairs < 2) throw new UserError('pairs: pairs', 'must be at least 2, for intervals and p', pairs.pairs);
    const cells = sitesOf(options.sites, sweptModel(model, pairs.length));
    const runner = context.runner(model);
    const { base, other, interventions } = sweepInterventions(cells, options);
    // The one long run: it stores how far it is, and goes on from there.
    const runs = new RunSteps('siteSweep', context, 3);
    const effects = await runner.run(pairs, base, interventions, { seed, context: { ...runs.next(), ...context.long } });
    const apart = await runner.run(pairs, other, [], { context: runs.next() });
    const [own, theirs] = [metricOf(effects, 'difference'), metricOf(apart, 'difference')];
    const noising = base === 'sensitive';
    const gap = gapOf(noising ? own : theirs, noising ? theirs : own, new Random(seed));
    const byPair = changesOf(effects, noising ? -1 : 1);
    const random = new Random(seed).fork('siteSweep');
    const family = Int32Array.from(effects.state.flatMap((state, cell) => (state === 'failed' || state === 'not-run' ? [] : [cell])));
    const table = { data: byPair, pairs: pairs.pairs, cells: cells.length, outermost: 'cells' as const };
    const drawn = { resamples: options.resamples, level: LEVEL, family };
    const plain = ratioIntervals(table, new Float64Array(pairs.pairs).fill(1), { ...drawn, random: random.fork('effect') });
    const share = gap.divides ? ratioIntervals(table, gap.pairs, { ...drawn, random: random.fork('share') }) : undefined;
    const steps = signFlipSteps(table, { random: random.fork('signs'), permutations: options.permutations, family });
    const { progress } = runs.next();
    let step = steps.next();
    for (; !step.done; step = steps.next()) {
      progress?.({ stage: 'relabelling pairs', done: step.value, total: 1 });
      await context.breathe();
    }
    const test = step.value;

    return {
      axes: {
        cell: { values: cells.map((cell) => cell.label) },
        ...(options.pairEffects && { pair: { values: Array.from({ length: pairs.pairs }, (_, pair) => pair) } }),
      },
      measures: {
        ...intervalMeasures('effect', 'logits', definitionOf(options), plain, cells.length),
        ...intervalMeasures(
          'share',
          'of the gap',
          `${definitionOf(options)}, over the mean gap; NaN where the interval of the gap contains 0`,
          share,
          cells.length,
        ),
        p: ofCells('', `sign-flip max-T over all ${test.family} cells that were run`, test.pValues),
        state: ofCells(
          '',
          stateDefinition,
          Int32Array.from(effects.state, (state) => CELL_STATES[state]),
        ),
        moved: ofCells('', 'L2 norm of the change at the place, mean over pairs', Float64Array.from(effects.moved)),
        gapByPair: {
          axes: options.pairEffects ? ['pair'] : [],
          unit: 'logits',
          definition: 'M(x⁺) − M(x⁻)',
          data: options.pairEffects ? gap.pairs : Float64Array.of(gap.estimate),
        },
        ...(options.pairEffects && {
          byPair: {
            axes: ['cell', 'pair'],
            unit: 'logits',
            definition: `${definitionOf(options)}, pair by pair`,
            data: Float32Array.from(byPair),
          },
        }),
      },
      facts: {
        model: label,
        device: context.executor.name,
        sites: options.sites,
        direction: options.direction,
        donor: options.donor,
        metric: 'M = mean logit of the positive tokens − mean logit of the negative ones',
        ...gapFacts(gap, 'M(x⁺) − M(x⁻)'),
        pairs: pairs.pairs,
        cells: cells.length,
        seed,
        family: test.family,
        permutations: options.permutations,
        'p.floor': test.floor,
        'whole forwards': effects.wholes.length,
      },
    };
  },
};

/** One intervention for each cell, and the prompts they are made on. */
export function sweepInterventions(cells: readonly SweepCell[], options: Options) {
  const [base, other] = options.direction === 'noising' ? (['sensitive', 'control'] as const) : (['control', 'sensitive'] as const);
  return { base, other, interventions: cells.map((cell) => interventionOf(cell, donorOf(options, other))) };
}

/** What a query can name of a model. */
export function sweptModel(model: LanguageModel, length: number): SweptModel {
  const graph = modelGraph(model);
  const { layers, heads } = settled(model.config);
  const sites = new Map(
    [...graph.graph.sites.keys()].flatMap((name) => {
      const site = siteNamed(graph, name);
      return site ? [[name, siteSize(site, length)] as const] : [];
    }),
  );
  return { sites, layers, heads, length };
}

function interventionOf({ label, site, index, positions }: SweepCell, donor: Donor): Intervention {
  const place = { site, positions, ...(index !== undefined && { index }) };
  return { id: label, writes: [{ ...place, ...('arm' in donor ? { op: 'swap', donor } : { op: 'ablate', donor }) }] };
}

function donorOf({ donor }: Options, other: 'sensitive' | 'control'): Donor {
  switch (donor) {
    case 'pair':
      return { arm: other };
    case 'mean':
      return { mean: other };
    case 'resample':
      return { resample: other };
    case 'zero':
      return { zero: true };
    default:
      return donor satisfies never;
  }
}

const ofCells = (unit: string, definition: string, data: Measure['data']): Measure => ({ axes: ['cell'], unit, definition, data });

function intervalMeasures(
  name: string,
  unit: string,
  definition: string,
  found: RatioIntervals | undefined,
  cells: number,
): Findings['measures'] {
  const { estimate, low, high } = found ?? { estimate: nothing(cells), low: nothing(cells), high: nothing(cells) };
  const bound = (which: string) => `${100 * LEVEL} % interval of ${name}, ${which} bound, bootstrap over pairs`;
  return {
    [name]: ofCells(unit, definition, estimate),
    [`${name}Low`]: ofCells(unit, bound('lower'), low),
    [`${name}High`]: ofCells(unit, bound('upper'), high),
  };
}

const nothing = (cells: number): Float64Array => new Float64Array(cells).fill(NaN);

const definitionOf = ({ direction, donor }: Options): string => {
  const given = { pair: direction === 'noising' ? 'x⁻' : 'x⁺', mean: 'mean', zero: '0', resample: 'another pair' }[donor];
  return direction === 'noising' ? `M(x⁺) − M(x⁺; place ← ${given}), mean over pairs` : `M(x⁻; place ← ${given}) − M(x⁻), mean over pairs`;
};
