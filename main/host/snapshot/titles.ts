/** What a window calls models: as short as tells them apart. */
import { anglesText } from '../../../engine/models/titles.ts';
import type { ModelRow } from '../../store/models.ts';
import { modelTitles } from '../modelTitles.ts';

/** By digest: `foundation, seed 0`; with angles where that is said of two, in full where that is, too. */
export function shortTitles(rows: readonly ModelRow[]): ReadonlyMap<string, string> {
  const full = modelTitles(rows);
  const short = ({ label, seed }: ModelRow): string => `${label}, seed ${seed}`;
  const longer = ({ label, seed, angles, adapterAngles }: ModelRow): string =>
    `${label} ${anglesText(adapterAngles ?? angles)}, seed ${seed}`;
  const titles = new Map<string, string>();
  let left = rows;
  for (const title of [short, longer]) {
    const times = new Map<string, number>();
    for (const row of left) times.set(title(row), (times.get(title(row)) ?? 0) + 1);
    for (const row of left) if (times.get(title(row)) === 1) titles.set(row.digest, title(row));
    left = left.filter(({ digest }) => !titles.has(digest));
  }
  for (const { digest } of left) titles.set(digest, full.get(digest)!);
  return titles;
}
