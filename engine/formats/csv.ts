/** Writer for comma-separated values as RFC 4180 has them: a line of column names, lines ended by CR LF, quotes where a value needs them. */
import { UserError } from '../base/errors.ts';

/** `null`, `undefined` and NaN are left empty: there is no number. */
export type CsvValue = string | number | boolean | null | undefined;

/**
 * The same rows give the same bytes. Numbers are the shortest digits that give them back, infinities `inf` and `-inf` as NumPy and pandas read them.
 * @throws UserError for a row that has not a value for each column
 */
export function writeCsv(columns: readonly string[], rows: Iterable<readonly CsvValue[]>): string {
  let text = line(columns);
  let at = 0;
  for (const row of rows) {
    if (row.length !== columns.length) throw new UserError(`writeCsv: row ${at}`, `must have ${columns.length} values`, row.length);
    text += line(row);
    at++;
  }
  return text;
}

function line(values: readonly CsvValue[]): string {
  // A line of one empty value would be a blank line, which readers skip.
  if (values.length === 1 && shown(values[0]) === '') return '""\r\n';
  return `${values.map((value) => quoted(shown(value))).join(',')}\r\n`;
}

function shown(value: CsvValue): string {
  if (value == null || Number.isNaN(value)) return '';
  if (typeof value !== 'number' || Number.isFinite(value)) return String(value);
  return value > 0 ? 'inf' : '-inf';
}

/** Also with spaces at its ends, which some readers drop. */
function quoted(text: string): string {
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
