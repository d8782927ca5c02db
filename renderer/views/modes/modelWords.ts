/** What models, units and the forms of a network are called in the Modes workspace, in a word or two; adapters as everywhere (words/adapters.ts). */
import type { Model } from '../../../main/host/hostApi.ts';
import { count, degrees, decimal } from '../../words/numbers.ts';

/** `784-256-128-10` */
export const widthsText = ({ widths }: Pick<Model, 'widths'>): string => widths.join('-');

export const anglesText = (angles: readonly number[]): string =>
  angles.length > 4 ? count(angles.length, 'angle') : angles.map(degrees).join(' + ');

/** Of a foundation: `seed 0`, and the angles it was trained on. */
export const foundationAbout = ({ seed, angles }: Pick<Model, 'seed' | 'angles'>): string =>
  `foundation ${anglesText(angles)}, seed ${seed}`;

/** Of a mode beside its adapter's name: `45°`, `45° · λ = 0.3`. */
export function modeAbout({ adapterAngles, lambda }: Pick<Model, 'adapterAngles' | 'lambda'>): string {
  const own = anglesText(adapterAngles ?? []);
  return lambda > 0 ? `${own} · λ = ${decimal(lambda, lambda < 0.1 ? 3 : lambda % 1 === 0 ? 0 : 1)}` : own;
}

export interface UnitPlace {
  /** Counted from 0, as labels count. */
  readonly layer: number;
  readonly unit: number;
}

/** @param label `L0U17` @throws Error for any other text */
export function placeOf(label: string): UnitPlace {
  const found = /^L(\d+)U(\d+)$/.exec(label);
  if (!found) throw new Error(`unit: ${label} is no label of a unit`);
  return { layer: Number(found[1]), unit: Number(found[2]) };
}

/** `Layer 1 · unit 17`: layers are counted from 1 where people read them, units keep their number. */
export function unitName(label: string): string {
  const { layer, unit } = placeOf(label);
  return `Layer ${layer + 1} · unit ${unit}`;
}

/** `L1 · 17`, beside a mark. */
export function unitTag(label: string): string {
  const { layer, unit } = placeOf(label);
  return `L${layer + 1} · ${unit}`;
}

/** `L0` as people read it: `Layer 1`. */
export const layerName = (label: string): string => `Layer ${Number(label.slice(1)) + 1}`;
