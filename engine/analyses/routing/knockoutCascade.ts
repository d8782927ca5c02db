/**
 * Knockout cascade: what becomes of the direct effects of deeper heads when the gate is knocked out, with every other head of its layer as the null
 * (methods.md P5 in its corrected form).
 *
 *   change(A) = (Δ_A with the knockout − Δ_A) / |Δ_A|      Δ_A = mean[DLA_A(x⁺) − DLA_A(x⁻)]
 *
 * `noised`: the head on x⁺ is what it was on x⁻, and x⁻ stays. `zero`: nothing on both. Changes are signed, and levels of both members stand beside
 * them: when both refuse after zeroing, every Δ_A is gone and behaviour is not (trap T17). Heads whose Δ_A is less than 5 % of the total have no change.
 */
import { z } from 'zod';
import type { Findings, Measure } from '../../base/findings.ts';
import { ratioIntervals } from '../../base/inference/ratioInterval.ts';
import { Random } from '../../base/random.ts';
import { between } from '../../base/schema.ts';
import { UserError } from '../../base/errors.ts';
import { metricOf, type Effects } from '../../interventions/effects.ts';
import type { Intervention } from '../../interventions/intervention.ts';
import { headOutput } from '../../models/sites.ts';
import type { RoutingAnalysis } from './analysis.ts';
import { DirectEffects, incompleteness, requireComplete, sharesOf } from './components.ts';
import { sizeOf } from './directLogitAttribution.ts';
import { gateOf } from './gateRanking.ts';
import { allHeads, gateOption, labelOf, meanOf, positionsOf, positionsOption, RunSteps, swapHead } from './heads.ts';
import { groundFacts } from './screens.ts';
import { gapFacts, gapOf, pairAxis } from './shares.ts';

export const knockouts = ['zero', 'noised'] as const;
const MEMBERS = ['sensitive', 'control'] as const;
const RESAMPLES = 2000;

const options = z.strictObject({
  gate: gateOption,
  positions: positionsOption('all', 'where the head is knocked out'),
  least: between(0, 1)
    .default(0.05)
    .meta({ description: 'share of Σ|Δ| over all components that a deeper head must write to have a change', unit: 'share' }),
});

