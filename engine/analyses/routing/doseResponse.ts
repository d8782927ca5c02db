/**
 * Dose–response of what a model detects (methods.md P11): the residual where detection stands is moved by ∓α along a direction, out of sensitive
 * prompts (attenuation) and into control ones (amplification), and what the model does is counted by class at each dose.
 *
 *   attenuate  h ← h − α·d̂ in x⁺      amplify  h ← h + α·d̂ in x⁻
 *
 * The direction is the class mean d̄ = mean(h⁺ − h⁻), or one that is given. A dose of 1 as a fraction is d̄·d̂: for the class mean exactly what separates
 * the classes on average. In absolute units it is a step of length 1.
 */
import { z } from 'zod';
import { UserError } from '../../base/errors.ts';
import { between, wholeBetween } from '../../base/schema.ts';
import { observedOf, type Runner } from '../../interventions/effects.ts';
import type { Positions } from '../../interventions/intervention.ts';
import { placesEach, placesOf } from '../../interventions/places.ts';
import { outcomeRule } from '../../tasks/outcomes.ts';
import type { PairSet } from '../../tasks/pairs.ts';
import type { RoutingAnalysis } from './analysis.ts';
import { doseAxes, doseCurve, doseMeasures, topicsOf, type Condition } from './doseCurves.ts';
import { gateOf } from './gateRanking.ts';
import { gateOption, labelOf, meanOf, positionsOf, residualAfter, RunSteps } from './heads.ts';

export const dosesOption = (fallback: readonly number[], description: string) =>
  z
    .array(between(-1e6, 1e6), 'must be a list of numbers')
    .min(2, 'must be at least 2 doses')
    .max(1000, 'must be at most 1000 doses')
    .refine((given) => given.every((dose, i) => i === 0 || dose > given[i - 1]), 'must ascend')
    .default([...fallback])
    .meta({ description });

export const refinementsOption = wholeBetween(0, 40)
  .default(8)
  .meta({ description: "how often the interval in which a pair's outcome changes is halved, each time in a run of all pairs" });

const where = (description: string) =>
  z
    .string('must be a name')
    .default('auto')
    .meta({
      description: `${description}: read, content, all, a mark or role of the pairs; auto: where detection is marked, else content, else all`,
    });

const LAYER_RULE = 'must be "auto" or an integer of at least 0';

const options = z.strictObject({
  gate: gateOption,
  direction: z
    .union([z.literal('class mean'), z.array(z.number()).min(1)], 'must be "class mean" or a list of numbers')
    .default('class mean')
    .meta({ description: 'what the residual is moved along: the mean difference of the classes, or a vector as wide as the residual' }),
  unit: z
    .enum(['fraction', 'absolute'], 'must be "fraction" or "absolute"')
    .default('fraction')
    .meta({ description: 'what a dose of 1 is: the mean difference of the classes along the direction, or a step of length 1' }),
  layer: z
    .union([z.literal('auto', LAYER_RULE), z.number(LAYER_RULE).int(LAYER_RULE).min(0, LAYER_RULE)], LAYER_RULE)
    .default('auto')
    .meta({ description: 'the residual that is dosed, by completed layers; auto: the one that the gate reads' }),
  positions: where('where it is dosed'),
  measuredAt: where('where the class mean is taken'),
  doses: dosesOption([0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 3], 'doses α, ascending'),
  refinements: refinementsOption,
});

