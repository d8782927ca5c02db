/** The accuracies at the right of the context bar: along the path, or with units forced, always against the base. */
import type { Wanted } from '../../state/results.svelte.ts';
import { whole } from '../../words/numbers.ts';
import type { Accuracies } from './pathAccuracy.svelte.ts';

export interface ShownAccuracy {
  readonly angle: number;
  /** % */
  readonly value: number;
  /** Points above the base; NaN where that was measured on other images. */
  readonly change: number;
  /** What it is of, for a tooltip. */
  readonly about: string;
}

/**
 * @param forced findings with units held; undefined while none is
 * @param place on the path: units are held in the mode itself only
 */
export function shownAccuracies(found: Accuracies | undefined, forced: Wanted | undefined, place: number): ShownAccuracy[] {
  if (!found) return [];
  const held = forced?.state === 'ready' ? forced.findings : undefined;
  const images = forced ? Number(held?.facts.images ?? NaN) : found.images;
  // Points between figures on other images would be of nothing.
  const alike = images === found.baseImages;
  const about = [`${forced ? 'With units forced' : 'Accuracy'}${alike ? '; points against the base' : ''}`];
  if (Number.isFinite(images)) about.push(`first ${whole(images)} test images`);
  return found.angles.map((angle, i) => {
    if (forced && place !== 1) return { angle, value: NaN, change: NaN, about: 'With units forced, measured of the mode itself only' };
    const at = held ? held.axes.angle.values.indexOf(angle) : -1;
    const value = forced ? (held && at >= 0 ? held.measures.accuracyForced.data[at] : NaN) : found.shown[i];
    return { angle, value, change: alike ? value - found.base[i] : NaN, about: about.join(', ') };
  });
}
