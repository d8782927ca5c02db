/** A CSV table with named columns and numbers in them, and JSON beside it: every complaint names file, line and column. */
import type { z } from 'zod';
import { UserError } from '../../base/errors.ts';
import { parseWith } from '../../base/schema.ts';
import { readCsv } from '../csv.ts';

export interface Table {
  readonly path: string;
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
}

export interface Row {
  text(column: string): string;
  /** A finite number. */
  number(column: string): number;
  /** An integer in [0, below). */
  index(column: string, below: number): number;
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/** @param required columns that must be there; others may be there too @throws UserError for one that is missing, or a row of another width */
export function readTable(path: string, text: string, required: readonly string[]): Table {
  const place = `published results: ${path}`;
  const [columns, ...rows] = readCsv(text, place) as [string[] | undefined, ...string[][]];
  if (!columns) throw new UserError(place, 'must have a line of column names', '');
  const at = new Map(columns.map((name, i) => [name, i]));
  if (at.size < columns.length) throw new UserError(`${place}: columns`, 'must have different names', columns);
  for (const name of required) if (!at.has(name)) throw new UserError(`${place}: columns`, `must have ${name}`, columns.slice(0, 12));
  if (rows.length === 0) throw new UserError(place, 'must have rows', 0);
  return {
    path,
    columns,
    rows: rows.map((values, i) => {
      if (values.length !== columns.length)
        throw new UserError(`${place}: row ${i + 1}`, `must have ${columns.length} values`, values.length);
      const valueOf = (column: string) => values[at.get(column)!];
      const number = (column: string) => {
        const value = valueOf(column);
        // An overflow, 1e999, reads as a number too.
        if (!NUMBER.test(value) || !Number.isFinite(Number(value)))
          throw new UserError(`${place}: row ${i + 1}, ${column}`, 'must be a finite number', value);
        return Number(value);
      };
      return {
        text: valueOf,
        number,
        index(column, below) {
          const value = number(column);
          if (!Number.isInteger(value) || value < 0 || value >= below)
            throw new UserError(`${place}: row ${i + 1}, ${column}`, `must be an integer in [0, ${below - 1}]`, value);
          return value;
        },
      };
    }),
  };
}

/** The one number that a column holds in every row. */
export function sameInAll({ path, rows }: Table, column: string): number {
  const first = rows[0].number(column);
  rows.forEach((row, i) => {
    if (row.number(column) !== first)
      throw new UserError(`published results: ${path}: row ${i + 1}, ${column}`, `must be ${first} as in row 1`, row.text(column));
  });
  return first;
}

/** @throws UserError for what is not JSON (NaN is not) or does not fit the schema */
export function readJson<S extends z.ZodType>(path: string, text: string, schema: S): z.output<S> {
  const place = `published results: ${path}`;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UserError(place, 'must be JSON', (error as Error).message);
  }
  return parseWith(schema, place, value);
}

/** Two numbers of one file that must agree to rounding. @throws UserError that says which */
export function mustAgree(place: string, what: string, given: number, derived: number, slack: number): void {
  if (!(Math.abs(given - derived) <= slack)) throw new UserError(`published results: ${place}`, `must be ${what} = ${derived}`, given);
}
