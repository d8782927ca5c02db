/** Columns of the class × unit map: which units of which layers, in which order, and what each column of a narrow one stands for. */
import { ascending } from 'd3';
import { layerName } from '../modelWords.ts';
import type { UnitTable } from '../units/unitTable.ts';

export const classOrders = ['class', 'index', 'change'] as const;
export type ClassOrder = (typeof classOrders)[number];

export interface ClassColumns {
  /** Units of each column: one, or several where there is no room for all. */
  readonly columns: readonly (readonly number[])[];
  /** By class, then column: of several units the largest. */
  readonly base: Float64Array;
  readonly mode: Float64Array;
  /** Points, by column: mean over classes of mode less base, of several the one farthest from 0. */
  readonly change: Float64Array;
  /** Column of each unit, −1 for one of another layer. */
  readonly columnOf: Int32Array;
  /** How many columns at the end are of units that fire on no class. */
  readonly dead: number;
}

export const layerChoices = ({ layers }: UnitTable): { readonly value: string; readonly label: string }[] => [
  ...layers.map(({ label }) => ({ value: label, label: layerName(label) })),
  ...(layers.length > 1 ? [{ value: 'all', label: 'All layers' }] : []),
];

/** @param most columns that there is room for */
export function classColumns(table: UnitTable, layer: string, order: ClassOrder, most: number): ClassColumns | undefined {
  const { firing, favourite, labels, layers } = table;
  if (!firing || !favourite) return undefined;
  const n = labels.length;
  const classes = firing.classes.length;
  const chosen = layers.find(({ label }) => label === layer);
  const [begin, end] = chosen ? [chosen.begin, chosen.end] : [0, n];
  const changeOf = (unit: number): number => {
    let [sum, counted] = [0, 0];
    for (let c = 0; c < classes; c++) {
      const difference = firing.mode[c * n + unit] - firing.base[c * n + unit];
      if (!Number.isNaN(difference)) [sum, counted] = [sum + difference, counted + 1];
    }
    return counted > 0 ? sum / counted : NaN;
  };
  const units = Array.from({ length: end - begin }, (_entry, i) => begin + i);
  const changes = new Map(units.map((unit) => [unit, changeOf(unit)]));
  const strength = (unit: number): number => firing.base[favourite[unit] * n + unit];
  if (order === 'class')
    units.sort(
      (a, b) => Number(favourite[a] < 0) - Number(favourite[b] < 0) || favourite[a] - favourite[b] || strength(b) - strength(a) || a - b,
    );
  else if (order === 'change') units.sort((a, b) => ascending(changes.get(a), changes.get(b)) || a - b);

  const wide = Math.max(1, Math.min(units.length, Math.floor(most)));
  const columns = Array.from({ length: wide }, (_entry, k) =>
    units.slice(Math.floor((k * units.length) / wide), Math.floor(((k + 1) * units.length) / wide)),
  );
  const columnOf = new Int32Array(n).fill(-1);
  columns.forEach((members, column) => members.forEach((unit) => (columnOf[unit] = column)));
  const largest = (of: ArrayLike<number>): Float64Array => {
    const values = new Float64Array(classes * wide);
    for (let c = 0; c < classes; c++)
      for (let column = 0; column < wide; column++) {
        let most = NaN;
        for (const unit of columns[column]) if (!(of[c * n + unit] <= most)) most = of[c * n + unit];
        values[c * wide + column] = most;
      }
    return values;
  };
  return {
    columns,
    base: largest(firing.base),
    mode: largest(firing.mode),
    change: Float64Array.from(columns, (members) =>
      members.reduce((far, unit) => (Math.abs(changes.get(unit)!) > Math.abs(far) || Number.isNaN(far) ? changes.get(unit)! : far), NaN),
    ),
    columnOf,
    dead: order === 'class' ? columns.filter((members) => members.every((unit) => favourite[unit] < 0)).length : 0,
  };
}
