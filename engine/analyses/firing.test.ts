/** Firing frequencies, outputs and active shares against counting image by image in double precision. */
import { afterAll, describe, expect, test } from 'vitest';
import { EXACT, expectClose } from '../base/testing/closeTo.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { adapterOf } from '../models/adapters/index.ts';
import { firing } from './firing.ts';
import { analysisContext, labelled, smallImages, smallModel, WIDTHS } from './testing/models.ts';
import { references } from './testing/reference.ts';

const executor = new OnnxRuntimeExecutor();
afterAll(() => executor.dispose());
const context = analysisContext(executor);
const UNITS = 14;

const ids = [
  'dopamine',
  'threshold',
  'dopamine+pre-activation',
  'dopamine+two-sided',
  'dopamine+context',
  'gain',
  'bias',
  'lora-r2',
  'full',
];

describe.each(ids)('%s', (id) => {
  const model = labelled('mode', { adapter: id, modeAngles: [45, 0] });

  test.each(adapterOf(id).gated ? (['soft', 'hard'] as const) : (['hard'] as const))('%s', async (form) => {
    const angles = [45, 0];
    const { measures, axes, facts } = await firing.run({ models: [model], seed: 0, options: { angles, form, part: 'test' } }, context);
    expect(axes.unit.values).toEqual([
      ...Array.from({ length: 8 }, (_e, i) => `L0U${i}`),
      ...Array.from({ length: 6 }, (_e, i) => `L1U${i}`),
    ]);
    expect(axes.class.values).toEqual(['ring', 'stroke', 'cross']);
    for (const state of ['base', 'mode'] as const) {
      const own = state === 'base' ? 'base' : adapterOf(id).gated ? form : 'soft';
      const perAngle = angles.map((angle) => {
        const set = smallImages('test', angle);
        return { set, rows: references(model.model, own, set, angle) };
      });
      const byClass = perAngle.flatMap(({ set, rows }) =>
        [0, 1, 2].flatMap((label) => {
          const ofClass = rows.filter((_row, i) => set.labels[i] === label);
          return Array.from({ length: UNITS }, (_e, unit) => (100 * ofClass.filter(({ active }) => active[unit]).length) / ofClass.length);
        }),
      );
      expectClose(measures[state].data, byClass, EXACT, state);
      const outputs = perAngle.flatMap(({ rows }) =>
        Array.from({ length: UNITS }, (_e, unit) => rows.reduce((sum, { out }) => sum + out[unit], 0) / rows.length),
      );
      const suffix = state === 'base' ? 'Base' : 'Mode';
      // Sums of 500 float32 values.
      expectClose(measures[`output${suffix}`].data, outputs, { relative: 1e-5, absolute: 0 }, `output, ${state}`);
      const shares = perAngle.flatMap(({ rows }) =>
        [
          [0, 8],
          [8, 14],
          [0, 14],
        ].map(([begin, end]) => {
          const on = rows.reduce((sum, { active }) => sum + active.slice(begin, end).filter(Boolean).length, 0);
          return (100 * on) / (rows.length * (end - begin));
        }),
      );
      expectClose(measures[`active${suffix}`].data, shares, { relative: 1e-15, absolute: 0 }, `active, ${state}`);
      expect(facts[`active.${state}.0°.all`]).toBe(measures[`active${suffix}`].data[5]);
      expect(facts[`active.${state}.45°.L1`]).toBe(measures[`active${suffix}`].data[1]);
    }
  });
});

test('facts say what active means and how wide the layers are; the angle is the mode’s own unless given', async () => {
  const run = async (adapter: string) =>
    firing.run(
      { models: [labelled('mode', { adapter, modeAngles: [30] })], seed: 0, options: { angles: [], form: 'hard', part: 'test' } },
      context,
    );
  const { facts, axes } = await run('dopamine');
  expect(axes.angle).toEqual({ values: [30], unit: '°' });
  expect(facts).toMatchObject({
    widths: '36-8-6-3',
    images: 620,
    part: 'test',
    form: 'hard',
    adapter: 'dopamine',
    device: 'onnxruntime-cpu',
    angles: '30°',
  });
  expect(facts.activeInMode).toContain('a > τ and a > 0');
  expect((await run('dopamine+pre-activation')).facts.activeInMode).toContain('in the place of the ReLU, is open');
  expect((await run('gain')).facts).toMatchObject({
    form: 'no gates',
    activeInMode: 'active in the mode: what it gives the next layer is not 0 (no gates)',
  });
});

test('a class without images has no frequency; a model without hidden layers has no units', async () => {
  const images: typeof context.images = (part, angle) => {
    const set = smallImages(part, angle);
    return { ...set, labels: set.labels.map((label) => Math.min(label, 1)) };
  };
  const models = [labelled('mode', { adapter: 'dopamine' })];
  const options = { angles: [45], form: 'hard', part: 'test' } as const;
  const { measures } = await firing.run({ models, seed: 0, options: { ...options, angles: [45] } }, { ...context, images });
  expect(measures.base.data.slice(2 * UNITS).every(Number.isNaN)).toBe(true);
  expect(measures.base.data.slice(0, 2 * UNITS).some(Number.isNaN)).toBe(false);
  const shallow = { ...smallModel({ adapter: 'bias' }), widths: [WIDTHS[0], 3] };
  await expect(
    firing.run({ models: [{ label: 'shallow', model: shallow }], seed: 0, options: { ...options, angles: [] } }, context),
  ).rejects.toThrow('firing: shallow must have hidden layers, got [36, 3]');
});
