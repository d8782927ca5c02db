/**
 * The schema of session files and its history: a list of migrations, the number of which a file was made with is its `user_version`.
 * A migration is never changed once released; a new schema is one more file and one more line. Tables are described where they are made.
 */
import Database from 'better-sqlite3';
import type { Connection } from './connection.ts';
import { everything } from './migrations/everything.ts';
import { languageModels, standIns } from './migrations/languageModels.ts';

/** In the header of every session file, so that it is told from other SQLite databases: "gate". */
export const APPLICATION_ID = 0x67617465;

export type Migration = (execute: (sql: string) => void) => void;

export const migrations: readonly Migration[] = [everything, languageModels];

/** What stands in for tables that a migration adds, where a file that has not been through it is only read. */
const readings = new Map<Migration, string>([[languageModels, standIns]]);

/**
 * Lets an older file be read as it is, if all that it lacks are tables: they are empty, in memory.
 * @returns whether that can be
 */
export function readAsNewest(connection: Connection, version: number, steps: readonly Migration[]): boolean {
  const lacking = steps.slice(version).map((step) => readings.get(step));
  if (lacking.includes(undefined)) return false;
  for (const sql of lacking) connection.execute(sql!);
  return true;
}

/** Brings a file from the schema it has to the newest, in one transaction. */
export function migrate(connection: Connection, from: number, steps: readonly Migration[] = migrations): void {
  connection.transaction(() => {
    for (const step of steps.slice(from)) step((sql) => connection.execute(sql));
    connection.pragma(`user_version = ${steps.length}`);
  });
}

/** An object of a schema, as SQLite keeps it. */
interface SchemaObject {
  readonly type: string;
  readonly name: string;
  readonly sql: string;
}

const objects = `SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'`;

/**
 * What is wrong with a file's schema, if anything. Tables of somebody else's are let be; a trigger could change what is written here.
 * @param version its `user_version`; of one newer than ours, only triggers are known to be wrong
 */
export function schemaProblem(connection: Connection, version: number, steps: readonly Migration[] = migrations): string | undefined {
  const found = new Map(connection.all<SchemaObject>(objects).map((object) => [object.name, object]));
  for (const { type, name } of found.values()) if (type === 'trigger') return `it has a trigger ${name}, which none of ours has`;
  if (version > steps.length) return undefined;
  for (const { type, name, sql } of expectedObjects(steps.slice(0, version)))
    if (found.get(name)?.sql !== sql) return `its ${type} ${name} is ${found.has(name) ? 'not as we make it' : 'not there'}`;
  return undefined;
}

/** Tables of a file that are none of ours: of what they hold nothing is known. */
export function foreignTables(connection: Connection): string[] {
  const own = new Set(expectedObjects(migrations).map(({ name }) => name));
  return connection
    .all<SchemaObject>(objects)
    .filter(({ type, name }) => (type === 'table' || type === 'view') && !own.has(name))
    .map(({ type, name }) => `${type} "${name.replaceAll('"', '""')}"`);
}

function expectedObjects(steps: readonly Migration[]): SchemaObject[] {
  const database = new Database(':memory:');
  try {
    for (const step of steps) step((sql) => database.exec(sql));
    return database.prepare<[], SchemaObject>(objects).all();
  } finally {
    database.close();
  }
}
