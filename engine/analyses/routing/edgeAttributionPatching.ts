/**
 * Edge attribution patching beside path patching: what the strictly direct path from every head to every later reader would do to M by gradients, and
 * by integrated gradients over inputs (EAP-IG), and what it does do. Exact edges are two forwards each, so they are run for the edges that come first by
 * the estimates, and the rest is `not-run`, never 0; rank agreement is over those that were run.
 */
import { z } from 'zod';
import { spearman } from '../../base/inference/rankAgreement.ts';
import { Random } from '../../base/random.ts';
import { wholeBetween } from '../../base/schema.ts';
import { metricOf, type Effects } from '../../interventions/effects.ts';
import type { Intervention } from '../../interventions/intervention.ts';
import type { RoutingAnalysis } from './analysis.ts';
import { EdgeScores, edgeLabel } from './edgeScores.ts';
import { between, MetricGradients, overChunks } from './gradients.ts';
import { labelOf, meanOf, RunSteps, swapHead } from './heads.ts';
import { changesOf, groundFacts, screenMeasures, type Way } from './screens.ts';
import { gapFacts, gapOf, pairAxis } from './shares.ts';

export const edgeEstimates = ['gradient', 'inputs'] as const;

const options = z.strictObject({
  steps: wholeBetween(1, 1000).default(8).meta({ description: 'steps of the integrated gradients' }),
  exact: wholeBetween(0, 1_000_000)
    .default(40)
    .meta({ description: 'how many edges are patched: the first by the largest of the estimates; each takes two forwards of all pairs' }),
});

export const edgeAttributionPatching: RoutingAnalysis<typeof options> = {
  id: 'edgeAttributionPatching',
  version: 1,
  title: 'direct paths between heads, MLPs and logits estimated by gradients, beside path patching of the first of them',
  arms: ['sensitive', 'control'],
  options,
  draws: true,
  async run({ label, model, pairs, seed, options: asked }, context) {
    const n = pairs.pairs;
    const random = new Random(seed).fork('edgeAttributionPatching');
    const runner = context.runner(model);
    const steps = new RunSteps(`edgeAttributionPatching: ${label}`, context, 3);
    const edges = new EdgeScores(model, pairs);
    const size = edges.senders.length * edges.readers.length;
    const found = edgeEstimates.map(() => new Float64Array(size * n));
    const gradients = new MetricGradients(context.executor, model, pairs);
    try {
      await overChunks(gradients, steps.next(), (chunk) => {
        const values = [...edges.values, 'hook_embed'];
        const plus = gradients.run({ gradients: edges.gradients, values }, 'sensitive', chunk);
        const minus = gradients.run({ gradients: [], values }, 'control', chunk).values;
        const ends = { plus: plus.values, minus };
        edges.add(found[0], chunk, { ...ends, base: plus.values, slopes: plus.gradients }, 1);
        for (let step = 0; step < asked.steps; step++) {
          const embedding = between(minus.get('hook_embed')!, plus.values.get('hook_embed')!, (step + 0.5) / asked.steps);
          const way = gradients.run({ gradients: edges.gradients, values: edges.values, given: ['hook_embed'] }, 'sensitive', chunk, {
            hook_embed: embedding,
          });
          edges.add(found[1], chunk, { ...ends, base: way.values, slopes: way.gradients }, 1 / asked.steps);
        }
      });
    } finally {
      gradients.dispose();
    }

    const cells = edges.senders.flatMap((sender, s) =>
      edges.readers.flatMap((reader, r) => (edges.follows(reader, sender) ? [{ sender, reader, cell: s * edges.readers.length + r }] : [])),
    );
    const mean = (effects: Float64Array, cell: number) => meanOf(effects.subarray(cell * n, (cell + 1) * n));
    const rank = ({ cell }: (typeof cells)[number]) => Math.max(...found.map((own) => Math.abs(mean(own, cell))));
    const chosen = [...cells].sort((a, b) => rank(b) - rank(a) || a.cell - b.cell).slice(0, asked.exact);
    const interventions = chosen.map(({ sender, reader }): Intervention => ({
      id: edgeLabel(sender, reader),
      writes: [swapHead(sender, 'control', 'all')],
      receivers: reader.receivers,
      mlps: 'freeze',
    }));
    const noised = await runner.run(pairs, 'sensitive', interventions, { context: steps.next() });
    const control = await runner.run(pairs, 'control', [], { context: steps.next() });
    const gap = gapOf(metricOf(noised, 'difference'), metricOf(control, 'difference'), new Random(seed));

    const later = new Set(cells.map(({ cell }) => cell));
    const agreement = found.map((own) => {
      const changes = changesOf(noised, -1);
      const truth = chosen.map((_edge, i) => mean(changes, i));
      return chosen.length > 1 && truth.every(Number.isFinite)
        ? spearman(
            chosen.map(({ cell }) => mean(own, cell)),
            truth,
          )
        : NaN;
    });
    const { estimateMoved: _moved, ...estimated } = screenMeasures(
      {
        name: 'estimate',
        over: 'method',
        axes: ['sender', 'reader'],
        definition: 'M(x⁺) − M(x⁺ with the direct path as on x⁻), estimated from gradients',
        ways: edgeEstimates.map((name, i) => ({
          label: name,
          effects: found[i].map((value, at) => (later.has(Math.floor(at / n)) ? value : NaN)),
          state: Array.from({ length: size }, (_entry, cell) => (later.has(cell) ? 'measured' : 'not-run')),
          moved: new Float64Array(size),
        })),
      },
      gap,
      random,
    );
    return {
      axes: {
        method: { values: edgeEstimates },
        sender: { values: edges.senders.map(labelOf) },
        reader: { values: edges.readers.map((reader) => reader.label) },
        pair: pairAxis(n),
      },
      measures: {
        ...screenMeasures(
          {
            name: 'exact',
            axes: ['sender', 'reader'],
            definition: 'M(x⁺) − M(x⁺ with what the reader reads of the sender as on x⁻, other heads and MLPs on the way held)',
            ways: [
              exactWay(
                noised,
                chosen.map(({ cell }) => cell),
                size,
                n,
              ),
            ],
          },
          gap,
          random,
        ),
        ...estimated,
        agreement: {
          axes: ['method'],
          unit: '',
          definition: `Spearman rank correlation of the mean estimate and the mean exact effect over the ${chosen.length} edges that were patched`,
          data: Float64Array.from(agreement),
        },
      },
      facts: {
        ...groundFacts({
          label,
          device: context.executor.name,
          pairs: n,
          seed,
          family: `estimates: all ${cells.length} edges; exact: the ${chosen.length} that were patched`,
        }),
        positions: 'all',
        approximation: 'estimates are first-order; only `exact` is an intervention',
        'integration steps': asked.steps,
        edges: cells.length,
        'edges patched': chosen.length,
        ...gapFacts(gap),
      },
    };
  },
};

/** Exact effects where edges were patched, NaN and not-run elsewhere. */
function exactWay(effects: Effects, cells: readonly number[], size: number, pairs: number): Way {
  const changes = changesOf(effects, -1);
  const all = new Float64Array(size * pairs).fill(NaN);
  const state = new Array<Way['state'][number]>(size).fill('not-run');
  const moved = new Float64Array(size).fill(NaN);
  cells.forEach((cell, i) => {
    all.set(changes.subarray(i * pairs, (i + 1) * pairs), cell * pairs);
    state[cell] = effects.state[i];
    moved[cell] = effects.moved[i];
  });
  return { label: 'exact', effects: all, state, moved };
}
