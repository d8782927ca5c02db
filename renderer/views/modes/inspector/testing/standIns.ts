/** Findings of receptiveFields, topImages and forced in their shape, seeded, for the units of the stored session: for tests and the gallery. */
import { randomLcg, randomNormal } from 'd3';
import type { Findings } from '../../../../../engine/base/findings.ts';

const SIDE = 28;
const grid = { values: Array.from({ length: SIDE }, (_entry, i) => i) };
const facts = {
  device: 'onnxruntime-cpu',
  part: 'test',
  images: 10_000,
  angles: '45°',
  form: 'soft',
  model: 'dopamine 45° on foundation 0°+45°, seed 0',
};

/** Stripes under a window, each unit's at an angle of its own. */
export function receptiveFields(units: readonly string[]): Findings {
  const data = new Float32Array(units.length * SIDE * SIDE);
  units.forEach((_unit, unit) => {
    const random = randomLcg((unit + 1) / 1000);
    const noise = randomNormal.source(random)(0, 0.1);
    const [turn, phase] = [random() * Math.PI, random() * 3];
    for (let y = 0; y < SIDE; y++)
      for (let x = 0; x < SIDE; x++) {
        const [dx, dy] = [x - 13.5, y - 13.5];
        const across = Math.cos(turn) * dx + Math.sin(turn) * dy;
        const window = Math.exp(-((Math.hypot(dx, dy) / 10.5) ** 4));
        data[(unit * SIDE + y) * SIDE + x] = window * (Math.cos(across / 2.4 + phase) * Math.exp(-((across / 7) ** 2)) + noise()) * 0.3;
      }
  });
  return {
    axes: { unit: { values: units }, y: grid, x: grid },
    measures: { field: { axes: ['unit', 'y', 'x'], unit: '', definition: 'slope of what goes into the unit, in each pixel', data } },
    facts: { ...facts, images: 2000, linearised: 'on 100 of 2000 images', decisions: 'differentiated' },
  };
}

/** The third unit, which is dead, gives 0 on every image. */
export function topImages(units: readonly string[], top = 16): Findings {
  const random = randomLcg(0.4);
  const n = units.length * top;
  const isDead = (i: number): boolean => Math.floor(i / top) === 2;
  const image = Int32Array.from({ length: n }, (_entry, i) => (isDead(i) ? -1 : Math.floor(random() * 10_000)));
  const output = Float32Array.from({ length: n }, (_entry, i) => (isDead(i) ? NaN : 6 - 0.2 * (i % top)));
  return {
    axes: { unit: { values: units }, rank: { values: Array.from({ length: top }, (_entry, i) => i + 1) } },
    measures: {
      image: { axes: ['unit', 'rank'], unit: '', definition: 'number of the test image, from 0', data: image },
      output: { axes: ['unit', 'rank'], unit: '', definition: 'what the unit gives the next layer on that image', data: output },
    },
    facts: { ...facts, denominator: '10000 images' },
  };
}

/** 61 answers change at 45°, none at 0°. */
export function forced(units: string): Findings {
  const MOST = 200;
  const CHANGED = 61;
  const random = randomLcg(0.7);
  const listed = (of: (i: number) => number): Int32Array =>
    Int32Array.from({ length: 2 * MOST }, (_entry, i) => (i < CHANGED ? of(i) : -1));
  const figure = (unit: string, values: readonly number[]) => ({ axes: ['angle'], unit, definition: '', data: Float64Array.from(values) });
  const rank = (data: Int32Array) => ({ axes: ['angle', 'rank'], unit: '', definition: '', data });
  return {
    axes: { angle: { values: [45, 0], unit: '°' }, rank: { values: Array.from({ length: MOST }, (_entry, i) => i + 1) } },
    measures: {
      accuracy: figure('%', [91.77, 90.09]),
      accuracyForced: figure('%', [91.39, 90.09]),
      change: figure('points', [-0.38, 0]),
      changeLow: figure('points', [-0.51, 0]),
      changeHigh: figure('points', [-0.26, 0]),
      changed: figure('images', [CHANGED, 0]),
      changedImage: rank(listed(() => Math.floor(random() * 10_000))),
      from: rank(listed((i) => (i % 4 === 3 ? 2 : 7))),
      to: rank(listed((i) => [1, 9, 1, 1, 1, 4][i % 6])),
      label: rank(listed((i) => (i % 4 === 3 ? 2 : 7))),
    },
    facts: {
      ...facts,
      angles: '45°, 0°',
      forced: units,
      forcedAt: 'decision',
      intervals: 'percentile bootstrap over images, level 0.95, 1000 resamples, seed 0',
    },
  };
}