export const doseResponse: RoutingAnalysis<typeof options> = {
  id: 'doseResponse',
  version: 1,
  title: 'what a model does when what it detects is taken out of a prompt or put into one, dose by dose',
  arms: ['sensitive', 'control'],
  options,
  async run({ label, model, pairs, options: asked }, context) {
    const { config } = model;
    const runner = context.runner(model);
    const steps = new RunSteps(`dose–response: ${label}`, context, 6 + 2 * (1 + 2 * asked.refinements));
    const gate =
      asked.layer === 'auto' || asked.gate !== 'auto'
        ? await gateOf('doseResponse', asked.gate, { config, pairs }, runner, steps)
        : undefined;
    const layer = asked.layer === 'auto' ? gate!.layer : asked.layer;
    if (layer > config.layers) throw new UserError('doseResponse: layer', `must be at most ${config.layers}`, layer);
    const site = residualAfter(layer);
    const [positions, measuredAt] = [positionsAt(asked.positions, pairs), positionsAt(asked.measuredAt, pairs)];
    const read = (arm: 'sensitive' | 'control', at: Positions) => observed(runner, pairs, arm, site, at, steps);
    const difference = meanDifference(await read('sensitive', measuredAt), await read('control', measuredAt), config.width);
    const unit = unitVector(asked.direction === 'class mean' ? difference : asked.direction, config.width);
    const projection = unit.reduce((sum, entry, i) => sum + entry * difference[i], 0);
    const size = asked.unit === 'fraction' ? projection : 1;
    if (!(Math.abs(size) > 0)) throw new UserError('doseResponse: direction', 'must be one in which the classes differ', projection);

    const places = placesEach('doseResponse: positions', placesOf('doseResponse', positions, pairs));
    const condition = async (name: string, arm: 'sensitive' | 'control', sign: 1 | -1): Promise<Condition> => {
      const own = await read(arm, positions);
      const vector = Float32Array.from(unit, (entry) => sign * size * entry);
      return {
        name,
        arm,
        writes: (dose) => [{ site, positions, op: 'add', vector, amount: dose }],
        writesEach: (doses) => {
          const part = places * config.width;
          const stored = own.map((entry, i) => entry + doses[Math.floor(i / part)] * sign * size * unit[i % config.width]);
          return [{ site, positions, op: 'swap', donor: { stored } }];
        },
      };
    };
    const conditions = [await condition('attenuate', 'sensitive', -1), await condition('amplify', 'control', 1)];
    const curves = [];
    for (const own of conditions)
      curves.push(await doseCurve(runner, pairs, own, { doses: asked.doses, refinements: asked.refinements, steps }));
    const topics = topicsOf(pairs, ['sensitive', 'control']);
    return {
      axes: doseAxes(curves, asked.doses, topics, asked.unit === 'fraction' ? 'class mean differences' : 'residual units'),
      measures: doseMeasures(curves, asked.doses, topics, outcomeRule(pairs)),
      facts: {
        model: label,
        device: context.executor.name,
        pairs: pairs.pairs,
        ...(gate && { gate: labelOf(gate) }),
        layer,
        site,
        positions: JSON.stringify(positions),
        measuredAt: JSON.stringify(measuredAt),
        direction: asked.direction === 'class mean' ? 'class mean' : 'given vector, made a unit vector',
        unit: asked.unit,
        classMeanNorm: Math.hypot(...difference),
        classMeanAlongDirection: projection,
        refinements: asked.refinements,
        denominator: 'pairs of the topic in the arm',
      },
    };
  },
};

function positionsAt(word: string, pairs: PairSet): Positions {
  if (word !== 'auto') return positionsOf('doseResponse: positions', word, pairs);
  if (pairs.marks?.detection) return { mark: 'detection' };
  return pairs.content ? 'content' : 'all';
}

async function observed(
  runner: Runner,
  pairs: PairSet,
  arm: 'sensitive' | 'control',
  site: string,
  positions: Positions,
  steps: RunSteps,
): Promise<Float32Array> {
  return observedOf(await runner.run(pairs, arm, [], { observe: [{ site, positions }], context: steps.next() }), 0);
}

/** Mean over pairs and places of plus − minus, [width]. */
function meanDifference(plus: Float32Array, minus: Float32Array, width: number): Float64Array {
  const count = plus.length / width;
  return Float64Array.from({ length: width }, (_entry, i) =>
    meanOf(Array.from({ length: count }, (_place, k) => plus[k * width + i] - minus[k * width + i])),
  );
}

function unitVector(vector: ArrayLike<number>, width: number): Float64Array {
  if (vector.length !== width)
    throw new UserError('doseResponse: direction', `must hold ${width} numbers, as the residual does`, vector.length);
  const given = Float64Array.from(vector);
  const size = Math.hypot(...given);
  if (!(size > 0 && Number.isFinite(size))) throw new UserError('doseResponse: direction', 'must have a direction', size);
  return given.map((entry) => entry / size);
}
