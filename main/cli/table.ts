/** Columns of text for a terminal. */

/** A rule need not go on over the next lines of a terminal, as long texts do. */
const LONGEST_RULE = 80;

/** Padded to their widest entry, with a rule below the first row: text to the left, numbers to the right. Ends without a line break. */
export function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_cell, column) => Math.max(...rows.map((row) => width(row[column]))));
  const numeric = rows[0].map((_cell, column) => rows.slice(1).every((row) => /^(?:[+−]?[\d.]*(?:e[+−]\d+)?|[+−]?∞|–)$/.test(row[column])));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => {
        const padding = ' '.repeat(widths[column] - width(cell));
        return numeric[column] ? padding + cell : cell + padding;
      })
      .join('  ')
      .trimEnd();
  const [head, ...lines] = rows.map(line);
  const longest = Math.max(...[head, ...lines].map(width));
  return [head, '─'.repeat(Math.min(LONGEST_RULE, longest)), ...lines].join('\n');
}

/** Characters, not code units: a terminal gives each of ours one column. */
const width = (text: string): number => [...text].length;

/** Under a heading; nothing at all where there are no rows but the first. */
export function section(heading: string, rows: readonly (readonly string[])[]): string {
  return rows.length < 2 ? '' : `\n${heading}\n${aligned(rows)}\n`;
}

/** Names and values, one a line. */
export function listed(facts: readonly (readonly string[])[]): string {
  const wide = Math.max(...facts.map(([name]) => name.length));
  return facts.map(([name, value]) => `${name.padEnd(wide)}  ${value}\n`).join('');
}

/** At most five significant digits, whole numbers whole, a true minus, `–` for what is no number. */
export function figure(value: number): string {
  if (Number.isNaN(value)) return '–';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  const text = Number.isInteger(value) && Math.abs(value) < 1e15 ? String(value) : String(Number(value.toPrecision(5)));
  return text.replaceAll('-', '−');
}

export const SHORT = 12;
/** What stands for a digest or key where there is no room for 64 digits. */
export const short = (digest: string): string => digest.slice(0, SHORT);
