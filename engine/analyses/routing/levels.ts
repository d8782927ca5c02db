/**
 * How loud every head is at each layer and at the output (methods.md P6): a gate is loud where it writes and silent at the end, where what others made
 * of it is heard. After m layers the score of a component is the share it has in the mean difference of the residuals there (residualWrites.ts); at
 * the output its direct effect on the metric.
 *
 * Beside it the score of the paper, along one probe direction: the unit mean difference of the residual half-way, for all layers alike.
 */
import { z } from 'zod';
import { Random } from '../../base/random.ts';
import { UserError } from '../../base/errors.ts';
import type { RoutingAnalysis } from './analysis.ts';
import { DirectEffects, incompleteness, requireComplete, sharesOf } from './components.ts';
import { gateOf } from './gateRanking.ts';
import { gateOption, labelOf, meanOf, RunSteps } from './heads.ts';
import { minus, ranksOf, ResidualWrites } from './residualWrites.ts';
import { groundFacts } from './screens.ts';
import { gapFacts, gapOf, pairAxis } from './shares.ts';

const options = z.strictObject({
  gate: gateOption,
  probe: z
    .union([z.literal('middle'), z.number().int().min(1)], 'must be "middle" or an integer of at least 1')
    .default('middle')
    .meta({ description: 'completed layers before the residual that the probe direction is taken from; middle: half of them' }),
});

export const levels: RoutingAnalysis<typeof options> = {
  id: 'levels',
  version: 1,
  title: 'how loud every component is after each layer, and at the output',
  arms: ['sensitive', 'control'],
  options,
  draws: true,
  async run({ label, model, pairs, seed, options: asked }, context) {
    const { config } = model;
    const runner = context.runner(model);
    const random = new Random(seed).fork('levels');
    const steps = new RunSteps(`levels: ${label}`, context, 4);
    const gate = await gateOf('levels', asked.gate, { config, pairs }, runner, steps);
    const writes = new ResidualWrites(model, pairs);
    const direct = new DirectEffects(model, pairs);
    const plus = await writes.read(runner, 'sensitive', steps, direct.observe);
    const less = await writes.read(runner, 'control', steps, direct.observe);
    const gap = gapOf(plus.metric, less.metric, random);
    const [directPlus, directLess] = [direct.of(plus.more), direct.of(less.more)];
    requireComplete('levels', Math.max(incompleteness(directPlus, plus.metric), incompleteness(directLess, less.metric)), gap.estimate);

    const count = writes.labels.length;
    const layersDone = Array.from({ length: config.layers }, (_entry, done) => done + 1);
    const meansOf = (values: Float64Array) =>
      Array.from({ length: count }, (_entry, c) => meanOf(values.subarray(c * pairs.pairs, (c + 1) * pairs.pairs)));
    const scoreAt = (direction: Float64Array, done: number) =>
      minus(writes.along(plus.values, direction, done), writes.along(less.values, direction, done));
    const scores = layersDone.map((done) => {
      const direction = writes.direction(plus.values, less.values, done);
      return direction ? scoreAt(direction, done) : new Float64Array(count * pairs.pairs).fill(NaN);
    });
    const probeAt = asked.probe === 'middle' ? Math.max(1, Math.floor(config.layers / 2)) : asked.probe;
    if (probeAt > config.layers) throw new UserError('levels: probe', `must be at most ${config.layers}`, probeAt);
    const probe = writes.direction(plus.values, less.values, probeAt);
    const unit = probe?.map((value) => value / Math.hypot(...probe));
    const probed = unit ? meansOf(scoreAt(unit, config.layers)) : new Array<number>(count).fill(NaN);
    const heads = <T>(values: ArrayLike<T>) => Array.from(values).slice(0, writes.heads);
    const ranked = scores.map((own) => ranksOf(heads(meansOf(own))));
    const finals = minus(directPlus, directLess);
    const { means, shares } = sharesOf(finals, direct.labels.length);
    const finalRanks = ranksOf(heads(means));
    const cell = gate.layer * config.heads + gate.head;
    const headLabels = heads(writes.labels);
    return {
      axes: {
        layersDone: { values: layersDone, unit: 'layers' },
        component: { values: writes.labels },
        headLabel: { values: headLabels },
        pair: pairAxis(pairs.pairs),
      },
      measures: {
        level: {
          axes: ['layersDone', 'component'],
          unit: 'share',
          definition:
            'what the component writes along the mean difference of the residuals after so many layers, over its square, sensitive − control, mean over pairs; those of all components add up to 1; NaN for one that writes later, or where the residuals do not differ',
          data: Float64Array.from(scores.flatMap(meansOf)),
        },
        levelPairs: {
          axes: ['layersDone', 'component', 'pair'],
          unit: 'share',
          definition: 'the same, pair by pair',
          data: Float32Array.from(scores.flatMap((own) => [...own])),
        },
        levelRank: {
          axes: ['layersDone', 'headLabel'],
          unit: '',
          definition: 'rank of |level| among the heads that have written, 1 the loudest; equals share the worse rank; 0 for none',
          data: Int32Array.from(ranked.flatMap((own) => [...own])),
        },
        probe: {
          axes: ['component'],
          unit: 'residual units',
          definition: `what the component writes along the unit mean difference of the residuals after ${probeAt} layers, sensitive − control, mean over pairs`,
          data: Float64Array.from(probed),
        },
        probeRank: {
          axes: ['layersDone', 'headLabel'],
          unit: '',
          definition: 'rank of |probe| among the heads that have written after so many layers; equals share the worse rank; 0 for none',
          data: Int32Array.from(
            layersDone.flatMap((done) => [...ranksOf(heads(probed).map((value, i) => (writes.writtenAfter[i] <= done ? value : NaN)))]),
          ),
        },
        output: {
          axes: ['headLabel'],
          unit: 'logits',
          definition: 'direct effect of the head on M, sensitive − control, mean over pairs',
          data: Float64Array.from(heads(means)),
        },
        outputShare: {
          axes: ['headLabel'],
          unit: 'share',
          definition: '|output| over the sum of it over all components',
          data: Float64Array.from(heads(shares)),
        },
        outputRank: {
          axes: ['headLabel'],
          unit: '',
          definition: 'rank of |output| among all heads, 1 the loudest; equals share the worse rank',
          data: finalRanks,
        },
      },
      facts: {
        ...groundFacts({ label, device: context.executor.name, pairs: pairs.pairs, seed, family: 'none: no test is made' }),
        positions: 'read',
        ...gapFacts(gap),
        gate: labelOf(gate),
        'gate.level': meansOf(scores[gate.layer])[cell],
        'gate.rank': ranked[gate.layer][cell],
        'gate.output': means[cell],
        'gate.outputRank': finalRanks[cell],
        probe: probeAt,
      },
    };
  },
};