export const knockoutCascade: RoutingAnalysis<typeof options> = {
  id: 'knockoutCascade',
  version: 1,
  title: 'how the direct effects of deeper heads change when the gate is knocked out, beside every other head of its layer',
  arms: ['sensitive', 'control'],
  options,
  draws: true,
  async run({ label, model, pairs, seed, options: asked }, context) {
    const { config } = model;
    const runner = context.runner(model);
    const random = new Random(seed).fork('knockoutCascade');
    const steps = new RunSteps(`knockoutCascade: ${label}`, context, asked.gate === 'auto' ? 4 : 2);
    const gate = await gateOf('knockoutCascade', asked.gate, { config, pairs }, runner, steps);
    if (gate.layer === config.layers - 1)
      throw new UserError('knockoutCascade: gate', 'must have a layer after it: there is nothing to cascade to', labelOf(gate));
    const every = allHeads(config);
    const sources = every.filter(({ layer }) => layer === gate.layer);
    const deeper = every.filter(({ layer }) => layer > gate.layer);
    const positions = positionsOf('knockoutCascade: positions', asked.positions, pairs);
    const direct = new DirectEffects(model, pairs);
    const zeroed = sources.map((head): Intervention => ({
      id: `zero ${labelOf(head)}`,
      writes: [{ site: headOutput(head.layer), index: head.head, positions, op: 'ablate', donor: { zero: true } }],
    }));
    const noised = sources.map((head): Intervention => ({ id: `noised ${labelOf(head)}`, writes: [swapHead(head, 'control', positions)] }));
    const run = (arm: 'sensitive' | 'control', interventions: readonly Intervention[]) =>
      runner.run(pairs, arm, interventions, { observe: direct.observe, context: steps.next() });
    const sensitive = await run('sensitive', [...zeroed, ...noised]);
    // x⁻ with a head as on x⁻ is x⁻.
    const control = await run('control', zeroed);

    const clean = { sensitive: direct.of(sensitive.baseObserved), control: direct.of(control.baseObserved) };
    const metric = { sensitive: metricOf(sensitive, 'difference'), control: metricOf(control, 'difference') };
    const gap = gapOf(metric.sensitive, metric.control, new Random(seed));
    const error = Math.max(incompleteness(clean.sensitive, metric.sensitive), incompleteness(clean.control, metric.control));
    requireComplete('knockoutCascade', error, sizeOf(gap, metric.sensitive));
    const after = (effects: Effects, id: string, fallback: Float64Array) => {
      const i = effects.interventions.indexOf(id);
      return i < 0 ? fallback : direct.of(effects.observed[i]);
    };
    const n = pairs.pairs;
    const { shares } = sharesOf(
      clean.sensitive.map((value, i) => value - clean.control[i]),
      direct.labels.length,
    );
    const cells = deeper.map((head) => every.indexOf(head));
    const runs = knockouts.flatMap((knockout) =>
      sources.map((source) => {
        const id = `${knockout} ${labelOf(source)}`;
        const [plus, minus] = [after(sensitive, id, clean.sensitive), after(control, id, clean.control)];
        const change = cells.map((cell) =>
          shares[cell] < asked.least || !(shares[cell] > 0)
            ? undefined
            : changeOf(cell, n, { before: clean, after: { sensitive: plus, control: minus } }, random.fork(id, cell)),
        );
        return { knockout, source, plus, minus, change };
      }),
    );
    const counted = cells.filter((_cell, i) => runs[0].change[i]);
    const statistic = runs.map(({ change }) => meanOf(change.flatMap((one) => (one ? [Math.abs(one.estimate)] : []))));
    const signed = runs.map(({ change }) => meanOf(change.flatMap((one) => (one ? [one.estimate] : []))));
    const ranks = nullOf(statistic, sources.length, gate.head);
    const table = (unit: string, definition: string, of: (one: (typeof runs)[number], i: number) => number): Measure => ({
      axes: ['knockout', 'source', 'target'],
      unit,
      definition,
      data: Float64Array.from(runs.flatMap((one) => cells.map((_cell, i) => of(one, i)))),
    });
    const rule = `(Δ with the knockout − Δ)/|Δ| of the direct effect of the target, Δ = mean over pairs of x⁺ − x⁻; NaN where |Δ| is less than ${asked.least} of Σ|Δ| over all components`;
    const meanAt = (values: Float64Array, cell: number) => meanOf(values.subarray(cell * n, (cell + 1) * n));
    return {
      axes: {
        knockout: { values: knockouts },
        source: { values: sources.map(labelOf) },
        target: { values: deeper.map(labelOf) },
        member: { values: MEMBERS },
        pair: pairAxis(n),
      },
      measures: {
        change: table('share', `${rule}; −1: gone, 0: unchanged`, ({ change }, i) => change[i]?.estimate ?? NaN),
        changeLow: table(
          'share',
          `lower end of the 95 % interval of change, ${RESAMPLES} bootstrap samples of pairs`,
          ({ change }, i) => change[i]?.low ?? NaN,
        ),
        changeHigh: table('share', 'upper end of it', ({ change }, i) => change[i]?.high ?? NaN),
        delta: {
          axes: ['target'],
          unit: 'logits',
          definition: 'Δ: direct effect on M in x⁺ − in x⁻, mean over pairs, without a knockout',
          data: Float64Array.from(cells, (cell) => meanAt(clean.sensitive, cell) - meanAt(clean.control, cell)),
        },
        deltaShare: {
          axes: ['target'],
          unit: 'share',
          definition: '|Δ| of Σ|Δ| over all components',
          data: Float64Array.from(cells, (cell) => shares[cell]),
        },
        levelClean: {
          axes: ['member', 'target'],
          unit: 'logits',
          definition: 'direct effect on M without a knockout, mean over pairs',
          data: Float64Array.from(MEMBERS.flatMap((member) => cells.map((cell) => meanAt(clean[member], cell)))),
        },
        level: {
          axes: ['knockout', 'source', 'member', 'target'],
          unit: 'logits',
          definition: 'direct effect on M with the knockout, mean over pairs',
          data: Float64Array.from(
            runs.flatMap(({ plus, minus }) => [plus, minus].flatMap((values) => cells.map((cell) => meanAt(values, cell)))),
          ),
        },
        deltaPairs: {
          axes: ['knockout', 'source', 'target', 'pair'],
          unit: 'logits',
          definition: 'Δ of every pair with the knockout',
          data: Float32Array.from(
            runs.flatMap(({ plus, minus }) =>
              cells.flatMap((cell) => Array.from({ length: n }, (_entry, i) => plus[cell * n + i] - minus[cell * n + i])),
            ),
          ),
        },
        meanChange: perSource('mean over targets of change', signed),
        statistic: perSource('mean over targets of |change|', statistic),
        metricLevel: {
          axes: ['knockout', 'source', 'member'],
          unit: 'logits',
          definition: 'M with the knockout, mean over pairs',
          data: Float64Array.from(
            runs.flatMap(({ knockout, source }) =>
              MEMBERS.map((member) => levelOf(member === 'sensitive' ? sensitive : control, `${knockout} ${labelOf(source)}`)),
            ),
          ),
        },
        nullP: {
          axes: ['knockout'],
          unit: '',
          definition: `exhaustive null: share of the ${sources.length} heads of the gate's layer whose statistic is at least the gate's, itself among them`,
          data: ranks,
        },
      },
      facts: {
        ...groundFacts({
          label,
          device: context.executor.name,
          pairs: n,
          seed,
          family: `the ${sources.length} heads of layer ${gate.layer}, exhaustively; no test over targets`,
        }),
        gate: labelOf(gate),
        positions: asked.positions,
        targets: counted.map((cell) => labelOf(every[cell])).join(', ') || 'none',
        'total Σ|Δ|': 'over all components',
        ...gapFacts(gap),
      },
    };
  },
};

