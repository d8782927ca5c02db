/** Units of each layer in groups, each in order: what fieldLayout.ts places. */
import { layerName } from '../modelWords.ts';
import { capitalised } from './describe.ts';
import { sorted, type FieldGroup, type FieldLayer } from './fieldLayout.ts';
import type { UnitMeasure } from './measures.ts';
import { categoryOrder, type UnitTable } from './unitTable.ts';

export type FieldGrouping = 'category' | 'class' | 'none';

/** Groups that nobody is in are left out; without what a grouping rests on there is one group. @param sort undefined: by index */
export function fieldLayers(table: UnitTable, grouping: FieldGrouping, sort: UnitMeasure | undefined): FieldLayer[] {
  const { of, names } = groupsOf(table, grouping);
  const values = sort?.id === 'index' ? undefined : sort?.values;
  return table.layers.map(({ label, begin, end }) => {
    const members: number[][] = names.map(() => []);
    for (let unit = begin; unit < end; unit++) members[of(unit)].push(unit);
    return {
      title: layerName(label),
      count: end - begin,
      groups: members.flatMap((units, k): FieldGroup[] =>
        units.length > 0 ? [{ name: names[k], units: sorted(units, values, true) }] : [],
      ),
    };
  });
}

function groupsOf(
  { category, favourite, firing }: UnitTable,
  grouping: FieldGrouping,
): { of: (unit: number) => number; names: readonly string[] } {
  if (grouping === 'category' && category) return { of: (unit) => category[unit], names: categoryOrder.map(capitalised) };
  if (grouping === 'class' && favourite && firing) {
    const { classes } = firing;
    // A unit that fires on no class stands last.
    return {
      of: (unit) => (favourite[unit] < 0 ? classes.length : favourite[unit]),
      names: [...classes.map((name) => `on ${name}`), 'none'],
    };
  }
  return { of: () => 0, names: [''] };
}
