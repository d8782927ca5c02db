/** The accuracies at the right of the context bar: along the path, or with units forced, always against the base. */
import type { Wanted } from '../../state/results.svelte.ts';
import { whole } from '../../words/numbers.ts';
import type { Accuracies } from './pathAccuracy.svelte.ts';

export interface ShownAccuracy {
  readonly angle: number;
  /** % */
  readonly value: number;
  /** Points above the base. */
  readonly change: number;
  /** What it is of, for a tooltip. */
  readonly about: string;
}

/** @param forced findings with units held; undefined while none is */
export function shownAccuracies(found: Accuracies | undefined, forced: Wanted | undefined): ShownAccuracy[] {
  if (!found) return [];
  const held = forced?.state === 'ready' ? forced.findings : undefined;
  return found.angles.map((angle, i) => {
    const at = held ? held.axes.angle.values.indexOf(angle) : -1;
    const value = forced ? (held && at >= 0 ? held.measures.accuracyForced.data[at] : NaN) : found.shown[i];
    const images = `first ${whole(found.images)} test images`;
    return {
      angle,
      value,
      change: value - found.base[i],
      about: forced ? `With units forced; points against the base, ${images}` : `Accuracy; points against the base, ${images}`,
    };
  });
}
