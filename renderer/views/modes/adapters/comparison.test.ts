import { describe, expect, it } from 'vitest';
import { mean, randomLcg } from 'd3';
import type { Findings } from '../../../../engine/base/findings.ts';
import { fixture } from '../../../testing/fixtures.ts';
import { comparison, differenceRows, differenceWords } from './comparison.ts';
import { labelsOf, overlaps, type Dot } from './labelling.ts';
import { namingBy } from './naming.ts';
import { along, barText, imagesText, read } from './reading.ts';
import { stateOf } from './figureState.ts';
import { hardenedOf, oneFoundation } from './testing/standIns.ts';

const paired = fixture<Findings>('paired');
const costs: Readonly<Record<string, number>> = {
  dopamine: 192,
  threshold: 96,
  gain: 96,
  bias: 106,
  'lora-r1': 944,
  'lora-r4': 3776,
  'lora-r8': 7552,
  full: 52650,
};
const given = {
  soft: paired,
  newAngle: 45,
  oldAngle: 0,
  current: 'dopamine',
  about: (adapter: string) => ({ name: adapter, parameters: costs[adapter] }),
  isGated: (adapter: string) => adapter === 'dopamine' || adapter === 'threshold',
};

describe('reading', () => {
  it('finds a number by what stands on its axes, wherever the axes stand', () => {
    const { data } = paired.measures.difference;
    expect(read(paired, 'difference', { adapter: 'lora-r4', foundation: '0°, 45°, seed 1', angle: 45 })).toBe(data[(5 * 3 + 1) * 2 + 1]);
    expect(along(paired, 'mean', 'angle', { adapter: 'gain' })).toEqual([...paired.measures.mean.data.subarray(4, 6)]);
    expect(read(paired, 'mean', { adapter: 'none', angle: 45 })).toBeNaN();
    expect(read(paired, 'nothing')).toBeNaN();
  });

  it('says what the bar is, and that one foundation has none', () => {
    expect(barText(paired)).toBe('paired over 3 seeds · bar: 95\u202f% bootstrap interval');
    expect(barText(oneFoundation(paired))).toBe('one foundation only, so there is no interval');
    expect(imagesText(paired)).toBe('n = 10\u202f000 images');
  });
});

describe('comparison', () => {
  it('has the cheapest first, and of equally cheap ones the one that gains less', () => {
    expect(comparison(given).map(({ id }) => id)).toEqual([
      'threshold',
      'gain',
      'bias',
      'dopamine',
      'lora-r1',
      'lora-r4',
      'lora-r8',
      'full',
    ]);
  });

  it('has for every adapter the mean of its seeds, within its interval', () => {
    for (const { id, gain, kept } of comparison(given))
      for (const one of [gain, kept]) {
        expect(one.seeds.map(({ name }) => name)).toEqual(['seed 0', 'seed 1', 'seed 2']);
        // Fixtures have six digits, of values up to 100.
        expect(one.mean, id).toBeCloseTo(
          mean(one.seeds, ({ value }) => value)!,
          3,
        );
        expect(one.low).toBeLessThanOrEqual(one.mean);
        expect(one.high).toBeGreaterThanOrEqual(one.mean);
      }
  });

  it('puts the hardened gates under their own adapter, and none under those without', () => {
    const rows = comparison({ ...given, hard: hardenedOf(paired) });
    expect(rows.filter(({ hardened }) => hardened).map(({ adapter }) => adapter)).toEqual(['threshold', 'dopamine']);
    const at = rows.findIndex(({ id }) => id === 'dopamine, hardened');
    expect(rows[at - 1].id).toBe('dopamine');
    expect(rows[at].gain.mean).toBeCloseTo(rows[at - 1].gain.mean - 0.12, 10);
    expect(rows[at]).toMatchObject({ name: 'hardened', parameters: undefined, colour: 'teal' });
  });

  it('writes differences with their sign and interval, and says that there is none', () => {
    const dopamine = comparison(given).find(({ id }) => id === 'dopamine')!;
    expect(differenceWords(dopamine.gain)).toBe('+0.98 [+0.52, +1.47] points');
    expect(differenceWords(dopamine.kept)).toBe('−1.54 [−1.64, −1.38] points');
    const [alone] = comparison({ ...given, soft: oneFoundation(paired) });
    expect(differenceWords(alone.gain)).toBe('+0.21 points');
    expect(differenceRows(alone.gain)).toEqual([
      { label: 'mean', value: '+0.21 points' },
      { label: '95\u202f% interval', value: 'none: one foundation' },
      { label: 'seed 0', value: '+0.21' },
    ]);
  });
});

