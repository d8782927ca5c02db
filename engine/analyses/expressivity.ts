/**
 * How much a mode can express that its foundation never saw: gains at an angle on foundations that were shown it, against gains on those to
 * which it is new. The paper (arXiv:2602.11726) states as its limitation that a mode can only reuse what is there, so that
 * beside an adapter that changes weights it should fall behind on the latter.
 */
import { z } from 'zod';
import { UserError } from '../base/errors.ts';
import type { Claim } from '../base/findings.ts';
import { mean } from '../base/statistics.ts';
import { adapterOf } from '../models/adapters/index.ts';
import type { Analysis } from './analysis.ts';
import { differencesOf } from './differences.ts';
import { angle, form, formFact, part } from './options.ts';
import { ground } from './scoring.ts';

const options = z.strictObject({ angle: angle(45, 'degrees of the mode that was learned'), form: form('soft'), part });

/** Whether the foundation was shown the angle that the mode is for. */
const kinds = ['angle seen', 'angle new'] as const;

export const expressivity: Analysis<typeof options> = {
  id: 'expressivity',
  version: 1,
  title: 'gains on foundations that were shown the angle against gains on those it is new to',
  models: { least: 2, most: Infinity, adapter: 'any' },
  options,
  async run({ models, options: asked }, context) {
    const { adapters, foundations, count, gain } = await differencesOf(
      'expressivity',
      models,
      { ...asked, angles: [asked.angle] },
      context,
    );
    const kindOf = foundations.map(({ model }) => (model.angles.includes(asked.angle) ? 0 : 1));
    for (const [kind, name] of kinds.entries())
      if (!kindOf.includes(kind as 0 | 1))
        throw new UserError(
          'expressivity: models',
          `must stand on foundations that were shown ${asked.angle}° and on such that were not`,
          `none of ${name}`,
        );

    const reference = highestRank(adapters);
    const gains = adapters.map((_id, adapter) => foundations.map((_foundation, i) => gain(adapter, i, 0) ?? NaN));
    const relative = gains.map((row) =>
      row.map((value, i) => (reference !== undefined && gains[reference][i] > 0 ? value / gains[reference][i] : NaN)),
    );
    const meanOf = (values: readonly number[], kind: number) => {
      const known = values.filter((value, i) => kindOf[i] === kind && !Number.isNaN(value));
      return known.length > 0 ? mean(known) : NaN;
    };
    const byKind = (table: readonly (readonly number[])[]) =>
      Float64Array.from(table.flatMap((row) => kinds.map((_name, kind) => meanOf(row, kind))));
    const ofReference = reference === undefined ? 'LoRA (none was given)' : adapters[reference];
    return {
      axes: {
        adapter: { values: adapters },
        foundation: { values: foundations.map(({ label }) => label) },
        kind: { values: kinds },
      },
      measures: {
        gain: {
          axes: ['adapter', 'foundation'],
          unit: 'points',
          definition: `accuracy at ${asked.angle}° of the adapter less that of its own foundation; NaN where there is no such model`,
          data: Float64Array.from(gains.flat()),
        },
        relative: {
          axes: ['adapter', 'foundation'],
          unit: '',
          definition: `gain of the adapter divided by that of ${ofReference} on the same foundation; NaN where that gains nothing or is missing`,
          data: Float64Array.from(relative.flat()),
        },
        meanGain: {
          axes: ['adapter', 'kind'],
          unit: 'points',
          definition: 'gain, mean over the foundations of the kind; NaN where there is none',
          data: byKind(gains),
        },
        meanRelative: {
          axes: ['adapter', 'kind'],
          unit: '',
          definition: 'relative gain, mean over the foundations of the kind that have one; NaN where there is none',
          data: byKind(relative),
        },
      },
      facts: {
        ...ground(context, { ...asked, angles: [asked.angle], count }),
        form: formFact(
          models.map(({ model }) => model),
          asked.form,
        ),
        ...Object.fromEntries(kinds.map((name, kind) => [`foundations, ${name}`, kindOf.filter((one) => one === kind).length])),
        relativeTo: ofReference,
      },
      claims: adapters.flatMap((id, adapter) => {
        const values = relative[adapter];
        if (!adapterOf(id).gated || kinds.some((_name, kind) => Number.isNaN(meanOf(values, kind)))) return [];
        return [claimOf(id, ofReference, values, { kindOf, labels: foundations.map(({ label }) => label) })];
      }),
    };
  },
};

/** Holds when every foundation the angle is new to is below every other, in sign only when their means are. */
function claimOf(
  id: string,
  reference: string,
  relative: readonly number[],
  { kindOf, labels }: { kindOf: readonly number[]; labels: readonly string[] },
): Claim {
  const known = relative.flatMap((value, i) => (Number.isNaN(value) ? [] : [{ value, kind: kindOf[i], label: labels[i] }]));
  const [seen, fresh] = kinds.map((_name, kind) => known.filter((entry) => entry.kind === kind).map(({ value }) => value));
  return {
    claim: `${id} gains a smaller part of what ${reference} gains on foundations to which the angle is new than on those that were shown it`,
    measured: {
      ...Object.fromEntries(known.map(({ label, value }) => [label, value])),
      [`mean, ${kinds[0]}`]: mean(seen),
      [`mean, ${kinds[1]}`]: mean(fresh),
    },
    status: Math.max(...fresh) < Math.min(...seen) ? 'holds' : mean(fresh) < mean(seen) ? 'in sign only' : 'does not hold',
  };
}

/** The index of LoRA of the highest rank. */
function highestRank(adapters: readonly string[]): number | undefined {
  const ranks = adapters.map((id) => Number(/^lora-r(\d+)$/.exec(id)?.[1] ?? -Infinity));
  const highest = Math.max(...ranks);
  return highest > 0 ? ranks.indexOf(highest) : undefined;
}
