/** Findings of a session: what analyses found on which models and data, and what protocols made of it. */
import type { Findings } from '../../engine/base/findings.ts';
import { canonicalDigest } from './canonical.ts';
import type { Connection } from './connection.ts';
import { putCorpusOf } from './corpora.ts';
import { trusting } from './problems.ts';
import { fieldOf, getRecord, integerField, isOutdated, putRecord, textField, type CurrentVersions, type KeptModel } from './records.ts';
import type { Provenance } from './runs.ts';

export interface FinishedAnalysis {
  readonly key: string;
  readonly analysis: string;
  readonly version: number;
  /** What was asked: of its fields `models`, `data` and `seed` are read, and all are kept. */
  readonly parameters: unknown;
  readonly findings: unknown;
  readonly seconds?: number;
  readonly provenance?: Provenance;
}

export interface ResultRow {
  readonly key: string;
  readonly analysis: string;
  /** Of the analysis. */
  readonly version: number;
  /** Of the findings: the same key gives the same one, in every file. */
  readonly digest: string;
  readonly at: string;
  readonly seed: number | undefined;
  readonly corpus: string | undefined;
  readonly seconds: number | undefined;
  readonly provenance: Provenance;
  readonly models: readonly KeptModel[];
  /** Language models it is about, with what they are called in the findings. */
  readonly languageModels: readonly KeptModel[];
  /** Digests of the pairs of prompts it is about. */
  readonly pairSets: readonly string[];
  /** Whether the analysis has another version by now, which may find other numbers. */
  readonly outdated: boolean;
}

export interface Result {
  readonly row: ResultRow;
  readonly findings: Findings;
}

