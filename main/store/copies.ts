/** Copies of a session: whole ones, and ones to hand to others, without weights and without where things lie on this machine. */
import { existsSync } from 'node:fs';
import { join, parse } from 'node:path';
import { canonicalDigest } from './canonical.ts';
import { referencesIn } from './codec.ts';
import { Connection } from './connection.ts';
import { sessionPath } from './inspection.ts';
import { makeInPlace, makeInPlaceLater, requireSessionName } from './placing.ts';
import { withoutLongPaths, withoutPaths, withoutPathsIn } from './privacy.ts';
import { fileError, trusting } from './problems.ts';
import { getRecord } from './records.ts';
import { foreignTables } from './schema.ts';

/** @throws UserError if there is something at the path already, or no room */
export async function copySession(connection: Connection, path: string): Promise<void> {
  await copyThrough(connection, path, () => undefined);
}

/**
 * A copy that is safe to publish: results, series, runs and notes with their digests; no weights, no checkpoints, no files' fingerprints, and
 * of every absolute path only its last part, also within names and messages. Notes are a person's own words and stay as they were written.
 */
export async function shareSession(connection: Connection, path: string): Promise<void> {
  if (connection.ofNewerVersion)
    throw fileError('must not be of a newer version of this program to be shared: what it holds is not all known', connection.path);
  await copyThrough(connection, path, (copy) => {
    copy.transaction(() => {
      for (const table of foreignTables(copy)) copy.execute(`DROP ${table}`);
      for (const table of ['checkpoints', 'corpus_fingerprints', 'model_tensors', 'language_model_tensors'])
        copy.execute(`DELETE FROM ${table}`);
      copy.execute('UPDATE pair_sets SET record = NULL'); // prompts, as images, stay with whoever has them
      copy.execute(`UPDATE runs SET result = NULL`); // it stands on weights; its model, count and series have columns of their own
      removeUnusedTensors(copy);
      removePaths(copy);
      removePathsInFindings(copy);
      copy.execute(`UPDATE actions SET arguments = json_remove(arguments, '$.kept')`); // what undoing needs: words that were taken back
      copy.execute('UPDATE session SET weights = 0');
    });
    copy.execute('VACUUM'); // deleted rows would stay in free pages
  });
}

async function copyThrough(connection: Connection, path: string, change: (copy: Connection) => void): Promise<void> {
  const target = sessionPath(path);
  requireSessionName(target);
  await makeInPlaceLater(target, async (draft) => {
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

/** Columns with a text, and with JSON, that may say where something lies. */
const columnsWithPaths = {
  text: {
    session: ['name'],
    models: ['label', 'description'],
    corpora: ['source'],
    runs: ['label'],
    result_models: ['label'],
    language_models: ['label', 'description', 'folder'],
    pair_sets: ['source'],
    result_language_models: ['label'],
    series: ['unit'],
  },
  json: {
    language_models: ['record'],
    runs: ['request', 'provenance'],
    results: ['request', 'provenance'],
    actions: ['arguments'],
    layout: ['value'],
  },
} satisfies Record<string, Readonly<Record<string, readonly string[]>>>;

function removePaths(copy: Connection): void {
  for (const [table, columns] of Object.entries(columnsWithPaths.text))
    for (const column of columns) rewrite(copy, table, column, withoutPaths);
  for (const [table, columns] of Object.entries(columnsWithPaths.json))
    for (const column of columns) rewrite(copy, table, column, (json) => withoutPathsIn(json, withoutPaths));
}

function rewrite(copy: Connection, table: string, column: string, change: (value: string) => string): void {
  for (const { id, value } of copy.all<{ id: number; value: string }>(
    `SELECT rowid AS id, ${column} AS value FROM ${table} WHERE ${column} IS NOT NULL`,
  )) {
    const changed = change(value);
    if (changed !== value) copy.run(`UPDATE ${table} SET ${column} = ? WHERE rowid = ?`, changed, id);
  }
}

/** Findings without a path are other findings, with a digest of their own. */
function removePathsInFindings(copy: Connection): void {
  for (const { key, payload } of copy.all<{ key: string; payload: string }>('SELECT key, payload FROM results')) {
    const without = withoutPathsIn(payload, withoutLongPaths);
    if (without === payload) continue;
    const digest = canonicalDigest(getRecord(copy, without, `result ${key.slice(0, 12)}`));
    copy.run('UPDATE results SET payload = ?, digest = ? WHERE key = ?', without, digest, key);
  }
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
  requireSessionName(candidate(i));
  makeInPlace(candidate(i), (draft) => connection.execute(`VACUUM INTO '${draft.replaceAll("'", "''")}'`));
  return candidate(i);
}