describe('names of models in findings', () => {
  const results = [{ key: 'k', models: [{ label: 'as it was called', digest: 'd' }] }];
  const wanted = { state: 'ready', key: 'k', findings: paired } as const;

  it('are those that the result keeps, or else the titles', () => {
    const named = namingBy(results);
    expect(named(wanted, { digest: 'd', title: 'renamed' })).toBe('as it was called');
    expect(named(wanted, { digest: 'e', title: 'another' })).toBe('another');
    expect(named({ ...wanted, key: 'l' }, { digest: 'd', title: 'renamed' })).toBe('renamed');
    expect(named(undefined, { digest: 'd', title: 'renamed' })).toBe('renamed');
  });
});

describe('labels', () => {
  const within = { left: 0, right: 400, top: 0, bottom: 300 };

  it('lie on no dot and on no other label where there is room', () => {
    const random = randomLcg(0.3);
    for (let trial = 0; trial < 50; trial++) {
      const dots: Dot[] = Array.from({ length: 8 }, (_entry, i) => ({
        x: 100 + random() * 200,
        y: 30 + i * 32 + random() * 4,
        text: `Adapter ${i}`,
      }));
      const labels = labelsOf(dots, within);
      labels.forEach(({ box }, i) => {
        expect(box.left >= within.left && box.right <= within.right && box.top >= within.top && box.bottom <= within.bottom).toBe(true);
        labels.slice(i + 1).forEach((other) => expect(overlaps(box, other.box)).toBe(false));
        dots.forEach(({ x, y }) => expect(overlaps(box, { left: x - 4, right: x + 4, top: y - 4, bottom: y + 4 })).toBe(false));
      });
    }
  });

  it('keep off intervals, and are beside their dot where nothing is in the way', () => {
    const [free] = labelsOf([{ x: 50, y: 100, text: 'one' }], within);
    expect(free).toMatchObject({ x: 59, y: 104, anchor: 'start' });
    const [, low] = labelsOf(
      [
        { x: 80, y: 60, text: 'tall', upper: 20, lower: 120 },
        { x: 60, y: 100, text: 'beside' },
      ],
      within,
    );
    expect(low.anchor).toBe('end');
    expect(labelsOf([{ x: 50, y: 100, text: 'one' }], within, 'below')[0].y).toBeGreaterThan(110);
  });
});

describe('what stands in place of a figure', () => {
  it('says what is to be had, at what cost, and why not', () => {
    const onRun = (): void => undefined;
    expect(stateOf({ state: 'absent', key: 'k' }, { shows: 'Gain.', seconds: 41, onRun })).toEqual({
      state: 'absent',
      text: 'Gain.',
      action: 'Measure it, 41\u202fs',
      onAction: onRun,
    });
    expect(stateOf({ state: 'absent', key: 'k' }, { shows: 'Gain.' })).toEqual({
      state: 'absent',
      text: 'Gain. Not run; this session is open to be read only.',
    });
    expect(stateOf(undefined, { shows: 'Gain.', needs: 'Train two.' })).toEqual({ state: 'absent', text: 'Gain. Train two.' });
    expect(stateOf({ state: 'unknown' }, { shows: 'Gain.' })).toEqual({ state: 'loading' });
    expect(stateOf({ state: 'failed', reason: 'no' }, { shows: 'Gain.' })).toEqual({ state: 'refused', text: 'no' });
  });
});
