/** Every unit is exactly one thing, by the definitions, on what double precision says of it. */
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { EXACT, expectClose } from '../base/testing/closeTo.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { adapterOf } from '../models/adapters/index.ts';
import { categories, categoryNames, categoryOf, gainsOf, thresholdsOf } from './categories.ts';
import { analysisContext, labelled, smallImages, smallModel } from './testing/models.ts';
import { references } from './testing/reference.ts';

const executor = new OnnxRuntimeExecutor();
afterAll(() => executor.dispose());
const context = analysisContext(executor);
const UNITS = 14;

describe.each(['dopamine', 'threshold', 'dopamine+pre-activation', 'gain', 'lora-r2'])('%s', (id) => {
  test('by the definitions', async () => {
    const angles = [45, 0];
    const model = smallModel({ adapter: id });
    const options = { angles, form: 'hard', part: 'test', tolerance: 0.2 } as const;
    const { measures } = await categories.run({ models: [{ label: 'mode', model }], seed: 0, options: { ...options, angles } }, context);
    const form = adapterOf(id).gated ? 'hard' : 'soft';
    const expected = angles.flatMap((angle) => {
      const set = smallImages('test', angle);
      const [base, mode] = (['base', form] as const).map((one) => references(model, one, set, angle));
      return Array.from({ length: UNITS }, (_e, unit) => {
        const [inBase, inMode] = [base, mode].map((rows) => rows.filter(({ active }) => active[unit]).length);
        const [layer, own] = unit < 8 ? [0, unit] : [1, unit - 8];
        const gain = model.adapter!.parameters[`layers.${layer}.gate.gain`]?.[own] ?? 1;
        const name = inMode > 0 ? (gain > 1.2 ? 'boosted' : gain < 0.8 ? 'attenuated' : 'reused') : inBase > 0 ? 'silenced' : 'dead';
        return { name, base: (100 * inBase) / 620, mode: (100 * inMode) / 620 };
      });
    });
    const names = Array.from(measures.category.data, (at) => categoryNames[at]);
    expect(names).toEqual(expected.map(({ name }) => name));
    expectClose(
      measures.base.data,
      expected.map(({ base }) => base),
      EXACT,
      'base',
    );
    expectClose(
      measures.mode.data,
      expected.map(({ mode }) => mode),
      EXACT,
      'mode',
    );
    const counts = [0, UNITS].flatMap((from) =>
      [
        [0, 8],
        [8, 14],
        [0, 14],
      ].flatMap(([begin, end]) => categoryNames.map((name) => names.slice(from + begin, from + end).filter((one) => one === name).length)),
    );
    expectClose(measures.count.data, counts, EXACT, 'count');
    const sizes = [8, 6, 14];
    expectClose(
      measures.share.data,
      counts.map((n, i) => (100 * n) / sizes[Math.floor(i / 5) % 3]),
      EXACT,
      'share',
    );
  });
});

test('the small model has units of every category, so that none is only right by absence', async () => {
  const options = { angles: [45], form: 'hard', part: 'test', tolerance: 0.05 } as const;
  const { measures, facts } = await categories.run(
    { models: [labelled('mode', { adapter: 'dopamine' })], seed: 0, options: { ...options, angles: [45] } },
    context,
  );
  expect(new Set(measures.category.data).size).toBe(5);
  expect(measures.category.data[6]).toBe(categoryNames.indexOf('dead'));
  expect(measures.category.data[7]).toBe(categoryNames.indexOf('silenced'));
  expect(facts).toMatchObject({
    tolerance: 0.05,
    attenuated: 'active in the mode on some image, with a gain below 0.95, negative gains included',
  });
});

test('exactly one category, whatever the numbers', () => {
  const count = fc.integer({ min: 0, max: 3 });
  fc.assert(
    fc.property(
      count,
      count,
      fc.double({ min: -2, max: 2, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (base, mode, gain, tolerance) => {
        const holds = {
          dead: base === 0 && mode === 0,
          silenced: base > 0 && mode === 0,
          boosted: mode > 0 && gain > 1 + tolerance,
          attenuated: mode > 0 && gain < 1 - tolerance,
          reused: mode > 0 && Math.min(gain, 1 + tolerance) === gain && Math.max(gain, 1 - tolerance) === gain,
        };
        expect(Object.entries(holds).filter(([, is]) => is)).toEqual([[categoryOf({ base, mode }, gain, tolerance), true]]);
      },
    ),
  );
});

test('thresholds and gains of every unit: the nearest mode’s, 1 and NaN where there are none', () => {
  const context = smallModel({ adapter: 'dopamine+context', modeAngles: [0, 45] });
  const own = context.adapter!.parameters;
  const expected = [0, 1].flatMap((layer) => {
    const threshold = own[`layers.${layer}.gate.threshold`];
    return Array.from(threshold, (value, unit) => Math.fround(value + own[`layers.${layer}.gate.context`][threshold.length + unit]));
  });
  expectClose(thresholdsOf(context, 50), expected, EXACT, 'thresholds at 50°');
  expect(thresholdsOf(context, 10)).not.toEqual(thresholdsOf(context, 50));
  expectClose(gainsOf(context).slice(0, 8), own['layers.0.gate.gain'], EXACT, 'gains');
  expect(gainsOf(smallModel({ adapter: 'threshold' }))).toEqual(new Array(UNITS).fill(1));
  expect(thresholdsOf(smallModel({ adapter: 'gain' }), 0)).toEqual(new Array(UNITS).fill(NaN));
});
