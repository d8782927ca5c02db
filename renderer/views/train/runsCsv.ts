/** The runs table as a file: the rows and columns in sight, every digit. */
import { tableCsv } from '../../marks/table.ts';
import { arranged, columnsOf } from './columns.ts';
import type { RunView } from './rows.ts';
import { itemsOf, type TableState } from './tableItems.ts';

/** Folded groups are written out all the same. */
export function csvOfRows(rows: readonly RunView[], table: TableState, angle: number, other: number | undefined): string {
  const columns = arranged(columnsOf(angle, other), table.hidden ?? [], table.held ?? []).map(({ column }) => column);
  const open = itemsOf(rows, { ...table, group: 'none' });
  return tableCsv({
    columns: [...columns.map(({ title, unit }) => ({ name: title.replace(/, %$/, ''), ...(unit && { unit }) })), { name: 'run' }],
    rows: () => open.flatMap((item) => (item.kind === 'row' ? [[...columns.map(({ id }) => item.row[id]), item.row.key]] : [])),
  });
}
