/** What models of a session are called: by what they are, in full, so that no two have the same title and a title stays what it was. */
import { anglesText } from '../../engine/models/titles.ts';
import type { ModelRow } from '../store/models.ts';

/** Digits of a digest that stand for it. */
const SHORT = 12;

/**
 * Titles by digest: `foundation 0°+45°, seed 0`, `dopamine 45° on foundation 0°+45°, seed 0`. Of models that would have the same, those that
 * came later carry the beginning of their digest, so that a title stays what it was.
 */
export function modelTitles(rows: readonly ModelRow[]): ReadonlyMap<string, string> {
  const titles = new Map<string, string>();
  const taken = new Set<string>();
  for (const { digest, label, base, angles, adapterAngles, seed } of rows) {
    const own =
      base === undefined
        ? `${label} ${anglesText(angles)}, seed ${seed}`
        : `${label} ${anglesText(adapterAngles ?? [])} on ${titles.get(base) ?? base.slice(0, SHORT)}`;
    const title = taken.has(own) ? `${own} (${digest.slice(0, SHORT)})` : own;
    taken.add(title);
    titles.set(digest, title);
  }
  return titles;
}
