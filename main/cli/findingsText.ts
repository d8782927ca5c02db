/** Findings as tables for a terminal, whatever analysis they come from. */
import type { Claim, Findings, Measure } from '../../engine/base/findings.ts';
import { aligned, figure } from './table.ts';

/** Wider than this, the last axis goes down the page like the others. */
const MOST_COLUMNS = 12;
/** Rows of one table; all of them are what exports are for. */
const MOST_ROWS = 20;

type Named = readonly [name: string, measure: Measure];

/** Long tables first, so that single figures and what they rest on are what a terminal shows last. */
export function findingsText(findings: Findings, { rows = MOST_ROWS }: { rows?: number } = {}): string {
  const tables = grouped(findings).map((group) => tableOf(findings, group));
  const byLength = tables.toSorted((a, b) => b.rows.length - a.rows.length);
  const parts = byLength.map((table) => tableText(table, rows));
  return [...parts, factsText(findings.facts), ...(findings.claims ? [claimsText(findings.claims)] : [])].filter(Boolean).join('\n');
}

/** Measures that go into one table: those over the same axis, or the same axes of which the last is too long to go across. */
function grouped({ axes, measures }: Findings): Named[][] {
  const groups = new Map<string, Named[]>();
  for (const [name, measure] of Object.entries(measures)) {
    const [first, ...more] = measure.axes.toReversed();
    const shares = first !== undefined && (more.length === 0 || axes[first].values.length > MOST_COLUMNS);
    const key = shares ? measure.axes.join() : `alone ${name}`;
    groups.set(key, [...(groups.get(key) ?? []), [name, measure]]);
  }
  return [...groups.values()];
}

interface Table {
  readonly headings: readonly string[];
  readonly columns: readonly string[];
  /** Where on the axes that go down the page, and the numbers there. */
  readonly rows: readonly { readonly at: readonly string[]; readonly numbers: readonly number[] }[];
  /** By how much of what the rows of a long table are chosen, if its first column is a quantity. */
  readonly by: string | undefined;
}

function tableOf({ axes }: Findings, group: readonly Named[]): Table {
  const [[first, { axes: names, unit, data }]] = group;
  const labels = names.map((axis) =>
    axes[axis].values.map((value) => `${typeof value === 'number' ? figure(value) : value}${axes[axis].unit === '°' ? '°' : ''}`),
  );
  const last = labels.at(-1) ?? [];
  const across = names.length > 1 && last.length <= MOST_COLUMNS;
  const down = across ? labels.slice(0, -1) : labels;
  const columns = across ? last : group.map(([name]) => name);
  const count = down.reduce((product, { length }) => product * length, 1);
  return {
    headings: group.map(([name, { unit: own, definition }]) => `${name}${own === '' ? '' : ` [${own}]`}: ${definition}`),
    columns: [...names.slice(0, down.length), ...columns],
    rows: Array.from({ length: count }, (_entry, row) => ({
      at: entriesAt(down, row),
      numbers: across ? Array.from(last, (_label, i) => data[row * last.length + i]) : group.map(([, { data: own }]) => own[row]),
    })),
    by: across || unit === '' ? undefined : first,
  };
}

function tableText({ headings, columns, rows, by }: Table, most: number): string {
  const heading = `${headings.join('\n')}\n`;
  if (columns.length === 1 && rows.length === 1) return `${heading}  ${figure(rows[0].numbers[0])}\n`;
  const size = ({ numbers }: Table['rows'][number]) => (Number.isNaN(numbers[0]) ? -1 : Math.abs(numbers[0]));
  const shown = rows.length > most && by !== undefined ? rows.toSorted((a, b) => size(b) - size(a)) : rows;
  const table = [columns, ...shown.slice(0, most).map(({ at, numbers }) => [...at, ...numbers.map(figure)])];
  const which = by === undefined ? 'the first' : `those with the largest |${by}|`;
  const rest = rows.length > most ? `(${most} of ${rows.length} rows, ${which}: export gives all)\n` : '';
  return `${heading}${aligned(table)}\n${rest}`;
}

/** Which entry of each axis the row-major index means. */
function entriesAt(axes: readonly (readonly string[])[], index: number): string[] {
  const entries: string[] = [];
  let rest = index;
  for (const values of [...axes].reverse()) {
    entries.unshift(values[rest % values.length]);
    rest = Math.floor(rest / values.length);
  }
  return entries;
}

function factsText(facts: Findings['facts']): string {
  const names = Object.keys(facts);
  const wide = Math.max(0, ...names.map(({ length }) => length));
  return names.map((name) => `${name.padEnd(wide)}  ${factText(facts[name])}\n`).join('');
}

const factText = (value: string | number | boolean): string =>
  typeof value === 'number' ? figure(value) : typeof value === 'boolean' ? (value ? 'yes' : 'no') : value;

/** To hundredths, since accuracies differ by the hundredth. */
const hundredths = (value: number): string => (Number.isNaN(value) ? '–' : String(Number(value.toFixed(2)) + 0).replace('-', '−'));

/** A claim, and below it the figures it is judged by. */
export function claimsText(claims: readonly Claim[]): string {
  const width = Math.max(0, ...claims.map(({ status }) => status.length));
  const lines = claims.flatMap(({ claim, measured, status }) => {
    const figures = Object.entries(measured).map(([name, value]) => `${name} ${hundredths(value)}`);
    return [`  ${status.padEnd(width)}  ${claim}`, `  ${' '.repeat(width)}  ${figures.join(', ')}`];
  });
  return `Claims\n${lines.join('\n')}\n`;
}
