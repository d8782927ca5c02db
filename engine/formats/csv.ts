/** Comma-separated values as RFC 4180 has them: written with a line of column names, quotes where a value needs them; read back as rows of texts. */
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

/** The most values a file may have in all. */
const VALUE_LIMIT = 2_000_000;

/**
 * The rows of a file as RFC 4180 has them, lines ended by LF or CR LF; a byte order mark before them and blank lines between are skipped.
 * @throws UserError for a quote that is not closed or stands within a value, naming the line it is on
 */
export function readCsv(text: string, field: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let [at, line, values] = [text.startsWith('\ufeff') ? 1 : 0, 1, 0];
  const fail = (rule: string, value: string): never => {
    throw new UserError(`${field}: line ${line}`, rule, value);
  };
  for (;;) {
    if (++values > VALUE_LIMIT) throw new UserError(field, `must have at most ${VALUE_LIMIT} values`, 'more');
    const begin = at;
    const inQuotes = text[at] === '"';
    if (inQuotes) {
      let value = '';
      // To the quote that is not one of two.
      for (at++; ; at += 2) {
        const quote = text.indexOf('"', at);
        if (quote < 0) fail('must close its quotes', text.slice(begin));
        value += text.slice(at, quote);
        at = quote;
        if (text[at + 1] !== '"') break;
        value += '"';
      }
      at++;
      if (at < text.length && !/[,\n]|\r\n/y.test(text.slice(at, at + 2)))
        fail('must have a comma or its end after closing quotes', text.slice(begin, at + 1));
      row.push(value);
    } else {
      while (at < text.length && text[at] !== ',' && text[at] !== '\n') at++;
      const value = text.slice(begin, text[at] === '\n' && text[at - 1] === '\r' && at > begin ? at - 1 : at);
      if (value.includes('"')) fail('must have quotes around a whole value', value);
      row.push(value);
    }
    if (text[at] === '\r') at++;
    if (inQuotes) line += text.slice(begin, at).split('\n').length - 1;
    if (text[at] === ',') {
      at++;
      continue;
    }
    if (row.length > 1 || row[0] !== '' || inQuotes) rows.push(row);
    if (at >= text.length) return rows;
    row = [];
    at++;
    line++;
  }
}
