/** Which models stand together. */
import { expect, test } from 'vitest';
import { foundationsOf, sameFoundation, withoutAdapter } from './foundations.ts';
import { labelled, smallModel } from './testing/models.ts';

test('models are sorted by the bits of their foundations, in order', () => {
  const models = [
    labelled('a', { adapter: 'gain', seed: 3 }),
    labelled('b', { seed: 2, angles: [0] }),
    labelled('c', { adapter: 'bias', seed: 3 }),
    labelled('d', { adapter: 'bias', seed: 2, angles: [0] }),
  ];
  const { foundations, of } = foundationsOf(models);
  expect(of).toEqual([0, 1, 0, 1]);
  expect(foundations.map(({ label }) => label)).toEqual(['0°, 45°, seed 3', '0°, seed 2']);
  expect(foundations.some(({ model }) => 'adapter' in model)).toBe(false);
});

test('one bit apart is another foundation, with a name of its own', () => {
  const one = labelled('a', { adapter: 'gain' });
  const other = structuredClone(one);
  other.model.base['layers.2.bias'][0] *= 1 + 2 ** -23;
  const { foundations, of } = foundationsOf([one, other, one]);
  expect(of).toEqual([0, 1, 0]);
  expect(foundations.map(({ label }) => label)).toEqual(['0°, 45°, seed 1', '0°, 45°, seed 1 (2)']);
});

test('seed and angles count, the adapter does not', () => {
  const model = smallModel({ adapter: 'gain' });
  expect(sameFoundation(model, smallModel({ adapter: 'dopamine' }))).toBe(true);
  expect(sameFoundation(model, { ...model, seed: 9 })).toBe(false);
  expect(sameFoundation(model, { ...model, angles: [0] })).toBe(false);
  expect(withoutAdapter(model)).toEqual(smallModel());
});
