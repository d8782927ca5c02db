/** The runs table as one list of lines: pinned rows, then groups that may be folded; and which of them are in sight. */
import { filtered, grouped, type Grouping, type RunView, type Sort } from './rows.ts';

export interface TableState {
  readonly group?: Grouping;
  readonly sort?: Sort | undefined;
  readonly filter?: string;
  /** Columns. */
  readonly hidden?: readonly string[];
  /** Columns that stay at the left. */
  readonly held?: readonly string[];
  /** Runs that stay on top. */
  readonly pinned?: readonly string[];
  /** By group: what the user said; others are as {@link FOLDED_FROM} has it. */
  readonly folded?: Readonly<Record<string, boolean>>;
}

export type Item =
  | {
      readonly kind: 'group';
      readonly id: string;
      readonly title: string;
      readonly summary: string;
      readonly folded: boolean;
      readonly fixed: boolean;
    }
  | { readonly kind: 'row'; readonly id: string; readonly row: RunView; readonly pinned: boolean };

/** So many rows, and only the first group is open. */
const FOLDED_FROM = 24;

export function itemsOf(rows: readonly RunView[], { group = 'seed', sort, filter = '', pinned = [], folded = {} }: TableState): Item[] {
  const shown = filtered(rows, filter);
  const onTop = pinned.flatMap((key) => shown.find((row) => row.key === key) ?? []);
  const below = shown.filter(({ key }) => !pinned.includes(key));
  const items: Item[] = [];
  if (onTop.length > 0) items.push({ kind: 'group', id: 'pinned', title: 'Pinned', summary: '', folded: false, fixed: true });
  for (const row of onTop) items.push({ kind: 'row', id: row.key, row, pinned: true });
  grouped(below, group, sort).forEach(({ id, title, summary, rows: inside }, i) => {
    const isFolded = group !== 'none' && (folded[id] ?? (filter === '' && below.length > FOLDED_FROM && i > 0));
    if (group !== 'none') items.push({ kind: 'group', id, title, summary, folded: isFolded, fixed: false });
    if (!isFolded) for (const row of inside) items.push({ kind: 'row', id: row.key, row, pinned: false });
  });
  return items;
}

/** From which item to which, of a list of lines of one height. */
export function windowOf(
  count: number,
  scrolled: number,
  height: number,
  line: number,
  spare = 12,
): { readonly first: number; readonly last: number } {
  if (count <= 200) return { first: 0, last: count };
  const first = Math.max(0, Math.min(count, Math.floor(scrolled / line) - spare));
  return { first, last: Math.min(count, Math.ceil((scrolled + height) / line) + spare) };
}

/** Keys of the rows between two, in the order they stand. */
export function between(items: readonly Item[], from: string, to: string): string[] {
  const keys = items.flatMap((item) => (item.kind === 'row' ? [item.id] : []));
  const [a, b] = [keys.indexOf(from), keys.indexOf(to)];
  return a < 0 || b < 0 ? [to] : keys.slice(Math.min(a, b), Math.max(a, b) + 1);
}
