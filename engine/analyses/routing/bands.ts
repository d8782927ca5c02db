/**
 * Bands and coalitions (methods.md P9): what sets of heads do together that none does alone, and which heads rise and fall together over the pairs.
 *
 * One head at a time understates what is redundant (trap T21). A set is swapped at once and compared with its best single member. Sets are all heads of
 * a layer, those of it that write for the positive side (pro) and against it (counter), by the sign of Δ of their direct effect, and the same over all
 * layers; and, without a test, the 2, 4, 8, … heads with the largest necessity (they are chosen by the
 * same pairs, which makes any p of theirs too small). A band with counter heads in it may do less than its best
 * head; a band that is silent in direct attribution is only among the sets of all and the chosen ones.
 */
import { z } from 'zod';
import { pearsonMatrix, splitInTwo } from '../../base/inference/coalitions.ts';
import { Random } from '../../base/random.ts';
import { between, wholeBetween } from '../../base/schema.ts';
import type { RoutingAnalysis } from './analysis.ts';
import { DirectEffects, requireComplete, sharesOf } from './components.ts';
import { attribute, sizeOf } from './directLogitAttribution.ts';
import { allHeads, labelOf, meanOf, positionsOf, positionsOption, RunSteps, type Head } from './heads.ts';
import { groundFacts, screenMeasures, wayOf } from './screens.ts';
import { gapFacts, gapOf, pairAxis } from './shares.ts';
import { interchange, type Part } from './swaps.ts';

const options = z.strictObject({
  positions: positionsOption('read', 'where heads are swapped'),
  least: between(0, 1)
    .default(0.01)
    .meta({ description: 'share of Σ|Δ| over all components from which a head counts as pro or counter', unit: 'share' }),
  pro: wholeBetween(1, 1000).default(20).meta({ description: 'how many pro heads, the largest first, are looked at for coalitions' }),
  counter: wholeBetween(0, 1000).default(10).meta({ description: 'how many counter heads' }),
});

