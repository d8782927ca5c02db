/**
 * Direct logit attribution: how much of the gap between sensitive and control every component writes itself (methods.md P1 in its corrected form).
 * Only what a component writes is counted, never what others read of it: a gate may have none of it and all of the effect (trap T3).
 */
import { z } from 'zod';
import { Random } from '../../base/random.ts';
import { metricOf, type Runner } from '../../interventions/effects.ts';
import type { PairSet } from '../../tasks/pairs.ts';
import type { RoutingAnalysis } from './analysis.ts';
import { DirectEffects, incompleteness, requireComplete, sharesOf } from './components.ts';
import { meanOf, RunSteps } from './heads.ts';
import { groundFacts, headAxes, screenMeasures } from './screens.ts';
import { gapFacts, gapOf, pairAxis, type Gap } from './shares.ts';

const options = z.strictObject({});

/** Direct effects of one run of both arms. */
export interface Attribution {
  /** [components, pairs] of each arm. */
  readonly sensitive: Float64Array;
  readonly control: Float64Array;
  /** sensitive − control, [components, pairs]. */
  readonly difference: Float64Array;
  /** The largest |Σ components − M| over both arms. */
  readonly error: number;
  readonly metric: Readonly<Record<'sensitive' | 'control', Float32Array>>;
}

/** @param steps two runs */
export async function attribute(direct: DirectEffects, runner: Runner, pairs: PairSet, steps: RunSteps): Promise<Attribution> {
  const of = async (arm: 'sensitive' | 'control') => {
    const effects = await runner.run(pairs, arm, [], { observe: direct.observe, context: steps.next() });
    const values = direct.of(effects.baseObserved);
    const metric = metricOf(effects, 'difference');
    return { values, metric, error: incompleteness(values, metric) };
  };
  const [sensitive, control] = [await of('sensitive'), await of('control')];
  return {
    sensitive: sensitive.values,
    control: control.values,
    difference: sensitive.values.map((value, i) => value - control.values[i]),
    error: Math.max(sensitive.error, control.error),
    metric: { sensitive: sensitive.metric, control: control.metric },
  };
}

/** What completeness is measured against: the mean gap, or the mean size of M where the gap may be 0. */
export const sizeOf = ({ divides, estimate }: Gap, metric: Float32Array): number => (divides ? estimate : meanOf(metric.map(Math.abs)));

export const directLogitAttribution: RoutingAnalysis<typeof options> = {
  id: 'directLogitAttribution',
  version: 1,
  title: 'how much of the gap every head, MLP, embedding and bias writes to the logits itself',
  arms: ['sensitive', 'control'],
  options,
  draws: true,
  async run({ label, model, pairs, seed }, context) {
    const { layers, heads } = model.config;
    const random = new Random(seed).fork('directLogitAttribution');
    const direct = new DirectEffects(model, pairs);
    const steps = new RunSteps(`directLogitAttribution: ${label}`, context, 2);
    const { sensitive, control, difference, error, metric } = await attribute(direct, context.runner(model), pairs, steps);
    const gap = gapOf(metric.sensitive, metric.control, new Random(seed));
    requireComplete('directLogitAttribution', error, sizeOf(gap, metric.sensitive));

    const components = direct.labels.length;
    const { shares, lifts } = sharesOf(difference, components);
    const levels = (count: number) =>
      Float64Array.from([sensitive, control].flatMap((values) => [...sharesOf(values, components).means.subarray(0, count)]));
    const way = (count: number) => ({
      label: 'direct',
      effects: difference.subarray(0, count * pairs.pairs),
      state: new Array<'measured'>(count).fill('measured'),
      moved: new Float64Array(count),
    });
    const definition = 'direct effect on M in x⁺ − in x⁻, scale of the final norm frozen in each run';
    const ofShare = `|mean difference| of the direct effect, of the sum of it over all ${components} components`;
    const describe = (name: string, axes: readonly string[], count: number) => {
      const { [`${name}Moved`]: _moved, ...tested } = screenMeasures({ name, axes, definition, ways: [way(count)] }, gap, random);
      return {
        ...tested,
        [`${name}Share`]: { axes, unit: 'share', definition: ofShare, data: shares.slice(0, count) },
        [`${name}Lift`]: { axes, unit: '', definition: `${ofShare}, times their number: 1 is an equal share`, data: lifts.slice(0, count) },
        [`${name}Level`]: {
          axes: ['arm', ...axes],
          unit: 'logits',
          definition: 'direct effect on M in each arm, mean over pairs',
          data: levels(count),
        },
      };
    };
    return {
      axes: {
        ...headAxes({ layers, heads }),
        component: { values: direct.labels },
        arm: { values: ['sensitive', 'control'] },
        pair: pairAxis(pairs.pairs),
      },
      measures: { ...describe('direct', ['layer', 'head'], direct.heads), ...describe('component', ['component'], components) },
      facts: {
        ...groundFacts({
          label,
          device: context.executor.name,
          pairs: pairs.pairs,
          seed,
          family: `direct: all ${direct.heads} heads; component: all ${components} components`,
        }),
        positions: 'read',
        components,
        incompleteness: error,
        ...gapFacts(gap),
      },
    };
  },
};
