/**
 * Edges from one head to what reads it (Wang et al. 2022, arXiv:2211.00593): the head is interchanged while every other head stays as it was, and only
 * what that changes at the receivers counts. For each receiver alone, whole and by query, key and value; and for receivers together, since redundant
 * ones hide from one-at-a-time patching (trap T21). Receivers of several layers each read what the sender alone changes, not what earlier receivers
 * make of it, so a set over layers may come to more than the whole.
 *
 * An edge's effect is over the mean gap, like necessity (noising: in the sensitive prompt, from the control one) and sufficiency (denoising).
 */
import { z } from 'zod';
import { UserError } from '../../base/errors.ts';
import { Random } from '../../base/random.ts';
import { metricOf } from '../../interventions/effects.ts';
import type { Arm, Intervention } from '../../interventions/intervention.ts';
import type { TransformerConfig } from '../../models/transformer.ts';
import type { RoutingAnalysis } from './analysis.ts';
import { gateOf } from './gateRanking.ts';
import { gateOption, labelOf, positionsOf, positionsOption, RunSteps, swapHead, type Head } from './heads.ts';
import { parts, readerName, readerOf, readersAfter, readsAfter, receiversOf, type Reader } from './receivers.ts';
import { groundFacts } from './screens.ts';
import { gapFacts, gapOf, pairAxis, shareMeasures } from './shares.ts';

const options = z.strictObject({
  gate: gateOption.meta({
    description: 'the head that sends; auto: the one with the largest necessity + sufficiency that has a layer after it',
  }),
  positions: positionsOption('read', 'where the head is interchanged'),
  mlps: z
    .enum(['recompute', 'freeze'], 'must be "recompute" or "freeze"')
    .default('recompute')
    .meta({ description: 'MLPs on the way: answer to the change, or stay as they were (the strictly direct path)' }),
  split: z.boolean('must be true or false').default(true).meta({ description: 'also by query, key and value alone' }),
  together: z
    .array(z.string())
    .default([])
    .meta({ description: 'receivers to patch together besides the sets of each layer, such as L2H0, L2H3, L1 MLP' }),
});

