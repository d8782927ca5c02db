/** Whether a session file is whole to the last number: the database's own pages, and every digest in it. */
import { actionRows } from './actions.ts';
import { checkpointKeys, getCheckpoint } from './checkpoints.ts';
import type { Connection } from './connection.ts';
import { corpusRows } from './corpora.ts';
import { describeLanguageModel, getLanguageModel, languageModelRows } from './languageModels.ts';
import { getModel, modelRows } from './models.ts';
import { noteRows } from './notes.ts';
import { getPairSet, pairSetRows } from './pairSets.ts';
import { getRecord } from './records.ts';
import { resultRows, getResult } from './results.ts';
import { getRunResult, runRows } from './runs.ts';
import { getTensor } from './tensors.ts';

/** What SQLite finds wrong with its pages, and with rows that refer to others. It reads the whole file. */
export function databaseProblems(connection: Connection): string[] {
  const pages = connection.all<{ quick_check: string }>('PRAGMA quick_check(20)').map(({ quick_check }) => quick_check);
  if (pages.length !== 1 || pages[0] !== 'ok') return pages;
  return connection
    .all<{ table: string; parent: string }>('PRAGMA foreign_key_check')
    .map(({ table, parent }) => `a row of ${table} refers to ${parent} that are not there`);
}

/** Everything that is wrong, in words; nothing if the file is whole. @param weights whether models are with theirs */
export function sessionProblems(connection: Connection, weights: boolean): string[] {
  return [...problemsInSteps(connection, weights)].flat();
}

/** The same in steps, between which others may have their turn: what each of them found. Only the first takes as long as the file is large. */
export function* problemsInSteps(connection: Connection, weights: boolean): Generator<string[]> {
  const problems = databaseProblems(connection);
  yield problems;
  if (problems.length === 0) for (const read of contents(connection, weights)) yield problemOf(read);
}

function problemOf(read: () => unknown): string[] {
  try {
    read();
    return [];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

/** Ways to read everything that is in the file, piece by piece. */
function* contents(connection: Connection, weights: boolean): Generator<() => unknown> {
  for (const { digest } of connection.all<{ digest: string }>('SELECT digest FROM tensors')) yield () => getTensor(connection, digest);
  if (weights) {
    for (const { digest } of modelRows(connection)) yield () => getModel(connection, digest);
    for (const { digest } of pairSetRows(connection)) yield () => getPairSet(connection, digest);
    const requests = connection.all<{ request: string }>('SELECT request FROM runs UNION ALL SELECT request FROM results');
    for (const { request } of requests) yield () => getRecord(connection, request, 'a request');
  }
  for (const { digest, embedded } of languageModelRows(connection))
    yield () => (embedded ? getLanguageModel(connection, digest) : describeLanguageModel(connection, digest));
  for (const { key } of runRows(connection)) yield () => getRunResult(connection, key);
  for (const { key } of resultRows(connection)) yield () => getResult(connection, key);
  for (const key of checkpointKeys(connection)) yield () => getCheckpoint(connection, key);
  for (const rows of [corpusRows, actionRows, noteRows]) yield () => rows(connection);
}
