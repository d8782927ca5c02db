/**
 * *How Alignment Routes* at several scales (methods.md §1.7, tier C): models of one width whose layers have more and more heads, where no single head is
 * made to carry the route. Does it stay with one head, or is it a band of several? Every head is screened, and the leading ones swapped together.
 */
import { z } from 'zod';
import type { Findings } from '../base/findings.ts';
import { parseWith, wholeBetween } from '../base/schema.ts';
import type { TrainPolicyResult } from '../jobs/trainPolicy.ts';
import { policyPairs } from '../tasks/policyPairs.ts';
import { policyTask } from '../tasks/policyRouting.ts';
import { stepsOption } from './policy.ts';
import { ProgressBoard } from './progressBoard.ts';
import type { Protocol } from './protocol.ts';

/** What several heads do together, as shares of the gap. */
export interface JointEffect {
  readonly necessity: number;
  readonly sufficiency: number;
}

/** One model. */
export interface Scale {
  /** Heads of a layer. */
  readonly heads: number;
  /** Whether the model does what the policy says in at least 98 % of prompts of every class. */
  readonly accepted: boolean;
  /** The head that is needed most. */
  readonly best: JointEffect & { readonly head: string };
  /** By how many they are: the heads that are needed most, swapped at once. */
  readonly leading: Readonly<Record<string, JointEffect>>;
  /** All heads of each layer at once. */
  readonly layers: readonly JointEffect[];
  /** How many leading heads carry {@link CARRIED} of the gap, of 1, 2, 4, … and all; NaN where not even all do. */
  readonly band: number;
}

export interface ScalesReport {
  readonly models: readonly Scale[];
}

/** Of the gap: what a band must carry together. */
export const CARRIED = 0.9;

/** They share the width that the recipe of training has. */
export const WIDTH = 64;
const allowed = [2, 4, 8, 16, 32, 64].filter((heads) => WIDTH % heads === 0);

/** Numbers of heads of a layer, one for each model. */
export const headNumbers = z
  .array(
    z.number().refine((heads) => allowed.includes(heads), `must be one of ${allowed.join(', ')}: they share a width of ${WIDTH}`),
    'must be a list of numbers of heads',
  )
  .refine((heads) => new Set(heads).size === heads.length, 'must be different numbers');

const schema = z.strictObject({
  seed: wholeBetween(0, Number.MAX_SAFE_INTEGER).default(0).meta({ description: 'of weights, prompts, pairs and whatever else is drawn' }),
  heads: headNumbers
    .refine((heads) => heads.length > 0, 'must be at least one number of heads')
    .default([2, 4, 8, 16])
    .meta({ description: 'heads in each layer, of one model after the other; all have one width' }),
  slots: z
    .enum(['layer', 'free'], 'must be "layer" or "free"')
    .default('layer')
    .meta({ description: 'which heads may carry words to where the answer is read: all of layer 1, or any' }),
  pairs: wholeBetween(2, 100_000).default(240).meta({ description: 'matched pairs to ask about' }),
  baseSteps: stepsOption('until the model answers everything'),
  alignmentSteps: stepsOption('of its alignment'),
});
export type ScalesOptions = z.output<typeof schema>;

export const tierC: Protocol<ScalesOptions, ScalesReport> = {
  id: 'tier-c',
  version: 1,
  title: 'How Alignment Routes on trained models with more and more heads: one gate, or a band of them',
  options: schema,
  parse: (options) => parseWith(schema, 'run tier-c', options),
  jobs: ({ heads }) => 2 * heads.length,
  async run({ seed, heads: numbers, slots, pairs, baseSteps, alignmentSteps }, submit, onProgress) {
    const watched = new ProgressBoard(2 * numbers.length, onProgress).watched(submit);
    const models: Scale[] = [];
    for (const heads of numbers) {
      const label = `tier-c, ${heads} heads, seed ${seed}`;
      const { model, accepted } = await watched<TrainPolicyResult>({
        kind: 'trainPolicy',
        parameters: {
          stage: label,
          seed,
          slots,
          heads,
          ...(baseSteps !== undefined && { base: { steps: baseSteps } }),
          ...(alignmentSteps !== undefined && { alignment: { steps: alignmentSteps } }),
        },
      });
      const found = await watched<Findings>({
        kind: 'bands',
        parameters: { model, label, pairs: policyPairs(policyTask(), { pairs, seed }), seed, options: {} },
      });
      models.push(scaleOf(heads, accepted, found));
    }
    return { models };
  },
  findings: scalesFindings,
};

