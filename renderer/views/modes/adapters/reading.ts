/** Numbers out of findings by what stands on their axes, and the words that go with them under a figure. */
import type { Findings } from '../../../../engine/base/findings.ts';
import { count, whole } from '../../../words/numbers.ts';

/** Places by value, made once for each list: thousands of brushed units are looked up one by one. */
const places = new WeakMap<readonly (string | number)[], ReadonlyMap<string | number, number>>();

/** Where a value stands in a list, the first of equals; undefined if it does not. */
export function placeIn(values: readonly (string | number)[], value: string | number): number | undefined {
  let known = places.get(values);
  if (!known) {
    const found = new Map<string | number, number>();
    values.forEach((one, i) => found.has(one) || found.set(one, i));
    places.set(values, (known = found));
  }
  return known.get(value);
}

/** Entries of an axis by name; undefined if there is none such. */
export function placeOn({ axes }: Findings, axis: string, value: string | number): number | undefined {
  return axes[axis] && placeIn(axes[axis].values, value);
}

/** @param at values on the measure's axes @returns NaN where the findings do not go */
export function read(findings: Findings, measure: string, at: Readonly<Record<string, string | number>> = {}): number {
  const found = findings.measures[measure];
  if (!found) return NaN;
  let place = 0;
  for (const axis of found.axes) {
    const own = placeOn(findings, axis, at[axis]);
    if (own === undefined) return NaN;
    place = place * findings.axes[axis].values.length + own;
  }
  return found.data[place];
}

/** Along one axis, the others held. */
export const along = (findings: Findings, measure: string, axis: string, at: Readonly<Record<string, string | number>> = {}): number[] =>
  (findings.axes[axis]?.values ?? []).map((value) => read(findings, measure, { ...at, [axis]: value }));

export const names = ({ axes }: Findings, axis: string): string[] => (axes[axis]?.values ?? []).map(String);
export const numbers = ({ axes }: Findings, axis: string): number[] => (axes[axis]?.values ?? []).map(Number);

/** `n = 10 000 images` */
export const imagesText = ({ facts }: Findings): string =>
  `n = ${whole(Number(facts.images))} ${facts.part === 'heldOut' ? 'held-out images' : 'images'}`;

const devices: Readonly<Record<string, string>> = { 'onnxruntime-cpu': 'CPU', 'tfjs-cpu': 'TensorFlow.js, CPU', 'tfjs-gpu': 'GPU' };

export const deviceText = ({ facts }: Pick<Findings, 'facts'>): string => devices[String(facts.device)] ?? String(facts.device);

/** What the bar of a paired figure is: `bar: 95 % bootstrap interval`, or that one foundation gives none. */
export function barText({ facts }: Findings): string {
  const level = /level ([\d.]+)/.exec(String(facts.intervals))?.[1] ?? '0.95';
  if (Number(facts.foundations) < 2) return 'one foundation only, so there is no interval';
  return `paired over ${count(Number(facts.foundations), 'seed')} · bar: ${Number((100 * Number(level)).toFixed(1))}\u202f% bootstrap interval`;
}
