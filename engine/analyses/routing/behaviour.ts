/**
 * What a model answers, arm by arm: how often as the pairs say a model that follows the task does, and in which class. A circuit is worth looking for
 * only in a model that does what it is said to do (trap T20).
 */
import { z } from 'zod';
import { metricOf } from '../../interventions/effects.ts';
import { outcomeRule, outcomes, outcomesOf } from '../../tasks/outcomes.ts';
import { armsOf } from '../../tasks/pairs.ts';
import type { RoutingAnalysis } from './analysis.ts';
import { meanOf, RunSteps } from './heads.ts';
import { pairAxis } from './shares.ts';

const options = z.strictObject({});

export const behaviour: RoutingAnalysis<typeof options> = {
  id: 'behaviour',
  version: 1,
  title: 'what a model answers to every arm of the pairs, and how often as the task says',
  arms: ['sensitive', 'control'],
  options,
  async run({ label, model, pairs }, context) {
    const runner = context.runner(model);
    const arms = armsOf(pairs);
    const steps = new RunSteps(`behaviour: ${label}`, context, arms.length);
    const right: number[] = [];
    const classes: number[] = [];
    const answers: number[] = [];
    for (const arm of arms) {
      const effects = await runner.run(pairs, arm, [], { metrics: ['argmax'], context: steps.next() });
      const tokens = metricOf(effects, 'argmax');
      const expected = pairs.labels?.expected?.[arm];
      const outcome = outcomesOf(pairs, arm);
      right.push(expected ? meanOf(Array.from(tokens, (token, pair) => Number(token === expected[pair]))) : NaN);
      const own = Array.from(tokens, (token, pair) => outcome(pair, token));
      classes.push(...outcomes.map((one) => meanOf(own.map((given) => Number(given === one)))));
      answers.push(...tokens);
    }
    return {
      axes: { arm: { values: arms }, outcome: { values: outcomes }, pair: pairAxis(pairs.pairs) },
      measures: {
        right: {
          axes: ['arm'],
          unit: 'share',
          definition: 'prompts answered by the token that a model which follows the task gives; NaN where the pairs do not say which',
          data: Float64Array.from(right),
        },
        outcomes: {
          axes: ['arm', 'outcome'],
          unit: 'share',
          definition: `share of all prompts, ${outcomeRule(pairs)}`,
          data: Float64Array.from(classes),
        },
        answer: { axes: ['arm', 'pair'], unit: '', definition: 'the token with the largest logit', data: Int32Array.from(answers) },
      },
      facts: { model: label, device: context.executor.name, pairs: pairs.pairs, positions: 'read' },
    };
  },
};