function scaleOf(heads: number, accepted: boolean, { axes, measures }: Findings): Scale {
  const names = axes.band.values.map(String);
  const effect = (set: string): JointEffect => {
    const at = names.indexOf(set);
    return { necessity: measures.necessity.data[at], sufficiency: measures.sufficiency.data[at] };
  };
  const alone = [...measures.necessityAlone.data];
  // Without a gap there are no shares of it, and no head is the best.
  const first = alone.reduce((best, value, cell) => (value > (alone[best] ?? -Infinity) ? cell : best), -1);
  const best = {
    head: first < 0 ? 'none' : String(axes.component.values[first]),
    necessity: alone[first] ?? NaN,
    sufficiency: measures.sufficiencyAlone.data[first] ?? NaN,
  };
  const leading = Object.fromEntries(
    axes.leading.values.map((size, i): [string, JointEffect] => [
      String(size),
      { necessity: measures.leadingNecessity.data[i], sufficiency: measures.leadingSufficiency.data[i] },
    ]),
  );
  const all = axes.component.values.length;
  const carried: [size: number, necessity: number][] = [
    [1, best.necessity],
    ...Object.entries(leading).map(([size, { necessity }]): [number, number] => [Number(size), necessity]),
    [all, effect('all').necessity],
  ];
  return {
    heads,
    accepted,
    best,
    leading,
    layers: names.filter((name) => /^L\d+ all$/.test(name)).map(effect),
    band: carried.find(([, necessity]) => necessity >= CARRIED)?.[0] ?? NaN,
  };
}

/** The report as a session keeps it. */
export function scalesFindings({ models }: ScalesReport): Findings {
  const sizes = [...new Set(models.flatMap(({ leading }) => Object.keys(leading)))].sort((a, b) => Number(a) - Number(b));
  const layers = models[0].layers.map((_effect, layer) => layer);
  const column = (unit: string, definition: string, of: (model: Scale) => number) => ({
    axes: ['heads'],
    unit,
    definition,
    data: Float64Array.from(models, of),
  });
  const table = (axis: string, definition: string, count: number, of: (model: Scale, at: number) => number | undefined) => ({
    axes: ['heads', axis],
    unit: 'of the gap',
    definition,
    data: Float64Array.from(models.flatMap((model) => Array.from({ length: count }, (_entry, at) => of(model, at) ?? NaN))),
  });
  return {
    axes: {
      heads: { values: models.map(({ heads }) => heads), unit: 'heads in a layer' },
      size: { values: sizes.map(Number), unit: 'heads' },
      layer: { values: layers },
    },
    measures: {
      accepted: column('', '1 if the model does what the policy says in at least 98 % of prompts of every class, else 0', ({ accepted }) =>
        Number(accepted),
      ),
      bestNecessity: column('of the gap', 'M(x⁺) − M(x⁺; head ← x⁻) of the head that is needed most', ({ best }) => best.necessity),
      bestSufficiency: column('of the gap', 'M(x⁻; head ← x⁺) − M(x⁻) of the same head', ({ best }) => best.sufficiency),
      band: column(
        'heads',
        `how many leading heads carry ${CARRIED} of the gap together, of 1, 2, 4, … and all; NaN where none do`,
        ({ band }) => band,
      ),
      leadingNecessity: table(
        'size',
        'necessity of the heads that are needed most, swapped at once; chosen by the same pairs; NaN where the model has no more heads',
        sizes.length,
        ({ leading }, at) => (leading[sizes[at]] as JointEffect | undefined)?.necessity,
      ),
      leadingSufficiency: table(
        'size',
        'sufficiency of the same heads',
        sizes.length,
        ({ leading }, at) => (leading[sizes[at]] as JointEffect | undefined)?.sufficiency,
      ),
      layerNecessity: table('layer', 'necessity of all heads of a layer', layers.length, (model, at) => model.layers[at].necessity),
    },
    facts: Object.fromEntries(models.map(({ heads, best }) => [`best of ${heads}`, best.head])),
  };
}
