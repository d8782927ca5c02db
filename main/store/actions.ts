/** What was done in a session, in order, and how its window was left. Undoing hides what an action gave; it computes and deletes nothing. */
import { UserError } from '../../engine/base/errors.ts';
import { decode, encode } from './codec.ts';
import type { Connection } from './connection.ts';
import { trusting } from './problems.ts';

export interface Action {
  readonly id: number;
  readonly at: string;
  /** `train`, `analyse`, `rename`, … */
  readonly verb: string;
  readonly arguments: unknown;
  readonly undone: boolean;
}

interface RawAction {
  readonly id: number;
  readonly at: string;
  readonly verb: string;
  readonly arguments: string;
  readonly undone: number;
}

/** The log and the layout hold names and small values; arrays and models belong to runs and results. */
const plainOnly = {
  tensor: (): never => {
    throw new TypeError('actions and layout must not hold arrays');
  },
};
const encodePlain = (value: unknown): string => encode(value, plainOnly);
const decodePlain = ({ path }: Connection, what: string, json: string): unknown =>
  trusting(path, what, () => decode(json, { tensor: plainOnly.tensor, model: plainOnly.tensor }));

export function actionRows(connection: Connection): Action[] {
  return connection
    .all<RawAction>('SELECT id, at, verb, arguments, undone FROM actions ORDER BY id')
    .map(({ arguments: json, ...row }) => ({
      ...row,
      arguments: decodePlain(connection, `action ${row.id}`, json),
      undone: row.undone === 1,
    }));
}

/** @returns its id */
export function putAction(connection: Connection, verb: string, given: unknown, at: string): number {
  return connection.transaction(() => {
    connection.run('INSERT INTO actions (at, verb, arguments) VALUES (?, ?, ?)', at, verb, encodePlain(given));
    return connection.get<{ id: number }>('SELECT last_insert_rowid() AS id')!.id;
  });
}

/** @throws UserError if there is no such action */
export function markUndone(connection: Connection, id: number, undone: boolean): void {
  const known = Number.isSafeInteger(id) && connection.run('UPDATE actions SET undone = ? WHERE id = ?', Number(undone), id) === 1;
  if (!known) throw new UserError('action: id', 'must be that of an action of this session', id);
}

/** @returns undefined if nothing was laid out under this name */
export function getLayout(connection: Connection, name: string): unknown {
  const row = connection.get<{ value: string }>('SELECT value FROM layout WHERE name = ?', name);
  return row && decodePlain(connection, `layout ${name}`, row.value);
}

export function putLayout(connection: Connection, name: string, value: unknown): void {
  connection.run('INSERT OR REPLACE INTO layout (name, value) VALUES (?, ?)', name, encodePlain(value));
}

/** Everything that was laid out, by name. */
export function layoutRows(connection: Connection): Record<string, unknown> {
  const rows = connection.all<{ name: string; value: string }>('SELECT name, value FROM layout ORDER BY name');
  return Object.fromEntries(rows.map(({ name, value }) => [name, decodePlain(connection, `layout ${name}`, value)]));
}

export function dropLayout(connection: Connection, name: string): void {
  connection.run('DELETE FROM layout WHERE name = ?', name);
}
