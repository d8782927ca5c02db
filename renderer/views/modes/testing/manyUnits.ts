/**
 * Made-up vectors and findings of as many units as wanted, in the form that the host gives them: for layouts, for what happens when there are
 * very many, and for timing. Seeded; nothing here is a result.
 */
import type { Findings } from '../../../../engine/base/findings.ts';
import type { UnitVectors } from '../../../../main/host/hostApi.ts';
import { measuresOf, type Standing, type UnitMeasure } from '../units/measures.ts';
import { unitTable, type UnitTable } from '../units/unitTable.ts';

/** Mulberry32: small, and the same everywhere. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const CLASSES = 10;
const names = ['reused', 'boosted', 'attenuated', 'silenced', 'dead'];

export interface ManyUnits {
  readonly vectors: UnitVectors;
  readonly categories: Findings;
  readonly firing: Findings;
  readonly table: UnitTable;
  readonly measures: readonly UnitMeasure[];
}

export function manyUnits(widths: readonly number[], seed = 7, standing: Partial<Standing> = {}): ManyUnits {
  const random = seeded(seed);
  const gauss = (mean: number, spread: number): number =>
    mean + spread * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const n = widths.reduce((sum, width) => sum + width, 0);
  let end = 0;
  const layers = widths.map((width, layer) => ({ label: `L${layer}`, begin: end, end: (end += width) }));
  const units = layers.flatMap(({ label, begin, end: last }) => Array.from({ length: last - begin }, (_entry, i) => `${label}U${i}`));
  const [threshold, gain] = [new Float32Array(n), new Float32Array(n).fill(1)];
  const category = new Int32Array(n);
  const [base, mode] = [new Float64Array(n), new Float64Array(n)];
  const [byClassBase, byClassMode] = [new Float64Array(CLASSES * n), new Float64Array(CLASSES * n)];
  for (let i = 0; i < n; i++) {
    const kind = random();
    const what = kind < 0.29 ? 'boosted' : kind < 0.65 ? 'reused' : kind < 0.86 ? 'attenuated' : kind < 0.95 ? 'silenced' : 'dead';
    category[i] = names.indexOf(what);
    if (what === 'boosted') [gain[i], threshold[i]] = [1.1 + Math.abs(gauss(0.16, 0.22)), Math.abs(gauss(0.03, 0.07))];
    if (what === 'reused') [gain[i], threshold[i]] = [0.95 + 0.1 * random(), Math.abs(gauss(0.02, 0.05))];
    if (what === 'attenuated') [gain[i], threshold[i]] = [Math.max(0.22, 0.9 - Math.abs(gauss(0.12, 0.16))), Math.abs(gauss(0.09, 0.1))];
    if (what === 'silenced') [gain[i], threshold[i]] = [Math.max(0.2, gauss(0.68, 0.2)), 0.42 + Math.abs(gauss(0.1, 0.16))];
    const favourite = random() * CLASSES;
    const reach = 0.5 + random();
    for (let c = 0; c < CLASSES; c++) {
      const share = 100 * Math.exp(-(((c + 0.5 - favourite) / reach) ** 2)) * (0.5 + 0.5 * random()) + 8 * random();
      byClassBase[c * n + i] = what === 'dead' ? 0 : Math.min(100, share);
      byClassMode[c * n + i] =
        what === 'dead' || what === 'silenced' ? 0 : Math.max(0, Math.min(100, share * (0.85 + 0.3 * random()) * gain[i]));
    }
    for (let c = 0; c < CLASSES; c++) {
      base[i] += byClassBase[c * n + i] / CLASSES;
      mode[i] += byClassMode[c * n + i] / CLASSES;
    }
  }
  const facts = {
    analysis: 'categories',
    part: 'test',
    images: 10_000,
    angles: '45°',
    form: 'soft',
    tolerance: 0.05,
    dead: 'active on no image, in neither the base nor the mode',
    silenced: 'active on some image in the base, on none in the mode',
  };
  const axes = {
    angle: { values: [45], unit: '°' },
    class: { values: Array.from({ length: CLASSES }, (_entry, c) => String(c)) },
    unit: { values: units },
    category: { values: names },
  };
  const measure = (axesOf: readonly string[], data: Float64Array | Int32Array) => ({ axes: axesOf, unit: '%', definition: '', data });
  const categories: Findings = {
    axes,
    measures: {
      category: measure(['angle', 'unit'], category),
      base: measure(['angle', 'unit'], base),
      mode: measure(['angle', 'unit'], mode),
    },
    facts,
  };
  const firing: Findings = {
    axes,
    measures: { base: measure(['angle', 'class', 'unit'], byClassBase), mode: measure(['angle', 'class', 'unit'], byClassMode) },
    facts,
  };
  const vectors: UnitVectors = { units, layers, threshold, gain, contextual: false };
  const table = unitTable({ vectors, gated: true, gains: true, angle: 45, categories, firing });
  return {
    vectors,
    categories,
    firing,
    table,
    measures: measuresOf(table, { share: 1, base: false, angle: 45, temperature: [], ...standing }),
  };
}
