/**
 * Attribution patching: what an interchange of a head would do, to first order, for all heads by two forwards and a backward (Nanda 2023; Syed et al.
 * 2023), and along integrated gradients, beside what the interchange does do. An approximation orders an exact sweep; it never replaces one: a switch
 * that is saturated has no gradient, and a gate is a switch.
 *
 *   gradient     Σ (z⁺ − z⁻) · ∂M/∂z at x⁺
 *   activations  the same, gradients averaged with the heads of one layer at z⁻ + t (z⁺ − z⁻), t at the middle of each step: over a layer they add up to
 *                what swapping it does (Sundararajan et al. 2017)
 *   inputs       gradients averaged with the embeddings on the way from x⁻ to x⁺ (EAP-IG, Hanna et al. 2024, arXiv:2403.17806)
 */
import { z } from 'zod';
import { spearman } from '../../base/inference/rankAgreement.ts';
import { Random } from '../../base/random.ts';
import { wholeBetween } from '../../base/schema.ts';
import type { TensorData } from '../../graph/program.ts';
import { metricOf } from '../../interventions/effects.ts';
import { placesOf, type Chunk, type Places } from '../../interventions/places.ts';
import { headOutput } from '../../models/sites.ts';
import { settled } from '../../models/transformer.ts';
import type { RoutingAnalysis } from './analysis.ts';
import { between, MetricGradients, overChunks } from './gradients.ts';
import { allHeads, labelOf, meanOf, positionsOf, positionsOption, RunSteps } from './heads.ts';
import { groundFacts, headAxes, screenMeasures, wayOf } from './screens.ts';
import { gapFacts, gapOf, pairAxis } from './shares.ts';
import { interchange } from './swaps.ts';

export const estimates = ['gradient', 'activations', 'inputs'] as const;

const options = z.strictObject({
  positions: positionsOption('read', 'where heads are swapped'),
  steps: wholeBetween(1, 1000).default(16).meta({ description: 'steps of the integrated gradients' }),
});

