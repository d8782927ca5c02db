/** Trainings of a session: what was asked, the model and the series that came of it, and those that are still under way. */
import type { Request } from '../../engine/contract.ts';
import { canonicalDigest } from './canonical.ts';
import { isLanguageModel, isModel } from './codec.ts';
import type { Connection } from './connection.ts';
import { putCorpusOf } from './corpora.ts';
import { putLanguageModel } from './languageModels.ts';
import { putModel } from './models.ts';
import { trusting } from './problems.ts';
import { fieldOf, getRecord, integerField, isOutdated, putRecord, textField, type CurrentVersions } from './records.ts';
import { dtypeOf, getTensor, putTensor, type TypedArray } from './tensors.ts';

/** What no number depends on: versions, threads, hardware. */
export type Provenance = Readonly<Record<string, string | number>>;

export interface BegunTraining {
  readonly request: Request;
  /** Of its kind of job. */
  readonly version: number;
}

export interface FinishedTraining extends BegunTraining {
  readonly key: string;
  /** As its kind of job gives it; of its fields `model`, `count` and `series` are read, and all are kept. */
  readonly result: unknown;
  readonly seconds: number;
  readonly provenance: Provenance;
}

export interface RunRow {
  readonly key: string;
  readonly kind: string;
  /** Of the kind of job. */
  readonly version: number;
  /** The stage: `foundation`, `dopamine`. */
  readonly label: string;
  readonly seed: number | undefined;
  readonly state: 'unfinished' | 'done';
  /** When it was begun, or finished if it is done. */
  readonly at: string;
  readonly model: string | undefined;
  /** Digest of the language model, of a training that gave one. */
  readonly languageModel: string | undefined;
  readonly corpus: string | undefined;
  /** Numbers trained. */
  readonly parameters: number | undefined;
  readonly seconds: number | undefined;
  /** Of the whole result: the same request gives the same one. */
  readonly digest: string | undefined;
  readonly provenance: Provenance;
  /** Whether the kind of job has another version by now, which may train other numbers. */
  readonly outdated: boolean;
}

export interface Series {
  readonly name: string;
  readonly unit: string;
  readonly values: TypedArray;
}

const labelOf = ({ kind, parameters }: Request): string => textField(parameters, 'stage') ?? kind;

/** Makes an unfinished training known; nothing changes if it is already. */
export function putUnfinishedRun(connection: Connection, key: string, { request, version }: BegunTraining, at: string): void {
  if (connection.get('SELECT 1 FROM runs WHERE key = ?', key)) return;
  connection.transaction(() => {
    connection.run(
      `INSERT INTO runs (key, kind, version, label, seed, state, at, corpus, provenance, request)
       VALUES (?, ?, ?, ?, ?, 'unfinished', ?, ?, '{}', ?)`,
      key,
      request.kind,
      version,
      labelOf(request),
      integerField(request.parameters, 'seed') ?? null,
      at,
      putCorpusOf(connection, request.parameters, at) ?? null,
      putRecord(connection, request.parameters, { at, label: () => 'foundation' }).json,
    );
  });
}

export function putRun(connection: Connection, finished: FinishedTraining, at: string): void {
  const { key, request, version, result, seconds, provenance } = finished;
  const label = labelOf(request);
  connection.transaction(() => {
    putUnfinishedRun(connection, key, finished, at);
    const model = fieldOf(result, 'model');
    connection.run(
      `UPDATE runs SET state = 'done', version = ?, at = ?, model = ?, parameters = ?, seconds = ?, digest = ?, provenance = ?, result = ?
       WHERE key = ?`,
      version,
      at,
      typeof model === 'object' && model !== null && isModel(model) ? putModel(connection, model, { label }, at) : null,
      integerField(result, 'count') ?? null,
      seconds,
      canonicalDigest(result, 'result'),
      JSON.stringify(provenance),
      putRecord(connection, result, { at, label: () => label }).json,
      key,
    );
    if (typeof model === 'object' && model !== null && isLanguageModel(model))
      connection.run(
        'INSERT OR REPLACE INTO run_language_models (run, model) VALUES (?, ?)',
        key,
        putLanguageModel(connection, model, { label }, at),
      );
    connection.run('DELETE FROM series WHERE run = ?', key);
    Object.entries(fieldOf(result, 'series') ?? {}).forEach(([name, series], position) => {
      const values: unknown = fieldOf(series, 'values');
      if (!ArrayBuffer.isView(values) || !dtypeOf(values)) return;
      const tensor = putTensor(connection, values as TypedArray);
      const unit = textField(series, 'unit') ?? '';
      connection.run('INSERT INTO series (run, position, name, unit, tensor) VALUES (?, ?, ?, ?, ?)', key, position, name, unit, tensor);
    });
  });
}

