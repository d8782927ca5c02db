/** Copies of a session: whole ones, and ones to hand to others, without weights and without where things lie on this machine. */
import { existsSync } from 'node:fs';
import { join, parse, posix, win32 } from 'node:path';
import { canonicalDigest } from './canonical.ts';
import { referencesIn } from './codec.ts';
import { Connection } from './connection.ts';
import { sessionPath } from './inspection.ts';
import { makeInPlace, makeInPlaceLater } from './placing.ts';
import { trusting } from './problems.ts';
import { getRecord } from './records.ts';

/** @throws UserError if there is something at the path already, or no room */
export async function copySession(connection: Connection, path: string): Promise<void> {
  await copyThrough(connection, path, () => undefined);
}

/**
 * A copy that is safe to publish: results, series, runs and notes with their digests; no weights, no checkpoints, no files' fingerprints, and
 * of every absolute path only its last part.
 */
export async function shareSession(connection: Connection, path: string): Promise<void> {
  await copyThrough(connection, path, (copy) => {
    copy.transaction(() => {
      for (const table of ['checkpoints', 'corpus_fingerprints', 'model_tensors']) copy.execute(`DELETE FROM ${table}`);
      copy.execute(`UPDATE runs SET result = NULL`); // it stands on weights; its model, count and series have columns of their own
      removeUnusedTensors(copy);
      for (const [table, columns] of Object.entries(columnsWithPaths)) for (const column of columns) removePaths(copy, table, column);
      removePathsInFindings(copy);
      copy.execute('UPDATE session SET weights = 0');
    });
    copy.execute('VACUUM'); // deleted rows would stay in free pages
  });
}

async function copyThrough(connection: Connection, path: string, change: (copy: Connection) => void): Promise<void> {
  await makeInPlaceLater(sessionPath(path), async (draft) => {
    await connection.backup(draft);
    using copy = new Connection(draft, 'write');
    copy.pragma('journal_mode = DELETE'); // it comes with the log of an open file switched on
    change(copy);
  });
}

/** What neither series nor findings stand on: weights. */
function removeUnusedTensors(copy: Connection): void {
  const used = new Set(copy.all<{ tensor: string }>('SELECT tensor FROM series').map(({ tensor }) => tensor));
  for (const { payload } of copy.all<{ payload: string }>('SELECT payload FROM results'))
    for (const tensor of trusting(copy.path, 'a result', () => referencesIn(payload)).tensors) used.add(tensor);
  for (const { digest } of copy.all<{ digest: string }>('SELECT digest FROM tensors'))
    if (!used.has(digest)) copy.run('DELETE FROM tensors WHERE digest = ?', digest);
}

/** Columns that may say where something lies; all but a corpus's source are JSON. Notes are a person's own words and stay as they are. */
const columnsWithPaths: Readonly<Record<string, readonly string[]>> = {
  corpora: ['source'],
  runs: ['request', 'provenance'],
  results: ['request', 'provenance'],
  actions: ['arguments'],
  layout: ['value'],
};

function removePaths(copy: Connection, table: string, column: string): void {
  for (const { id, value } of copy.all<{ id: number; value: string }>(`SELECT rowid AS id, ${column} AS value FROM ${table}`)) {
    const without = column === 'source' ? withoutPath(value) : textsReplaced(value, withoutPath);
    if (without !== value) copy.run(`UPDATE ${table} SET ${column} = ? WHERE rowid = ?`, without, id);
  }
}

/** Findings without a path are other findings, with a digest of their own. A single `/s` is more likely a unit than a place. */
function removePathsInFindings(copy: Connection): void {
  for (const { key, payload } of copy.all<{ key: string; payload: string }>('SELECT key, payload FROM results')) {
    const without = textsReplaced(payload, (text) => (/[\\/]./.test(text.slice(1)) ? withoutPath(text) : text));
    if (without === payload) continue;
    const digest = canonicalDigest(getRecord(copy, without, `result ${key.slice(0, 12)}`));
    copy.run('UPDATE results SET payload = ?, digest = ? WHERE key = ?', without, digest, key);
  }
}

function textsReplaced(json: string, replace: (text: string) => string): string {
  const replaced = (value: unknown): unknown => {
    if (typeof value === 'string') return replace(value);
    if (value === null || typeof value !== 'object') return value;
    if (Array.isArray(value)) return value.map(replaced);
    return Object.fromEntries(Object.entries(value).map(([name, entry]) => [replace(name), replaced(entry)]));
  };
  return JSON.stringify(replaced(JSON.parse(json)));
}

function withoutPath(text: string): string {
  if (posix.isAbsolute(text)) return posix.basename(text);
  return win32.isAbsolute(text) ? win32.basename(text) : text;
}

/**
 * A copy beside a file as it is before its schema changes, under a name that is still free: `study.schema-1.gatescope`.
 * @returns its path
 */
export function backUp(connection: Connection, version: number): string {
  const { dir, name, ext } = parse(connection.path);
  const candidate = (i: number) => join(dir, `${name}.schema-${version}${i === 0 ? '' : `.${i}`}${ext}`);
  let i = 0;
  while (existsSync(candidate(i))) i++;
  makeInPlace(candidate(i), (draft) => connection.execute(`VACUUM INTO '${draft.replaceAll("'", "''")}'`));
  return candidate(i);
}