export const pathPatchingEdges: RoutingAnalysis<typeof options> = {
  id: 'pathPatchingEdges',
  version: 1,
  title: 'through which readers the gate acts, one by one and together',
  arms: ['sensitive', 'control'],
  options,
  draws: true,
  async run({ label, model, pairs, seed, options: asked }, context) {
    const { config } = model;
    const runner = context.runner(model);
    const random = new Random(seed).fork('pathPatchingEdges');
    const steps = new RunSteps(`edges: ${label}`, context, 4);
    const sender = await gateOf('pathPatchingEdges', asked.gate, { config, pairs }, runner, steps);
    const positions = positionsOf('pathPatchingEdges: positions', asked.positions, pairs);
    const sets = receiverSets(sender, config, asked.together);
    const edges = sets.flatMap(({ name, readers }) =>
      parts.map((part) => ({
        receivers: part === 'all' || asked.split ? receiversOf(readers, part, config) : [],
        id: `${name} ${part}`,
      })),
    );
    const run = async (base: Arm, donor: Arm) => {
      const writes = [swapHead(sender, donor, positions)];
      const interventions = edges.flatMap(({ id, receivers }): Intervention[] =>
        receivers.length > 0 ? [{ id, writes, receivers, mlps: asked.mlps }] : [],
      );
      return runner.run(pairs, base, [...interventions, { id: 'whole', writes }], { context: steps.next() });
    };
    const [noised, denoised] = [await run('sensitive', 'control'), await run('control', 'sensitive')];
    const gap = gapOf(metricOf(noised, 'difference'), metricOf(denoised, 'difference'), random);
    const changes = (effects: typeof noised, sign: 1 | -1, ids: readonly string[]) => {
      const base = metricOf(effects, 'difference');
      return Float64Array.from(
        ids.flatMap((id) =>
          effects.interventions.includes(id)
            ? Array.from(metricOf(effects, 'difference', id), (metric, pair) => sign * (metric - base[pair]) + 0)
            : new Array<number>(pairs.pairs).fill(NaN),
        ),
      );
    };
    const of = (name: string, effects: typeof noised, sign: 1 | -1, definition: string) => ({
      ...shareMeasures(
        {
          name,
          axes: ['receiver', 'part'],
          definition: `${definition}, counting only what it changes at the receivers`,
          effects: changes(
            effects,
            sign,
            edges.map(({ id }) => id),
          ),
          cells: edges.length,
        },
        gap,
        random,
      ),
      ...shareMeasures({ name: `${name}Whole`, axes: [], definition, effects: changes(effects, sign, ['whole']), cells: 1 }, gap, random),
    });
    return {
      axes: {
        receiver: { values: sets.map(({ name }) => name) },
        part: { values: [...parts] },
        pair: pairAxis(pairs.pairs),
      },
      measures: {
        ...of('necessity', noised, -1, 'M(sensitive) − M(sensitive with the head as on control)'),
        ...of('sufficiency', denoised, 1, 'M(control with the head as on sensitive) − M(control)'),
      },
      facts: {
        ...groundFacts({
          label,
          device: context.executor.name,
          pairs: pairs.pairs,
          seed,
          family: 'all edges of a direction, single and joint',
        }),
        sender: labelOf(sender),
        positions: asked.positions,
        mlps: asked.mlps,
        ...gapFacts(gap),
        ...Object.fromEntries(
          sets
            .filter(({ readers }) => readers.length > 1)
            .map(({ name, readers }) => [`receivers.${name}`, readers.map(readerName).join(' ')]),
        ),
        ...((config.keyValueHeads ?? config.heads) < config.heads && {
          keysAndValues: 'shared by groups of heads: k and v are those of the whole group',
        }),
      },
    };
  },
};

interface ReceiverSet {
  readonly name: string;
  readonly readers: readonly Reader[];
}

/**
 * Each reader alone; the heads of each layer (`L2`), those and the MLP of the sender's layer (`L2 + L1 MLP`), every head (`heads`), every MLP (`MLPs`),
 * every reader but the logits (`readers`); and what is asked for (`together`).
 */
function receiverSets(sender: Head, config: TransformerConfig, together: readonly string[]): ReceiverSet[] {
  const all = readersAfter(sender, config);
  const heads = all.filter(({ kind }) => kind === 'head');
  const mlps = all.filter(({ kind }) => kind === 'mlp');
  const own = mlps.filter((reader) => reader.kind === 'mlp' && reader.layer === sender.layer);
  const asked = together.map((name, i) => {
    const reader = readerOf(`pathPatchingEdges: together.${i}`, name, config);
    if (!readsAfter(reader, sender))
      throw new UserError(`pathPatchingEdges: together.${i}`, `must come after the sender, ${labelOf(sender)}`, name);
    return reader;
  });
  const layers = Array.from({ length: config.layers - sender.layer - 1 }, (_entry, i) => sender.layer + 1 + i);
  const inLayer = (layer: number) => heads.filter((reader) => reader.kind === 'head' && reader.head.layer === layer);
  return [
    ...all.map((reader) => ({ name: readerName(reader), readers: [reader] })),
    ...layers.flatMap((layer) => [
      { name: `L${layer}`, readers: inLayer(layer) },
      { name: `L${layer} + L${sender.layer} MLP`, readers: [...inLayer(layer), ...own] },
    ]),
    ...(heads.length > 0 ? [{ name: 'heads', readers: heads }] : []),
    { name: 'MLPs', readers: mlps },
    { name: 'readers', readers: [...heads, ...mlps] },
    ...(asked.length > 0 ? [{ name: 'together', readers: asked }] : []),
  ];
}
