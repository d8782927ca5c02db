/** Where numbers first stopped being finite. */
import { expect, test } from 'vitest';
import { Random } from '../base/random.ts';
import type { Feeds } from '../execute/executor.ts';
import { adapterOf } from '../models/adapters/index.ts';
import { initialise } from '../models/parameters.ts';
import { classifierStep } from './classifierStep.ts';
import { firstNonFinite } from './nonFinite.ts';

const STEP = classifierStep({ config: { widths: [5, 4, 10] }, adapter: adapterOf('dopamine') }, 6, { cached: false });

function place(change: (feeds: Record<string, Float32Array>) => void, rows = [0, 2, 4]): string | undefined {
  const specs = [...STEP.trained, ...STEP.frozen];
  const data: Record<string, Float32Array> = {
    ...initialise(specs, new Random(1)),
    images: new Float32Array(30).fill(0.5),
    temperature: Float32Array.of(0.2),
  };
  change(data);
  const feeds: Feeds = {
    index: { data: Int32Array.from(rows), shape: [rows.length] },
    images: { data: data.images, shape: [6, 5] },
    labels: { data: new Int32Array(6), shape: [6] },
    temperature: { data: data.temperature, shape: [] },
    ...Object.fromEntries(specs.map(({ name, shape }) => [name, { data: data[name], shape }])),
  };
  return firstNonFinite(STEP.program, feeds, ['images']);
}

test('nothing, where all is finite', () => {
  expect(place(() => undefined)).toBeUndefined();
});

test('an image: which row; rows that were not read do not count', () => {
  expect(place(({ images }) => (images[4 * 5 + 1] = NaN))).toBe('input images, row 4');
  expect(place(({ images }) => (images[3 * 5 + 1] = NaN))).toBeUndefined();
});

test('a parameter', () => {
  expect(place((data) => (data['layers.0.gate.gain'][2] = Infinity))).toBe('input layers.0.gate.gain');
  expect(place(({ temperature }) => (temperature[0] = NaN))).toBe('input temperature');
});

test('the site where finite numbers first overflow', () => {
  expect(place((data) => data['layers.0.weight'].fill(3e38))).toMatch(/^layers\.0\.hook_pre \(layers\.0\/matmul\.\d+\)$/);
  const large = (data: Record<string, Float32Array>) => [data['layers.0.bias'].fill(10), data['layers.0.gate.gain'].fill(3e38)];
  expect(place(large)).toMatch(/^layers\.0\.gate\.hook_out \(layers\.0\.gate\/multiply\.\d+\)$/);
});

test('a division by a temperature of 0', () => {
  expect(place(({ temperature }) => (temperature[0] = 0))).toMatch(/^layers\.0\.gate\/divide\.\d+$/);
});
