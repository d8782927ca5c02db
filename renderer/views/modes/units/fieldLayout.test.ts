import { describe, expect, it } from 'vitest';
import { manyUnits } from '../testing/manyUnits.ts';
import { fieldLayers } from './fieldGroups.ts';
import { placeField, sorted } from './fieldLayout.ts';

const WIDTH = 528;
const HEIGHT = 270;

describe('field of units', () => {
  it.each([[[64, 32]], [[256, 128]], [[3]], [[300, 200, 100]], [[5000, 5000]]])('places %j inside, none on another', (widths) => {
    const { table, measures } = manyUnits(widths);
    for (const grouping of ['category', 'class', 'none'] as const) {
      const { x, y, pitch } = placeField(fieldLayers(table, grouping, measures[0]), table.labels.length, WIDTH, HEIGHT);
      const places = new Set<string>();
      for (let i = 0; i < x.length; i++) {
        expect(x[i] > 0 && x[i] < WIDTH && y[i] > 0 && y[i] < HEIGHT).toBe(true);
        places.add(`${Math.round((x[i] / pitch) * 8)} ${Math.round((y[i] / pitch) * 8)}`);
      }
      expect(places.size).toBe(table.labels.length);
    }
  });

  it('makes dots as large as there is room for: a little larger and they would not fit', () => {
    const { table, measures } = manyUnits([256, 128]);
    const layers = fieldLayers(table, 'category', measures[0]);
    const { pitch, y } = placeField(layers, table.labels.length, WIDTH, HEIGHT);
    const lower = placeField(layers, table.labels.length, WIDTH, HEIGHT * 0.8);
    expect(lower.pitch).toBeLessThan(pitch);
    expect(Math.max(...y)).toBeGreaterThan(HEIGHT * 0.8);
  });

  it('shows every unit once, in the group that it is of', () => {
    const { table, measures } = manyUnits([64, 32]);
    const layers = fieldLayers(table, 'category', measures[0]);
    expect(layers.flatMap(({ groups }) => groups.flatMap(({ units }) => units)).sort((a, b) => a - b)).toEqual([...Array(96).keys()]);
    const silenced = layers[0].groups.find(({ name }) => name === 'Silenced')!;
    expect(silenced.units).toHaveLength(Array.from(table.category!.subarray(0, 64)).filter((place) => place === 3).length);
  });

  it('sorts falling, without a number last, equals by index', () => {
    expect(sorted([0, 1, 2, 3, 4], [1, NaN, 3, 1, 2], true)).toEqual([2, 4, 0, 3, 1]);
    expect(sorted([0, 1, 2, 3, 4], [1, NaN, 3, 1, 2], false)).toEqual([0, 3, 4, 2, 1]);
    expect(sorted([2, 1], undefined, true)).toEqual([2, 1]);
  });
});
