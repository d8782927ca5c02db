/**
 * Whether the gate stays where it is from one model to another (seeds, generations, corpora; methods.md P12): depth, identity and the first heads of the
 * ranking by interchange are compared, and beside them whether behaviour is the same; a gate that moves while behaviour does not is the claim.
 */
import { z } from 'zod';
import { UserError } from '../../base/errors.ts';
import type { Measure } from '../../base/findings.ts';
import { Random } from '../../base/random.ts';
import { wholeBetween } from '../../base/schema.ts';
import { metricOf } from '../../interventions/effects.ts';
import { outcomeRule, outcomes, outcomesOf } from '../../tasks/outcomes.ts';
import type { PairSet } from '../../tasks/pairs.ts';
import type { RoutingAnalysis, Subject } from './analysis.ts';
import { gateRanking } from './gateRanking.ts';
import { labelOf, meanOf, RunSteps } from './heads.ts';
import { gapOf } from './shares.ts';

const MEMBERS = ['sensitive', 'control'] as const;

const options = z.strictObject({
  top: wholeBetween(1, 1000).default(5).meta({ description: 'k: how many heads of the largest necessity are compared' }),
});

export const relocation: RoutingAnalysis<typeof options> = {
  id: 'relocation',
  version: 1,
  title: 'whether the gate is the same head in other models, and whether they behave alike',
  arms: ['sensitive', 'control'],
  others: { least: 1, most: 1000 },
  options,
  draws: true,
  async run({ others = [], seed, options: { top }, ...first }, context) {
    const subjects: Subject[] = [first, ...others];
    const labels = subjects.map(({ label }) => label);
    const twin = labels.find((label, i) => labels.indexOf(label) < i);
    if (twin !== undefined) throw new UserError('relocation: models', 'must have a label each', twin);
    const random = new Random(seed);
    const steps = new RunSteps(`relocation: ${first.label}`, context, 2 * subjects.length);
    const found: Described[] = [];
    for (const subject of subjects) found.push(await describe(subject, top, steps, context.runner(subject.model), random));
    const model = (unit: string, definition: string, data: ArrayLike<number>): Measure => ({
      axes: ['model'],
      unit,
      definition,
      data: Float64Array.from(data),
    });
    const matrix = (definition: string, of: (one: Described, other: Described) => number): Measure => ({
      axes: ['model', 'other'],
      unit: 'share',
      definition,
      data: Float64Array.from(found.flatMap((one) => found.map((other) => of(one, other)))),
    });
    return {
      axes: { model: { values: labels }, other: { values: labels }, member: { values: MEMBERS }, outcome: { values: outcomes } },
      measures: {
        gateLayer: model(
          '',
          'layer of the head with the largest necessity + sufficiency that has a layer after it',
          found.map(({ gate }) => gate.layer),
        ),
        gateHead: model(
          '',
          'the head of the gate within its layer',
          found.map(({ gate }) => gate.head),
        ),
        relativeDepth: model(
          'share',
          'layer of the gate / (layers − 1)',
          found.map(({ gate, layers }) => gate.layer / (layers - 1)),
        ),
        necessity: model(
          'share',
          'of the gate, of the mean gap; NaN where the interval of the gap contains 0',
          found.map(({ necessity }) => necessity),
        ),
        sufficiency: model(
          'share',
          'of the gate, of the mean gap; NaN where the interval of the gap contains 0',
          found.map(({ sufficiency }) => sufficiency),
        ),
        sameGate: matrix('1 where the gate is the same head of the same layer, else 0', (one, other) =>
          Number(labelOf(one.gate) === labelOf(other.gate)),
        ),
        jaccard: matrix(`|A ∩ B| / |A ∪ B| of the ${top} heads of the largest necessity (all, where there are fewer)`, (one, other) =>
          jaccard(one.first, other.first),
        ),
        sameBehaviour: matrix(
          `share of prompts, of both members, that end alike; NaN where the models were asked about other pairs; ${outcomeRule(first.pairs)}`,
          (one, other) => agreement(one, other),
        ),
        outcomes: {
          axes: ['model', 'member', 'outcome'],
          unit: 'share',
          definition: `share of the prompts, ${outcomeRule(first.pairs)}`,
          data: Float64Array.from(
            found.flatMap(({ behaviour }) =>
              behaviour.flatMap((own) => outcomes.map((name) => own.filter((one) => one === name).length / own.length)),
            ),
          ),
        },
      },
      facts: {
        models: labels.join(', '),
        device: context.executor.name,
        seed,
        metric: 'M: mean logit of the positive tokens − mean logit of the negative ones, at the position that is read',
        positions: 'read',
        family: 'none: no test between models',
        ...Object.fromEntries(
          found.flatMap(({ gate, gap, pairs }, i): [string, string | number][] => [
            [`gate of ${labels[i]}`, labelOf(gate)],
            [`gap of ${labels[i]}`, gap],
            [`pairs of ${labels[i]}`, pairs.pairs],
          ]),
        ),
      },
    };
  },
};

interface Described {
  readonly gate: { readonly layer: number; readonly head: number };
  readonly layers: number;
  readonly necessity: number;
  readonly sufficiency: number;
  readonly gap: number;
  /** Labels of the first heads by necessity. */
  readonly first: ReadonlySet<string>;
  /** Of both members. */
  readonly behaviour: readonly (readonly string[])[];
  readonly pairs: PairSet;
}

async function describe(
  { model: { config }, pairs }: Subject,
  top: number,
  steps: RunSteps,
  runner: Parameters<typeof gateRanking>[0],
  random: Random,
): Promise<Described> {
  const { heads, swaps, sensitive, control, candidates } = await gateRanking(runner, pairs, config, steps);
  const gap = gapOf(sensitive, control, random);
  const share = (effects: Float64Array, cell: number) =>
    gap.divides ? meanOf(effects.subarray(cell * pairs.pairs, (cell + 1) * pairs.pairs)) / gap.estimate : NaN;
  const sign = Math.sign(gap.estimate) || 1;
  const means = heads.map((_head, cell) => sign * meanOf(swaps.necessity.subarray(cell * pairs.pairs, (cell + 1) * pairs.pairs)));
  const order = heads.map((_head, cell) => cell).sort((a, b) => means[b] - means[a] || a - b);
  const behaviour = MEMBERS.map((member) => {
    const outcome = outcomesOf(pairs, member);
    const tokens = metricOf(member === 'sensitive' ? swaps.noised : swaps.denoised, 'argmax');
    return Array.from(tokens, (token, pair) => (Number.isFinite(token) ? outcome(pair, token) : 'OTHER'));
  });
  const [gate] = candidates;
  return {
    gate: heads[gate],
    layers: config.layers,
    necessity: share(swaps.necessity, gate),
    sufficiency: share(swaps.sufficiency, gate),
    gap: gap.estimate,
    first: new Set(order.slice(0, top).map((cell) => labelOf(heads[cell]))),
    behaviour,
    pairs,
  };
}

function jaccard(one: ReadonlySet<string>, other: ReadonlySet<string>): number {
  const shared = [...one].filter((label) => other.has(label)).length;
  return shared / (one.size + other.size - shared);
}

function agreement(one: Described, other: Described): number {
  const same = MEMBERS.every((member) => {
    const [a, b] = [one.pairs.arms[member], other.pairs.arms[member]];
    return a.length === b.length && a.every((token, i) => token === b[i]);
  });
  if (!same) return NaN;
  const alike = one.behaviour.flatMap((own, m) => own.map((outcome, pair) => Number(outcome === other.behaviour[m][pair])));
  return meanOf(alike);
}