export const bands: RoutingAnalysis<typeof options> = {
  id: 'bands',
  version: 2,
  title: 'what sets of heads do together beside their best single head, and which heads act together over the pairs',
  arms: ['sensitive', 'control'],
  options,
  draws: true,
  async run({ label, model, pairs, seed, options: asked }, context) {
    const { config } = model;
    const n = pairs.pairs;
    const runner = context.runner(model);
    const random = new Random(seed).fork('bands');
    const steps = new RunSteps(`bands: ${label}`, context, 6);
    const direct = new DirectEffects(model, pairs);
    const attributed = await attribute(direct, runner, pairs, steps);
    const gap = gapOf(attributed.metric.sensitive, attributed.metric.control, new Random(seed));
    requireComplete('bands', attributed.error, sizeOf(gap, attributed.metric.sensitive));
    const { means, shares } = sharesOf(attributed.difference, direct.labels.length);
    const heads = allHeads(config);
    const toward = (cell: number) => (shares[cell] >= asked.least ? Math.sign(means[cell]) * (Math.sign(gap.estimate) || 1) : 0);
    const singles = heads.map((head): Part => ({ id: labelOf(head), heads: [head] }));
    const positions = positionsOf('bands: positions', asked.positions, pairs);
    const alone = await interchange(runner, pairs, singles, positions, { steps });
    const share = (effects: Float64Array, cell: number) =>
      gap.divides ? meanOf(effects.subarray(cell * n, (cell + 1) * n)) / gap.estimate : NaN;
    const mean = (effects: Float64Array) => Float64Array.from(heads, (_head, cell) => share(effects, cell));
    const single = { necessity: mean(alone.necessity), sufficiency: mean(alone.sufficiency) };
    const sets = setsOf(heads, config.layers, toward);
    const leaders = leading(heads, single.necessity);
    const joint = await interchange(runner, pairs, [...sets, ...leaders], positions, { steps });
    /** Of the sets whose heads were not chosen by what they do. */
    const tested = (effects: typeof joint.noised, changes: Float64Array) => {
      const all = wayOf('joint', effects, changes.subarray(0, sets.length * n));
      return { ...all, state: effects.state.slice(0, sets.length), moved: effects.moved.subarray(0, sets.length) };
    };
    const together = (name: 'necessity' | 'sufficiency') => ({
      axes: ['leading'],
      unit: 'share',
      definition: `${name} of so many heads at once, those with the largest necessity by themselves in the same pairs; no p, which would be too small`,
      data: Float64Array.from(leaders, (_set, i) => share(joint[name], sets.length + i)),
    });
    const members = sets.map(({ heads: own }) => own.map((head) => heads.indexOf(head)));
    const perBand = (unit: string, definition: string, data: Float64Array) => ({ axes: ['band'], unit, definition, data });
    const compared = (name: 'necessity' | 'sufficiency') => {
      const best = Float64Array.from(members, (own) => Math.max(...own.map((cell) => single[name][cell])));
      return {
        [`${name}Best`]: perBand('share', `${name} of the best single head of the set`, best),
        [`${name}Sum`]: perBand(
          'share',
          `sum of the ${name} of its heads, one at a time`,
          Float64Array.from(members, (own) => own.reduce((sum, cell) => sum + single[name][cell], 0)),
        ),
        [`${name}Ratio`]: perBand(
          '',
          `${name} of the set / that of its best single head; NaN where no single head has a tenth of a percent`,
          Float64Array.from(members, (_own, i) => (best[i] >= 1e-3 ? share(joint[name], i) / best[i] : NaN)),
        ),
        [`${name}Alone`]: { axes: ['component'], unit: 'share', definition: `${name} of each head by itself`, data: single[name] },
      };
    };
    const coalition = coalitionsOf(attributed.difference, n, heads, means, toward, asked);
    return {
      axes: {
        band: { values: sets.map(({ id }) => id) },
        leading: { values: leaders.map(({ heads: own }) => own.length), unit: 'heads' },
        component: { values: direct.labels.slice(0, heads.length) },
        ally: { values: coalition.cells.map((cell) => labelOf(heads[cell])) },
        other: { values: coalition.cells.map((cell) => labelOf(heads[cell])) },
        pair: pairAxis(n),
      },
      measures: {
        ...screenMeasures(
          {
            name: 'necessity',
            axes: ['band'],
            definition: 'M(x⁺) − M(x⁺ with all heads of the set as on x⁻)',
            ways: [tested(joint.noised, joint.necessity)],
          },
          gap,
          random,
        ),
        ...screenMeasures(
          {
            name: 'sufficiency',
            axes: ['band'],
            definition: 'M(x⁻ with all heads of the set as on x⁺) − M(x⁻)',
            ways: [tested(joint.denoised, joint.sufficiency)],
          },
          gap,
          random,
        ),
        ...compared('necessity'),
        ...compared('sufficiency'),
        leadingNecessity: together('necessity'),
        leadingSufficiency: together('sufficiency'),
        leads: {
          axes: ['leading', 'component'],
          unit: '',
          definition: '1 for a head that is among so many, else 0',
          data: Int32Array.from(leaders.flatMap(({ heads: own }) => heads.map((head) => Number(own.includes(head))))),
        },
        size: {
          axes: ['band'],
          unit: 'heads',
          definition: 'how many heads the set has',
          data: Int32Array.from(members, (own) => own.length),
        },
        member: {
          axes: ['band', 'component'],
          unit: '',
          definition: '1 for a head of the set, else 0',
          data: Int32Array.from(members.flatMap((own) => heads.map((_head, cell) => Number(own.includes(cell))))),
        },
        side: {
          axes: ['component'],
          unit: '',
          definition: `1 for pro, −1 for counter, by the sign of Δ of the direct effect and of the gap; 0 for less than ${asked.least} of Σ|Δ|`,
          data: Int32Array.from(heads, (_head, cell) => toward(cell)),
        },
        ...coalition.measures,
      },
      facts: {
        ...groundFacts({ label, device: context.executor.name, pairs: n, seed, family: `all ${sets.length} sets` }),
        positions: asked.positions,
        ...coalition.facts,
        ...gapFacts(gap),
      },
    };
  },
};

