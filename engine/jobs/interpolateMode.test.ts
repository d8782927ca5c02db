/** A kept point of a path: the bits of models/modes.ts, what is said of it, and what is refused before anything is computed. */
import { expect, test } from 'vitest';
import { smallModel } from '../analyses/testing/models.ts';
import { adapterOf } from '../models/adapters/index.ts';
import { interpolate } from '../models/modes.ts';
import { interpolateMode } from './interpolateMode.ts';
import { contextOf } from './testing/context.ts';
import { digestTensors } from './trainClassifier.ts';

const made = (parameters: object) => interpolateMode.run(interpolateMode.parse(parameters), contextOf());
const mode = smallModel({ adapter: 'dopamine', variant: 1 });
const other = smallModel({ adapter: 'dopamine', variant: 2, modeAngles: [0] });

test('the model is the point of the path, to the bit, and the frozen base is the mode’s', async () => {
  for (const [from, to, share] of [
    [mode, undefined, 0.5],
    [mode, undefined, 0],
    [mode, other, 0.25],
    [smallModel({ adapter: 'lora-r2' }), smallModel({ adapter: 'lora-r1' }), 0.7],
    [smallModel({ adapter: 'full' }), undefined, 0.3],
  ] as const) {
    const result = await made({ model: from, other: to, share });
    expect(result.model).toEqual(interpolate(from, to, share));
    const { id, parameters } = result.model.adapter!;
    const numbers = Object.values(parameters).reduce((sum, values) => sum + values.length, 0);
    expect(result).toMatchObject({ digest: digestTensors(parameters), count: numbers, series: {} });
    expect(result.frozenDigest).toBe(digestTensors(adapterOf(id).trains === 'base' ? {} : from.base));
  }
});

test('it is called by what it is unless told otherwise, and has the seed of its mode', () => {
  expect(interpolateMode.parse({ model: mode, share: 0.5 })).toMatchObject({ stage: 'dopamine (share 0.5)', seed: 1 });
  expect(interpolateMode.parse({ model: mode, share: 1 / 3 }).stage).toBe('dopamine (share 0.3333)');
  const told = interpolateMode.parse({ model: mode, share: 0.5, stage: 'half way', seed: 9 });
  expect(told).toMatchObject({ stage: 'half way', seed: 9 });
  expect(Object.hasOwn(told, 'data')).toBe(false);
  expect(interpolateMode.parse(told)).toEqual(told);
});

test.each<[object, string]>([
  [{ model: mode, share: 1.5 }, 'interpolateMode: share must be a number in [0, 1], got 1.5'],
  [{ model: mode }, 'interpolateMode: share must be a number in [0, 1], got undefined'],
  [{ model: smallModel({}), share: 0.5 }, 'interpolate: model must have an adapter, got "a foundation"'],
  [
    { model: smallModel({ adapter: 'threshold+two-sided' }), share: 0.5 },
    'interpolate: adapter must gate activations to have the base at its end',
  ],
  [{ model: mode, other: smallModel({ adapter: 'gain' }), share: 0.5 }, 'interpolate: adapter must be the same for both modes'],
  [{ model: mode, other: smallModel({ adapter: 'dopamine', seed: 2 }), share: 0.5 }, 'interpolate: base must be the same for both modes'],
  [{ model: { ...mode, base: {} }, share: 0.5 }, 'interpolateMode: model: base.layers.0.weight must hold 288 numbers'],
  [{ model: mode, share: 0.5, stage: '' }, 'interpolateMode: stage must not be empty, got ""'],
])('what is no point of a path is refused before it is computed: %#', (parameters, message) => {
  expect(() => interpolateMode.parse(parameters)).toThrow(message);
});