interface Members {
  readonly sensitive: Float64Array;
  readonly control: Float64Array;
}

/** Signed change of one target, with its interval. Its Δ is not 0 but may be uncertain: then the interval is wide or unbounded. */
function changeOf(cell: number, pairs: number, { before, after }: { before: Members; after: Members }, random: Random) {
  const delta = ({ sensitive, control }: Members) =>
    Float64Array.from({ length: pairs }, (_entry, i) => sensitive[cell * pairs + i] - control[cell * pairs + i]);
  const own = delta(before);
  const sign = Math.sign(meanOf(own));
  const changes = delta(after).map((value, i) => value - own[i]);
  const sizes = own.map((value) => sign * value);
  if (pairs < 2) return { estimate: meanOf(changes) / meanOf(sizes), low: -Infinity, high: Infinity };
  const { estimate, low, high } = ratioIntervals({ data: changes, pairs, cells: 1 }, sizes, { random, resamples: RESAMPLES });
  return { estimate: estimate[0], low: low[0], high: high[0] };
}

/** For each knockout: how many heads of the layer reach the statistic of the gate. Equal to rounding counts. */
function nullOf(statistic: readonly number[], sources: number, gate: number): Float64Array {
  return Float64Array.from(knockouts, (_knockout, k) => {
    const own = statistic.slice(k * sources, (k + 1) * sources);
    return own.filter((value) => value >= own[gate] * (1 - 1e-9)).length / sources;
  });
}

const perSource = (definition: string, data: readonly number[]): Findings['measures'][string] => ({
  axes: ['knockout', 'source'],
  unit: 'share',
  definition: `${definition}; NaN where no target is counted`,
  data: Float64Array.from(data),
});

const levelOf = (effects: Effects, id: string): number =>
  meanOf(metricOf(effects, 'difference', effects.interventions.includes(id) ? id : undefined));
