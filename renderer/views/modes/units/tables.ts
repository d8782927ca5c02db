/** What figures of units say in words and hold in their tables. */
import type { Table } from '../../../marks/table.ts';
import { count, decimal, whole } from '../../../words/numbers.ts';
import { unitName } from '../modelWords.ts';
import { categoryNameOf } from './describe.ts';
import type { UnitMeasure } from './measures.ts';
import { categoryOrder, type UnitTable } from './unitTable.ts';

/** Long form: a row for each unit. */
export const unitsTable = (table: UnitTable, measures: readonly UnitMeasure[]): Table => ({
  columns: [
    { name: 'unit' },
    ...(table.category ? [{ name: 'category' }] : []),
    ...measures.filter(({ id }) => id !== 'index' && id !== 'fires').map(({ title }) => ({ name: title })),
  ],
  rows: () =>
    table.labels.map((label, i) => [
      unitName(label),
      ...(table.category ? [categoryNameOf(table, i) ?? ''] : []),
      ...measures.filter(({ id }) => id !== 'index' && id !== 'fires').map(({ values }) => values[i]),
    ]),
});

/** How many units are of each category. */
export function countsOf({ category }: UnitTable): readonly number[] {
  const counts = categoryOrder.map(() => 0);
  for (const place of category ?? []) counts[place]++;
  return counts;
}

/** For those who do not see it. */
export function fieldFinding(table: UnitTable): string {
  const all = `${count(table.labels.length, 'unit')} of ${count(table.layers.length, 'layer')}`;
  if (!table.category) return `${all}; categories are not measured yet`;
  const counts = countsOf(table);
  return `${all}: ${categoryOrder.map((name, i) => `${whole(counts[i])} ${name}`).join(', ')}`;
}

/** The definitions in short, with the tolerance that was in force. Unbreakable where a number would be torn from its sign. */
export function fieldCaption({ categoryFacts: facts, labels }: UnitTable): string {
  if (!facts) return `${count(labels.length, 'unit')} · categories are not measured yet`;
  const tolerance = Number(facts.tolerance);
  return [
    `Boosted γ\u00a0>\u00a0${decimal(1 + tolerance, 2)}`,
    `attenuated γ\u00a0<\u00a0${decimal(1 - tolerance, 2)}`,
    'silenced: active in the base, on no image in the mode',
    'dead: active in neither',
    `${facts.angles}, ${facts.form}\u00a0gates`,
    `n\u00a0=\u00a0${whole(Number(facts.images))} images`,
  ].join(' · ');
}
