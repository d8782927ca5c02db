/**
 * Dose–response of the gate itself: its output where the prompt is read is set between what it is on the two prompts of a pair, and beyond,
 *
 *   z_gate ← z⁻ + β (z⁺ − z⁻)          methods.md §1.6, §1.7
 *
 * on the sensitive prompt, and injected under the cipher: how sharp the switch is, and by how much the cipher shifts it.
 */
import { z } from 'zod';
import { observedOf } from '../../interventions/effects.ts';
import type { Arm, Write } from '../../interventions/intervention.ts';
import { headOutput } from '../../models/sites.ts';
import { outcomeRule } from '../../tasks/outcomes.ts';
import type { RoutingAnalysis } from './analysis.ts';
import { doseAxes, doseCurve, doseMeasures, topicsOf, type Condition } from './doseCurves.ts';
import { dosesOption, refinementsOption } from './doseResponse.ts';
import { gateOf } from './gateRanking.ts';
import { gateOption, labelOf, RunSteps } from './heads.ts';

const options = z.strictObject({
  gate: gateOption,
  doses: dosesOption(
    [0, 0.25, 0.5, 0.75, 1, 1.5, 2, 3],
    'doses β, ascending: 0 is the gate of the control prompt, 1 that of the sensitive one',
  ),
  refinements: refinementsOption,
});

export const gateDose: RoutingAnalysis<typeof options> = {
  id: 'gateDose',
  version: 1,
  title: 'what a model does when its gate is set between what it is on the two prompts of a pair, and beyond',
  arms: ['sensitive', 'control'],
  options,
  async run({ label, model, pairs, options: asked }, context) {
    const { config } = model;
    const runner = context.runner(model);
    const bases: Arm[] = pairs.arms.cipher ? ['sensitive', 'cipher'] : ['sensitive'];
    const steps = new RunSteps(`gate dose: ${label}`, context, 4 + bases.length * (1 + 2 * asked.refinements));
    const gate = await gateOf('gateDose', asked.gate, { config, pairs }, runner, steps);
    const target = { site: headOutput(gate.layer), index: gate.head, positions: 'read' } as const;
    const values = async (arm: Arm) => observedOf(await runner.run(pairs, arm, [], { observe: [target], context: steps.next() }), 0);
    const [plus, minus] = [await values('sensitive'), await values('control')];
    const size = plus.length / pairs.pairs;
    const conditions = bases.map((arm): Condition => ({
      name: arm,
      arm,
      writes: (dose): Write[] => [
        { ...target, op: 'swap', donor: { arm: 'control' } },
        { ...target, op: 'interpolate', donor: { arm: 'sensitive' }, amount: dose },
      ],
      writesEach: (doses): Write[] => {
        const stored = minus.map((entry, i) => entry + doses[Math.floor(i / size)] * (plus[i] - entry));
        return [{ ...target, op: 'swap', donor: { stored } }];
      },
    }));
    const curves = [];
    for (const own of conditions)
      curves.push(await doseCurve(runner, pairs, own, { doses: asked.doses, refinements: asked.refinements, steps }));
    const topics = topicsOf(pairs, bases);
    return {
      axes: doseAxes(curves, asked.doses, topics, 'of z⁺ − z⁻'),
      measures: doseMeasures(curves, asked.doses, topics, outcomeRule(pairs)),
      facts: {
        model: label,
        device: context.executor.name,
        pairs: pairs.pairs,
        gate: labelOf(gate),
        site: target.site,
        positions: 'read',
        refinements: asked.refinements,
        lifetime: 'prompt',
        denominator: 'pairs of the topic in the arm',
      },
    };
  },
};
