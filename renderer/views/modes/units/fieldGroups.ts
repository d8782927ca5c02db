/** Units of each layer in groups, each in order: what fieldLayout.ts places. */
import { whole } from '../../../words/numbers.ts';
import { layerName } from '../modelWords.ts';
import { capitalised } from './describe.ts';
import { sorted, type FieldGroup, type FieldLayer } from './fieldLayout.ts';
import type { UnitMeasure } from './measures.ts';
import { categoryOrder, type UnitTable } from './unitTable.ts';

export type FieldGrouping = 'category' | 'class' | 'none';

/** Groups that nobody is in are left out; without what a grouping rests on there is one group. @param sort undefined: by index */
export function fieldLayers(table: UnitTable, grouping: FieldGrouping, sort: UnitMeasure | undefined): FieldLayer[] {
  const { of, names, words } = groupsOf(table, grouping);
  const values = sort?.id === 'index' ? undefined : sort?.values;
  return table.layers.map(({ label, begin, end }) => {
    const members: number[][] = names.map(() => []);
    for (let unit = begin; unit < end; unit++) members[of(unit)].push(unit);
    return {
      title: layerName(label),
      count: end - begin,
      groups: members.flatMap((units, k): FieldGroup[] =>
        units.length > 0 ? [{ name: names[k], ...words(names[k], whole(units.length)), units: sorted(units, values, true) }] : [],
      ),
    };
  });
}

interface Groups {
  /** Group of a unit, by its place among the names. */
  readonly of: (unit: number) => number;
  readonly names: readonly string[];
  readonly words: (name: string, n: string) => { readonly lead: string; readonly rest: string };
}

function groupsOf({ category, favourite, firing }: UnitTable, grouping: FieldGrouping): Groups {
  if (grouping === 'category' && category)
    return { of: (unit) => category[unit], names: categoryOrder.map(capitalised), words: (name, n) => ({ lead: n, rest: name }) };
  if (grouping === 'class' && favourite && firing) {
    const { classes } = firing;
    // A unit that fires on no class stands last.
    return {
      of: (unit) => (favourite[unit] < 0 ? classes.length : favourite[unit]),
      names: [...classes, 'none'],
      words: (name, n) => ({ lead: name, rest: n }),
    };
  }
  return { of: () => 0, names: ['all'], words: () => ({ lead: '', rest: '' }) };
}
