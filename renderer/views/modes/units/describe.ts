/** A unit in words and in rows: what is announced of it, and what its tooltip says. */
import type { Tip } from '../../../controls/tip.svelte.ts';
import { unitName } from '../modelWords.ts';
import type { UnitMeasure } from './measures.ts';
import { categoryOrder, type UnitTable } from './unitTable.ts';

export const categoryNameOf = ({ category }: UnitTable, i: number): string | undefined => category && categoryOrder[category[i]];

/** `Boosted`: of a category, as bands and chips say it. */
export const capitalised = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

/** Shown in this order, if they are there. */
const told = ['threshold', 'gain', 'base', 'mode', 'change', 'contribution', 'shut', 'necessity'] as const;
const words: Readonly<Record<(typeof told)[number], string>> = {
  threshold: 'Threshold τ',
  gain: 'Gain γ',
  base: 'Fires, base',
  mode: 'Fires, mode',
  change: 'Change',
  contribution: 'Largest contribution',
  shut: 'Accuracy if shut',
  necessity: 'Necessity',
};

/** The numbers that there are, in the order of their importance. */
export function rowsOf(measures: readonly UnitMeasure[], i: number, most = 8): { readonly label: string; readonly value: string }[] {
  return told
    .flatMap((id) => {
      const measure = measures.find((one) => one.id === id);
      return measure && Number.isFinite(measure.values[i]) ? [{ label: words[id], value: measure.write(measure.values[i]) }] : [];
    })
    .slice(0, most);
}

/** `Layer 1 · unit 17, boosted. Threshold τ 0.12, gain γ 1.62, …` */
export function unitSentence(table: UnitTable, measures: readonly UnitMeasure[], i: number): string {
  const category = categoryNameOf(table, i);
  const rows = rowsOf(measures, i, 4).map(({ label, value }) => `${label} ${value}`);
  return `${unitName(table.labels[i])}${category ? `, ${category}` : ''}${rows.length > 0 ? `. ${rows.join(', ')}` : ''}`;
}

export function unitTip(
  table: UnitTable,
  measures: readonly UnitMeasure[],
  i: number,
  at: { readonly x: number; readonly y: number },
): Tip {
  const category = categoryNameOf(table, i);
  return { ...at, title: unitName(table.labels[i]), ...(category && { about: capitalised(category) }), rows: rowsOf(measures, i) };
}