/** In a box, since a result may be undefined. @returns undefined unless the training is done and its weights are here */
export function getRunResult(connection: Connection, key: string): { readonly value: unknown } | undefined {
  const row = connection.get<{ digest: string; result: string | null }>(`SELECT digest, result FROM runs WHERE key = ?`, key);
  if (typeof row?.result !== 'string') return undefined;
  return { value: getRecord(connection, row.result, `run ${key.slice(0, 12)}`, row.digest) };
}

type Nullable<Row> = { readonly [Field in keyof Row]: undefined extends Row[Field] ? Exclude<Row[Field], undefined> | null : Row[Field] };
type RawRow = Nullable<Omit<RunRow, 'provenance' | 'outdated'>> & { readonly provenance: string };

/** In the order they were begun. */
export function runRows(connection: Connection, current: CurrentVersions = {}): RunRow[] {
  const columns = 'key, kind, version, label, seed, state, at, model, corpus, parameters, seconds, digest, provenance';
  const languageModel = '(SELECT model FROM run_language_models WHERE run = key) AS languageModel';
  return connection.all<RawRow>(`SELECT ${columns}, ${languageModel} FROM runs ORDER BY rowid`).map((row) =>
    trusting(connection.path, `run ${row.key.slice(0, 12)}`, () => ({
      ...row,
      seed: row.seed ?? undefined,
      model: row.model ?? undefined,
      languageModel: row.languageModel ?? undefined,
      corpus: row.corpus ?? undefined,
      parameters: row.parameters ?? undefined,
      seconds: row.seconds ?? undefined,
      digest: row.digest ?? undefined,
      provenance: JSON.parse(row.provenance) as Provenance,
      outdated: isOutdated(current, row.kind, row.version),
    })),
  );
}

export function seriesOf(connection: Connection, run: string): Series[] {
  return connection
    .all<{ name: string; unit: string; tensor: string }>('SELECT name, unit, tensor FROM series WHERE run = ? ORDER BY position', run)
    .map(({ name, unit, tensor }) => ({ name, unit, values: getTensor(connection, tensor).data }));
}

/** How a series ended, for a table: read past the digest, which whoever reads the whole series checks. */
export interface SeriesEnd {
  readonly name: string;
  readonly length: number;
  readonly last: number;
}

/** By run; of series of single or double precision that hold anything. */
export function seriesEnds(connection: Connection): Map<string, SeriesEnd[]> {
  const rows = connection.all<{ run: string; name: string; dtype: string; bytes: number; tail: Uint8Array | null }>(
    `SELECT run, name, dtype, bytes,
            (SELECT substr(content, -8) FROM tensor_chunks WHERE tensor = series.tensor ORDER BY tensor_chunks.position DESC LIMIT 1) AS tail
     FROM series JOIN tensors ON digest = tensor ORDER BY run, position`,
  );
  const ends = new Map<string, SeriesEnd[]>();
  for (const { run, name, dtype, bytes, tail } of rows) {
    const width = dtype === 'F32' ? 4 : dtype === 'F64' ? 8 : undefined;
    if (width === undefined || !tail || tail.length < width) continue;
    const view = new DataView(tail.buffer, tail.byteOffset + tail.length - width, width);
    const end = { name, length: bytes / width, last: width === 4 ? view.getFloat32(0, true) : view.getFloat64(0, true) };
    ends.set(run, [...(ends.get(run) ?? []), end]);
  }
  return ends;
}