/** Sets of at least one head. */
function setsOf(heads: readonly Head[], layers: number, toward: (cell: number) => number): Part[] {
  const sets: Part[] = [];
  const add = (id: string, among: (head: Head, cell: number) => boolean) => {
    const own = heads.filter(among);
    if (own.length > 0) sets.push({ id, heads: own });
  };
  for (let layer = 0; layer < layers; layer++) {
    add(`L${layer} all`, (head) => head.layer === layer);
    add(`L${layer} pro`, (head, cell) => head.layer === layer && toward(cell) > 0);
    add(`L${layer} counter`, (head, cell) => head.layer === layer && toward(cell) < 0);
  }
  add('pro', (_head, cell) => toward(cell) > 0);
  add('counter', (_head, cell) => toward(cell) < 0);
  add('all', () => true);
  return sets;
}

/** The 2, 4, 8, … heads with the largest necessity, fewer than all. */
function leading(heads: readonly Head[], necessity: Float64Array): Part[] {
  const order = heads.map((_head, cell) => cell).sort((a, b) => necessity[b] - necessity[a] || a - b);
  const sets: Part[] = [];
  for (let size = 2; size < heads.length; size *= 2)
    sets.push({ id: `top ${size}`, heads: order.slice(0, size).map((cell) => heads[cell]) });
  return sets;
}

/** Pearson correlations over pairs of Δ of the direct effects of the leading pro and counter heads, and their split in two. */
function coalitionsOf(
  difference: Float64Array,
  pairs: number,
  heads: readonly Head[],
  means: Float64Array,
  toward: (cell: number) => number,
  { pro, counter }: { pro: number; counter: number },
) {
  const side = (sign: number) =>
    heads.flatMap((_head, cell) => (toward(cell) === sign ? [cell] : [])).sort((a, b) => Math.abs(means[b]) - Math.abs(means[a]) || a - b);
  const chosen = [...side(1).slice(0, pro), ...side(-1).slice(0, counter)];
  const cells = chosen.length > 0 ? chosen : heads.map((_head, cell) => cell);
  const effects = { data: difference.subarray(0, heads.length * pairs), pairs, cells: heads.length, outermost: 'cells' } as const;
  const correlations = pairs >= 3 ? pearsonMatrix(effects, cells) : undefined;
  const varying = correlations ? cells.filter((_cell, i) => !Number.isNaN(correlations.matrix[i * cells.length + i])).length : 0;
  const split = correlations && varying >= 2 ? splitInTwo(correlations) : undefined;
  return {
    cells,
    measures: {
      correlation: {
        axes: ['ally', 'other'],
        unit: '',
        definition: 'Pearson r over pairs of Δ of the direct effect (x⁺ − x⁻); NaN for a head whose Δ is the same in every pair',
        data: correlations?.matrix ?? new Float64Array(cells.length ** 2).fill(NaN),
      },
      coalition: {
        axes: ['ally'],
        unit: '',
        definition:
          'which of two clusters by average linkage on 1 − r: 0, 1; −1 for a head without correlations, or where fewer than two have any',
        data: Int32Array.from(split?.coalition ?? cells.map(() => -1)),
      },
    },
    facts: {
      coalitions: split ? `${varying} heads in two` : `none: ${varying} heads vary over the pairs`,
      ...(split && { 'r.within.0': split.within[0], 'r.within.1': split.within[1], 'r.across': split.across }),
      'heads looked at':
        chosen.length > 0
          ? `${Math.min(pro, side(1).length)} pro, ${Math.min(counter, side(-1).length)} counter`
          : 'all: none is pro or counter',
    },
  };
}
