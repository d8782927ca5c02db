/** The Dopamine report as a table for a terminal. */
import type { Accuracy, DopamineReport } from '../../engine/protocols/dopamine.ts';

export function dopamineTable({ seeds, claims }: DopamineReport): string {
  const angles = Object.keys(seeds[0].frozen);
  const rows: string[][] = [['seed', 'adapter', 'parameters', 'form', ...angles.map((angle) => `${angle}°`), 'Δ at 45°']];
  for (const { seed, frozen, adapters } of seeds) {
    const row = (adapter: string, parameters: string, form: string, accuracy: Accuracy) =>
      rows.push([
        String(seed),
        adapter,
        parameters,
        form,
        ...angles.map((angle) => accuracy[angle].toFixed(2)),
        adapter === 'frozen base' ? '' : signed(accuracy['45'] - frozen['45']),
      ]);
    row('frozen base', '0', '', frozen);
    for (const [id, { parameters, soft, hard }] of Object.entries(adapters)) {
      row(id, String(parameters), hard ? 'soft' : '', soft);
      if (hard) row(id, String(parameters), 'hard', hard);
    }
  }
  const claimed = claims.map(
    ({ claim, measured, status }) =>
      `  ${status.padEnd(14)} ${claim}: ${Object.entries(measured)
        .map(([name, value]) => `${name} ${round(value)}`)
        .join(', ')}`,
  );
  return `Test accuracy in percent, 10 000 images an angle, MNIST\n\n${aligned(rows)}\n\nClaims\n${claimed.join('\n')}\n`;
}

/** To hundredths, since accuracies differ by the hundredth; nothing is not signed as a loss. */
const rounded = (value: number): number => Number(value.toFixed(2)) + 0;
const signed = (value: number): string => (rounded(value) >= 0 ? '+' : '−') + Math.abs(value).toFixed(2);
const round = (value: number): string => String(rounded(value)).replace('-', '−');

/** Columns padded to their widest entry: text to the left, numbers to the right. */
function aligned(rows: readonly string[][]): string {
  const widths = rows[0].map((_cell, column) => Math.max(...rows.map((row) => row[column].length)));
  const numeric = rows[0].map((_cell, column) => rows.slice(1).every((row) => /^[+−]?[\d.]*$/.test(row[column])));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => (numeric[column] ? cell.padStart(widths[column]) : cell.padEnd(widths[column])))
      .join('  ')
      .trimEnd();
  return rows.map((row, i) => (i === 1 ? `${'─'.repeat(line(rows[0]).length)}\n${line(row)}` : line(row))).join('\n');
}
