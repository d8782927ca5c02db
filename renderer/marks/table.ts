/** The numbers of a figure in long form: what its table shows and its CSV holds. */
export interface Column {
  readonly name: string;
  readonly unit?: string;
}

export interface Table {
  readonly columns: readonly Column[];
  /** One for each mark; NaN is an empty cell. May be long: made only when somebody looks. */
  readonly rows: () => readonly (readonly (string | number)[])[];
}

const quoted = (text: string): string => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** RFC 4180, with every digit of every number. */
export function tableCsv({ columns, rows }: Table): string {
  const head = columns.map(({ name, unit }) => quoted(unit ? `${name} (${unit})` : name)).join(',');
  const body = rows().map((row) =>
    row.map((cell) => (typeof cell === 'number' ? (Number.isNaN(cell) ? '' : String(cell)) : quoted(cell))).join(','),
  );
  return `${[head, ...body].join('\r\n')}\r\n`;
}

export function tableJson(table: Table, about: { readonly title: string; readonly caption: string }): string {
  const names = table.columns.map(({ name }) => name);
  const rows = table
    .rows()
    .map((row) => Object.fromEntries(row.map((cell, i) => [names[i], typeof cell === 'number' && !Number.isFinite(cell) ? null : cell])));
  return `${JSON.stringify({ ...about, columns: table.columns, rows }, null, 2)}\n`;
}
