/**
 * What is known of every hidden unit, side by side: read out of the vectors of the mode and of whatever findings there are. Nothing is measured
 * here; what is not known yet is absent. Which of it is drawn is measures.ts.
 */
import type { Findings } from '../../../../engine/base/findings.ts';
import type { UnitVectors } from '../../../../main/host/hostApi.ts';

export interface UnitLayer {
  /** `L0` */
  readonly label: string;
  readonly begin: number;
  readonly end: number;
}

export interface ClassFiring {
  readonly classes: readonly string[];
  /** % by class, then unit; NaN for a class without images. */
  readonly base: ArrayLike<number>;
  readonly mode: ArrayLike<number>;
  readonly facts: Findings['facts'];
}

export interface UnitTable {
  /** `L0U17`, layer by layer. */
  readonly labels: readonly string[];
  readonly layers: readonly UnitLayer[];
  /** Layer of each unit. */
  readonly layerOf: Int32Array;
  /** Place of a label. */
  readonly indexOf: ReadonlyMap<string, number>;
  /** τ; absent where nothing has gates. */
  readonly threshold: Float64Array | undefined;
  /** γ; absent where the adapter has no gains. */
  readonly gain: Float64Array | undefined;
  /** Place in {@link categoryOrder}. */
  readonly category: Int32Array | undefined;
  /** How categories were told apart. */
  readonly categoryFacts: Findings['facts'] | undefined;
  /** % of images on which the unit is active. */
  readonly base: Float64Array | undefined;
  readonly mode: Float64Array | undefined;
  readonly firing: ClassFiring | undefined;
  /** Class that each unit fires on most in the base, −1 for one that fires on none. */
  readonly favourite: Int32Array | undefined;
  /** Logits: the largest share it has in any logit, mean over images, with its sign; NaN outside of the last hidden layer. */
  readonly contribution: Float64Array | undefined;
  /** Points that accuracy changes by if the unit is held shut. */
  readonly shut: Float64Array | undefined;
  /** Logits of the margin. */
  readonly necessity: Float64Array | undefined;
}

/** From what the mode raises to what it leaves dead: as the field shows them. */
export const categoryOrder = ['boosted', 'reused', 'attenuated', 'silenced', 'dead'] as const;
export type Category = (typeof categoryOrder)[number];

export interface UnitSources {
  readonly vectors: UnitVectors;
  /** Whether thresholds and gains are the mode's own, and not what stands for none. */
  readonly gated: boolean;
  readonly gains: boolean;
  readonly angle: number;
  readonly categories?: Findings | undefined;
  readonly firing?: Findings | undefined;
  readonly contributions?: Findings | undefined;
  readonly interchange?: Findings | undefined;
}

export function unitTable({ vectors, gated, gains, angle, categories, firing, contributions, interchange }: UnitSources): UnitTable {
  const { units: labels, layers } = vectors;
  const n = labels.length;
  const layerOf = new Int32Array(n);
  layers.forEach(({ begin, end }, layer) => layerOf.fill(layer, begin, end));
  const perUnit = (findings: Findings | undefined, measure: string, at: Readonly<Record<string, string | number>> = {}) =>
    findings && acrossUnits(findings, measure, { angle, ...at });
  const found = firing && fits(firing, n) ? classFiring(firing, angle) : undefined;
  const fitting = categories && fits(categories, n) ? categories : undefined;
  return {
    labels,
    layers,
    layerOf,
    indexOf: new Map(labels.map((label, i) => [label, i])),
    threshold: gated ? Float64Array.from(vectors.threshold) : undefined,
    gain: gains ? Float64Array.from(vectors.gain) : undefined,
    category: fitting && categoriesOf(fitting, angle),
    categoryFacts: fitting?.facts,
    base: perUnit(fitting, 'base'),
    mode: perUnit(fitting, 'mode'),
    firing: found,
    favourite: found && favouritesOf(found, n),
    contribution: contributions && contributionsOf(contributions, labels),
    shut: perUnit(contributions, 'accuracy', { forced: 'shut' }),
    necessity: perUnit(interchange, 'necessity'),
  };
}

/** Findings of another network would be numbers of other units. */
const fits = ({ axes }: Findings, n: number): boolean => axes.unit?.values.length === n;

/**
 * A measure of every unit, by strides: looking each label up would be slow for very many. Other axes are held where they are asked for, or at
 * their first value.
 */
function acrossUnits({ axes, measures }: Findings, name: string, at: Readonly<Record<string, string | number>>): Float64Array | undefined {
  const measure = measures[name];
  if (!measure?.axes.includes('unit')) return undefined;
  let [offset, stride, step] = [0, 1, 1];
  for (const axis of [...measure.axes].reverse()) {
    const { values } = axes[axis];
    if (axis === 'unit') step = stride;
    else offset += stride * Math.max(0, at[axis] === undefined ? 0 : values.indexOf(at[axis]));
    stride *= values.length;
  }
  return Float64Array.from(axes.unit.values, (_label, i) => measure.data[offset + i * step]);
}

function categoriesOf(findings: Findings, angle: number): Int32Array {
  const names = findings.axes.category.values;
  return Int32Array.from(acrossUnits(findings, 'category', { angle })!, (place) => categoryOrder.indexOf(names[place] as Category));
}

function classFiring({ axes, measures, facts }: Findings, angle: number): ClassFiring {
  const size = axes.class.values.length * axes.unit.values.length;
  const begin = size * Math.max(0, axes.angle.values.indexOf(angle));
  const at = (name: string) => measures[name].data.subarray(begin, begin + size);
  return { classes: axes.class.values.map(String), base: at('base'), mode: at('mode'), facts };
}

function favouritesOf({ classes, base }: ClassFiring, n: number): Int32Array {
  return Int32Array.from({ length: n }, (_entry, unit) => {
    let [best, most] = [-1, 0];
    for (let c = 0; c < classes.length; c++) if (base[c * n + unit] > most) [best, most] = [c, base[c * n + unit]];
    return best;
  });
}

function contributionsOf({ axes, measures }: Findings, labels: readonly string[]): Float64Array {
  const { data } = measures.contributionOverall;
  const logits = axes.logit.values.length;
  const last = new Map(axes.lastUnit.values.map((label, i) => [String(label), i]));
  return Float64Array.from(labels, (label) => {
    const row = last.get(label);
    if (row === undefined) return NaN;
    let largest = 0;
    for (let k = 0; k < logits; k++) if (Math.abs(data[row * logits + k]) > Math.abs(largest)) largest = data[row * logits + k];
    return largest;
  });
}
