import { describe, expect, it } from 'vitest';
import type { Findings } from '../../../../engine/base/findings.ts';
import { cells } from '../../../../engine/base/findings.ts';
import { fixture } from '../../../testing/fixtures.ts';
import { placeOf } from '../modelWords.ts';
import { manyUnits } from '../testing/manyUnits.ts';
import { measuresOf, strengthOf, type Standing } from './measures.ts';
import { categoryOrder, unitTable } from './unitTable.ts';

const found = (name: string): Findings => fixture<Findings>(name);
const { parameters } = fixture<{ adapter: { parameters: Readonly<Record<string, Float32Array>> } }>('units').adapter;
const labels = found('firing').axes.unit.values.map(String);
const own = (kind: string, label: string): number => parameters[`layers.${placeOf(label).layer}.gate.${kind}`][placeOf(label).unit];
const vectors = {
  units: labels,
  layers: [
    { label: 'L0', begin: 0, end: 64 },
    { label: 'L1', begin: 64, end: 96 },
  ],
  threshold: Float32Array.from(labels, (label) => own('threshold', label)),
  gain: Float32Array.from(labels, (label) => own('gain', label)),
  contextual: false,
};
const table = unitTable({
  vectors,
  gated: true,
  gains: true,
  angle: 45,
  categories: found('categories'),
  firing: found('firing'),
  contributions: found('contributions'),
  interchange: found('interchange'),
});

/** By the long form that exports are made of. */
function valueOf(name: string, measure: string, at: Readonly<Record<string, string | number>>): number {
  for (const cell of cells(found(name)))
    if (cell.measure === measure && Object.entries(at).every(([axis, value]) => cell.at[axis] === value)) return cell.value;
  throw new Error(`${measure}: nothing there`);
}

const standing: Standing = { share: 1, base: false, angle: 45, temperature: [0.2, 0.3] };
const measure = (id: string, changes: Partial<Standing> = {}) =>
  measuresOf(table, { ...standing, ...changes }).find((one) => one.id === id);

describe('unit table', () => {
  it.each([0, 17, 64, 95])('says of unit %i what the findings say of it', (i) => {
    const unit = labels[i];
    expect(table.threshold![i]).toBe(own('threshold', unit));
    expect(table.gain![i]).toBe(own('gain', unit));
    expect(table.base![i]).toBe(valueOf('categories', 'base', { unit }));
    expect(table.mode![i]).toBe(valueOf('categories', 'mode', { unit }));
    expect(table.shut![i]).toBe(valueOf('contributions', 'accuracy', { unit, forced: 'shut' }));
    expect(table.necessity![i]).toBe(valueOf('interchange', 'necessity', { unit }));
    const names = found('categories').axes.category.values;
    expect(categoryOrder[table.category![i]]).toBe(names[valueOf('categories', 'category', { unit })]);
    expect(table.indexOf.get(unit)).toBe(i);
  });

  it('knows the class that each unit fires on most, and none of one that never fires', () => {
    for (const i of [1, 40, 70, 95]) {
      const shares = table.firing!.classes.map((name) => valueOf('firing', 'base', { unit: labels[i], class: name }));
      const most = Math.max(...shares);
      expect(table.favourite![i]).toBe(most > 0 ? shares.indexOf(most) : -1);
    }
    expect(table.favourite).toContain(-1);
  });

  it('takes the largest share in a logit with its sign, of the last hidden layer alone', () => {
    expect(table.contribution![3]).toBeNaN();
    const shares = found('contributions').axes.logit.values.map((logit) =>
      valueOf('contributions', 'contributionOverall', { lastUnit: 'L1U3', logit }),
    );
    expect(table.contribution![67]).toBe(shares.find((share) => Math.abs(share) === Math.max(...shares.map(Math.abs))));
  });

  it('has nothing of findings that are not there, or are of another network', () => {
    const bare = unitTable({ vectors, gated: false, gains: false, angle: 45, categories: manyUnits([8, 4]).categories });
    expect([bare.threshold, bare.gain, bare.category, bare.base, bare.firing, bare.shut]).toEqual(Array(6).fill(undefined));
    expect(measuresOf(bare, standing).map(({ id }) => id)).toEqual(['index']);
  });
});

describe('measures', () => {
  it('follow the path from the base: 1 + t·(γ − 1) and τ + T·ln t, with the temperature of the layer', () => {
    const [gain, threshold] = [measure('gain', { share: 0.4 })!, measure('threshold', { share: 0.4 })!];
    for (const i of [5, 80]) {
      expect(gain.values[i]).toBeCloseTo(1 + 0.4 * (table.gain![i] - 1), 12);
      expect(threshold.values[i]).toBeCloseTo(table.threshold![i] + (i < 64 ? 0.2 : 0.3) * Math.log(0.4), 12);
    }
  });

  it('of the base are gains of 1, no thresholds, and its own firing', () => {
    expect(new Set(Array.from(measure('gain', { base: true })!.values))).toEqual(new Set([1]));
    expect(measure('threshold', { base: true })).toBeUndefined();
    expect(measure('fires', { base: true })!.values).toBe(table.base);
    expect(measure('fires')!.values).toBe(table.mode);
  });

  it('have a scale that 19 of 20 units are on', () => {
    for (const id of ['gain', 'threshold', 'change'] as const) {
      const one = measure(id)!;
      const beyond = labels.filter((_label, i) => Math.abs(strengthOf(one, i)) > 1).length;
      expect(beyond).toBeLessThanOrEqual(Math.ceil(labels.length * 0.05));
    }
  });
});