export function putResult(connection: Connection, finished: FinishedAnalysis, at: string): void {
  const { key, analysis, version, parameters, findings, seconds, provenance = {} } = finished;
  connection.transaction(() => {
    const corpus = putCorpusOf(connection, parameters, at);
    const request = putRecord(connection, parameters, { at, label: (path) => labelAt(parameters, path) });
    connection.run('DELETE FROM results WHERE key = ?', key);
    connection.run(
      `INSERT INTO results (key, analysis, version, digest, at, seed, corpus, seconds, provenance, request, payload)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      key,
      analysis,
      version,
      canonicalDigest(findings, 'findings'),
      at,
      integerField(parameters, 'seed') ?? null,
      corpus ?? null,
      seconds ?? null,
      JSON.stringify(provenance),
      request.json,
      putRecord(connection, findings, { at, shape: (path) => measureShape(findings, path) }).json,
    );
    languageModelsOf(connection, parameters, request.languageModels).forEach(({ digest, label }, position) =>
      connection.run(
        'INSERT INTO result_language_models (result, position, label, model) VALUES (?, ?, ?, ?)',
        key,
        position,
        label,
        digest,
      ),
    );
    request.pairSets.forEach((pairs, position) =>
      connection.run('INSERT INTO result_pair_sets (result, position, pairs) VALUES (?, ?, ?)', key, position, pairs),
    );
    request.models.forEach(({ digest, label }, position) =>
      connection.run('INSERT INTO result_models (result, position, label, model) VALUES (?, ?, ?, ?)', key, position, label, digest),
    );
  });
}

/** A model's label in a request: beside it, as `models: [{ label, model }]`. */
function labelAt(parameters: unknown, path: readonly string[]): string {
  const holder = path.slice(0, -1).reduce<unknown>((inside, name) => fieldOf(inside, name), parameters);
  return textField(holder, 'label') ?? path.at(-1) ?? 'model';
}

/**
 * In the order of what was asked about: models that stand in the request, and those it names by folder and digest as far as the session knows them.
 * @param standing in their order
 */
function languageModelsOf(connection: Connection, parameters: unknown, standing: readonly KeptModel[]): KeptModel[] {
  const left = [...standing];
  const others = fieldOf(parameters, 'others');
  const found = [parameters, ...(Array.isArray(others) ? (others as unknown[]) : [])].flatMap((subject) => {
    const model = fieldOf(subject, 'model');
    if (textField(model, 'folder') === undefined) return left.splice(0, 1);
    const digest = textField(model, 'digest');
    const known = digest !== undefined && connection.get('SELECT 1 FROM language_models WHERE digest = ?', digest) !== undefined;
    return known ? [{ digest, label: textField(subject, 'label') ?? 'model' }] : [];
  });
  return [...found, ...left];
}

/** Of the data of a measure: how many there are on each axis. */
function measureShape(findings: unknown, [first, name, last, ...more]: readonly string[]): number[] | undefined {
  if (first !== 'measures' || last !== 'data' || more.length > 0) return undefined;
  const { axes, measures } = findings as Findings;
  return measures[name].axes.map((axis) => axes[axis].values.length);
}

interface RawRow extends Omit<ResultRow, 'seed' | 'corpus' | 'seconds' | 'provenance' | keyof Subjects | 'outdated'> {
  readonly seed: number | null;
  readonly corpus: string | null;
  readonly seconds: number | null;
  readonly provenance: string;
}

const columns = 'key, analysis, version, digest, at, seed, corpus, seconds, provenance';

/** What a result is about. */
type Subjects = Pick<ResultRow, 'models' | 'languageModels' | 'pairSets'>;

/** By result; of one unless all are wanted. */
function subjectsOf(connection: Connection, only?: string): (key: string) => Subjects {
  const [where, values] = only === undefined ? ['', []] : ['WHERE result = ?', [only]];
  const gathered = <Entry>(sql: string) => {
    const found = new Map<string, Entry[]>();
    for (const { result, ...entry } of connection.all<Entry & { result: string }>(`${sql} ${where} ORDER BY result, position`, ...values))
      found.set(result, [...(found.get(result) ?? []), entry as Entry]);
    return found;
  };
  const models = gathered<KeptModel>('SELECT result, label, model AS digest FROM result_models');
  const languageModels = gathered<KeptModel>('SELECT result, label, model AS digest FROM result_language_models');
  const pairSets = gathered<{ pairs: string }>('SELECT result, pairs FROM result_pair_sets');
  return (key) => ({
    models: models.get(key) ?? [],
    languageModels: languageModels.get(key) ?? [],
    pairSets: (pairSets.get(key) ?? []).map(({ pairs }) => pairs),
  });
}

/** In the order they came. */
export function resultRows(connection: Connection, current: CurrentVersions = {}): ResultRow[] {
  const subjects = subjectsOf(connection);
  return connection
    .all<RawRow>(`SELECT ${columns} FROM results ORDER BY rowid`)
    .map((row) => resultRow(connection, row, subjects(row.key), current));
}

function resultRow({ path }: Connection, raw: RawRow, subjects: Subjects, current: CurrentVersions): ResultRow {
  return trusting(path, `result ${raw.key.slice(0, 12)}`, () => ({
    ...raw,
    seed: raw.seed ?? undefined,
    corpus: raw.corpus ?? undefined,
    seconds: raw.seconds ?? undefined,
    provenance: JSON.parse(raw.provenance) as Provenance,
    ...subjects,
    outdated: isOutdated(current, raw.analysis, raw.version),
  }));
}

/** @returns undefined if there is none @throws DamagedSession if the findings are not those of the digest */
export function getResult(connection: Connection, key: string, current: CurrentVersions = {}): Result | undefined {
  const raw = connection.get<RawRow>(`SELECT ${columns} FROM results WHERE key = ?`, key);
  if (!raw) return undefined;
  const { payload } = connection.get<{ payload: string }>('SELECT payload FROM results WHERE key = ?', key)!;
  return {
    row: resultRow(connection, raw, subjectsOf(connection, key)(key), current),
    findings: getRecord(connection, payload, `result ${key.slice(0, 12)}`, raw.digest) as Findings,
  };
}

export function resultDigest(connection: Connection, key: string): string | undefined {
  return connection.get<{ digest: string }>('SELECT digest FROM results WHERE key = ?', key)?.digest;
}