export const attributionPatching: RoutingAnalysis<typeof options> = {
  id: 'attributionPatching',
  version: 1,
  title: 'necessity of every head estimated by gradients, beside what its interchange does, with their rank agreement',
  arms: ['sensitive', 'control'],
  options,
  draws: true,
  async run({ label, model, pairs, seed, options: asked }, context) {
    const { layers, heads, headWidth } = settled(model.config);
    const random = new Random(seed).fork('attributionPatching');
    const steps = new RunSteps(`attributionPatching: ${label}`, context, 3);
    const every = allHeads({ layers, heads });
    const positions = positionsOf('attributionPatching: positions', asked.positions, pairs);
    const parts = every.map((head) => ({ id: labelOf(head), heads: [head] }));
    const exact = await interchange(context.runner(model), pairs, parts, positions, { steps });
    const gap = gapOf(metricOf(exact.noised, 'difference'), metricOf(exact.denoised, 'difference'), new Random(seed));

    const places = placesOf('attributionPatching', positions, pairs);
    const sites = Array.from({ length: layers }, (_entry, layer) => headOutput(layer));
    const found = Object.fromEntries(estimates.map((name) => [name, new Float64Array(every.length * pairs.pairs)]));
    const gradients = new MetricGradients(context.executor, model, pairs);
    try {
      await overChunks(gradients, steps.next(), (chunk) => {
        const values = [...sites, 'hook_embed'];
        const plus = gradients.run({ gradients: sites, values }, 'sensitive', chunk);
        const minus = gradients.run({ gradients: [], values }, 'control', chunk).values;
        /** Adds weight × (z⁺ − z⁻) · slope of every head of a layer. */
        const count = (name: string, layer: number, slope: TensorData, weight: number) => {
          const [one, other] = [plus.values.get(sites[layer])!, minus.get(sites[layer])!];
          addProducts(found[name], { chunk, places, pairs: pairs.pairs, layer, heads, headWidth }, [one, other, slope], weight);
        };
        sites.forEach((site, layer) => count('gradient', layer, plus.gradients.get(site)!, 1));
        for (let step = 0; step < asked.steps; step++) {
          const t = (step + 0.5) / asked.steps;
          const embedding = between(minus.get('hook_embed')!, plus.values.get('hook_embed')!, t);
          const onTheWay = gradients.run({ gradients: sites, values: [], given: ['hook_embed'] }, 'sensitive', chunk, {
            hook_embed: embedding,
          });
          sites.forEach((site, layer) => {
            count('inputs', layer, onTheWay.gradients.get(site)!, 1 / asked.steps);
            const given = atPlaces(plus.values.get(site)!, minus.get(site)!, 1 - t, chunk, places);
            const own = gradients.run({ gradients: [site], values: [], given: [site] }, 'sensitive', chunk, { [site]: given });
            count('activations', layer, own.gradients.get(site)!, 1 / asked.steps);
          });
        }
      });
    } finally {
      gradients.dispose();
    }
    const mean = (effects: Float64Array) =>
      every.map((_head, cell) => meanOf(effects.subarray(cell * pairs.pairs, (cell + 1) * pairs.pairs)));
    const truth = mean(exact.necessity);
    const judged = truth.every(Number.isFinite);
    const agreement = estimates.map((name) => (judged ? spearman(mean(found[name]), truth) : NaN));
    const none = new Float64Array(every.length).fill(NaN);
    const measured = new Array<'measured'>(every.length).fill('measured');
    const { estimateMoved: _moved, ...estimated } = screenMeasures(
      {
        name: 'estimate',
        over: 'method',
        axes: ['layer', 'head'],
        definition: 'M(x⁺) − M(x⁺ with the output as on x⁻), estimated from gradients',
        ways: estimates.map((name) => ({ label: name, effects: found[name], state: measured, moved: none })),
      },
      gap,
      random,
    );
    const perMethod = (unit: string, definition: string, data: readonly number[]) => ({
      axes: ['method'],
      unit,
      definition,
      data: Float64Array.from(data),
    });
    return {
      axes: { method: { values: estimates }, ...headAxes({ layers, heads }), pair: pairAxis(pairs.pairs) },
      measures: {
        ...screenMeasures(
          {
            name: 'exact',
            axes: ['layer', 'head'],
            definition: 'M(x⁺) − M(x⁺ with the output as on x⁻)',
            ways: [wayOf('exact', exact.noised, exact.necessity)],
          },
          gap,
          random,
        ),
        ...estimated,
        agreement: perMethod('', 'Spearman rank correlation of the mean estimate and the mean exact effect over all heads', agreement),
        worst: perMethod(
          'share',
          'largest |mean estimate − mean exact effect| of a head, of the mean gap; NaN where the gap is refused',
          estimates.map((name) =>
            gap.divides ? Math.max(...mean(found[name]).map((value, i) => Math.abs(value - truth[i]))) / Math.abs(gap.estimate) : NaN,
          ),
        ),
      },
      facts: {
        ...groundFacts({
          label,
          device: context.executor.name,
          pairs: pairs.pairs,
          seed,
          family: `all ${every.length} heads of one estimate`,
        }),
        positions: asked.positions,
        approximation: 'estimates are first-order; only `exact` is an intervention',
        'integration steps': asked.steps,
        ...gapFacts(gap),
      },
    };
  },
};

interface Where {
  readonly chunk: Chunk;
  readonly places: Places;
  readonly pairs: number;
  readonly layer: number;
  readonly heads: number;
  readonly headWidth: number;
}

/** Tensors are [rows, positions, heads, headWidth]. */
function addProducts(
  into: Float64Array,
  { chunk, places, pairs, layer, heads, headWidth }: Where,
  [one, other, slope]: readonly [TensorData, TensorData, TensorData],
  weight: number,
): void {
  const length = one.shape[1];
  chunk.forEach((pair, row) => {
    for (const position of places[pair])
      for (let head = 0; head < heads; head++) {
        const at = ((row * length + position) * heads + head) * headWidth;
        let sum = 0;
        for (let i = at; i < at + headWidth; i++) sum += (one.data[i] - other.data[i]) * slope.data[i];
        into[(layer * heads + head) * pairs + pair] += weight * sum;
      }
  });
}

/** `own` with what stands at the places moved by t towards `donor`. */
function atPlaces(own: TensorData, donor: TensorData, t: number, chunk: Chunk, places: Places): TensorData {
  const data = Float32Array.from(own.data);
  const [, length, ...rest] = own.shape;
  const width = rest.reduce((a, b) => a * b, 1);
  chunk.forEach((pair, row) => {
    for (const position of places[pair]) {
      const at = (row * length + position) * width;
      for (let i = at; i < at + width; i++) data[i] += t * (donor.data[i] - data[i]);
    }
  });
  return { data, shape: own.shape };
}
