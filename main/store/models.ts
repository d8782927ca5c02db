/** Trained models of a session: each once under the digest of its content, an adapted one with the foundation it stands on. */
import { checkClassifier, type ClassifierModel } from '../../engine/models/classifier.ts';
import { adapterOf } from '../../engine/models/adapters/index.ts';
import { mlpParameters } from '../../engine/models/mlp.ts';
import type { ParameterSpec } from '../../engine/models/parameters.ts';
import { canonicalDigest } from './canonical.ts';
import { decode, encode } from './codec.ts';
import type { Connection } from './connection.ts';
import { damaged, fileError, trusting } from './problems.ts';
import { getTensor, putTensor } from './tensors.ts';

export interface ModelRow {
  readonly digest: string;
  readonly kind: 'foundation' | 'adapted';
  readonly label: string;
  readonly architecture: string;
  /** Input, hidden widths, classes. */
  readonly widths: readonly number[];
  /** Degrees the foundation's images were turned by. */
  readonly angles: readonly number[];
  readonly seed: number;
  /** Digest of the foundation an adapted model stands on. */
  readonly base: string | undefined;
  readonly adapter: string | undefined;
  /** Degrees of the modes the adapter was trained on. */
  readonly adapterAngles: readonly number[] | undefined;
  readonly description: string;
  readonly at: string;
}

export interface ModelNames {
  readonly label: string;
  readonly description?: string;
}

/** Stores a model, and its foundation, if they are not there yet: names are then kept. @returns its digest */
export function putModel(connection: Connection, model: ClassifierModel, { label, description = '' }: ModelNames, at: string): string {
  const digest = canonicalDigest(model);
  // In a copy made for sharing, a model is known but has no weights until it comes again.
  if (connection.get('SELECT 1 FROM model_tensors WHERE model = ?', digest)) return digest;
  checkClassifier('session: model', model);
  const { adapter, ...foundation } = model;
  connection.transaction(() => {
    const base = adapter ? putModel(connection, foundation, { label: 'foundation' }, at) : null;
    const record = encode(model, {
      tensor: (data, path) => putTensor(connection, data, shapeOf(model, path)),
    });
    connection.run(
      `INSERT OR IGNORE INTO models
       (digest, kind, label, architecture, widths, angles, seed, base, adapter, adapter_angles, description, at, record)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      digest,
      adapter ? 'adapted' : 'foundation',
      label,
      model.architecture,
      JSON.stringify(model.widths),
      JSON.stringify(model.angles),
      model.seed,
      base,
      adapter?.id ?? null,
      adapter ? JSON.stringify(adapter.angles) : null,
      description,
      at,
      record,
    );
    putModelTensors(connection, digest, record);
  });
  return digest;
}

function shapeOf({ widths, adapter }: ClassifierModel, path: readonly string[]): readonly number[] | undefined {
  const specs: ParameterSpec[] =
    path[0] === 'base' ? mlpParameters({ widths }) : adapter ? adapterOf(adapter.id).parameters({ widths }, adapter.angles.length) : [];
  return specs.find(({ name }) => name === path.at(-1))?.shape;
}

/** Which arrays a model is made of, for those who read the file by other means and for the copy without them. */
function putModelTensors(connection: Connection, model: string, record: string): void {
  type References = Record<string, { $tensor: string }>;
  const { base, adapter } = JSON.parse(record) as { base: References; adapter?: { parameters: References } };
  for (const [part, tensors] of [['base', base] as const, ['adapter', adapter?.parameters ?? {}] as const])
    for (const [name, { $tensor }] of Object.entries(tensors))
      connection.run('INSERT OR IGNORE INTO model_tensors (model, part, name, tensor) VALUES (?, ?, ?, ?)', model, part, name, $tensor);
}

const columns = `digest, kind, label, architecture, widths, angles, seed, base, adapter, adapter_angles AS adapterAngles, description, at`;

interface RawRow extends Omit<ModelRow, 'widths' | 'angles' | 'adapterAngles' | 'base' | 'adapter'> {
  readonly widths: string;
  readonly angles: string;
  readonly adapterAngles: string | null;
  readonly base: string | null;
  readonly adapter: string | null;
}

/** In the order they came. */
export function modelRows(connection: Connection): ModelRow[] {
  return connection.all<RawRow>(`SELECT ${columns} FROM models ORDER BY rowid`).map((row) => modelRow(connection, row));
}

function modelRow({ path }: Connection, { base, adapter, ...row }: RawRow): ModelRow {
  const numbers = (text: string) => JSON.parse(text) as number[];
  return trusting(path, `model ${row.digest.slice(0, 12)}`, () => ({
    ...row,
    widths: numbers(row.widths),
    angles: numbers(row.angles),
    base: base ?? undefined,
    adapter: adapter ?? undefined,
    adapterAngles: row.adapterAngles === null ? undefined : numbers(row.adapterAngles),
  }));
}

/** What an adapted model was trained with, besides its columns. */
export interface AdapterSettings {
  /** λ: weight of the mean openness of the gates. */
  readonly sparsity: number;
  /** Of gates, by hidden layer. */
  readonly temperature: readonly number[];
}

/** By digest, of those that have an adapter. No weights are read for it. */
export function adapterSettings(connection: Connection): Map<string, AdapterSettings> {
  const rows = connection.all<{ digest: string; settings: string }>(
    `SELECT digest, json_object('sparsity', json_extract(record, '$.adapter.sparsity'),
                                'temperature', json_extract(record, '$.adapter.temperature')) AS settings
     FROM models WHERE adapter IS NOT NULL`,
  );
  return new Map(
    rows.map(({ digest, settings }) => {
      const { sparsity, temperature } = trusting(
        connection.path,
        `model ${digest.slice(0, 12)}`,
        () => JSON.parse(settings) as Partial<AdapterSettings>,
      );
      return [digest, { sparsity: Number(sparsity ?? 0), temperature: Array.isArray(temperature) ? temperature.map(Number) : [] }];
    }),
  );
}

/** @throws UserError if it is not there, or its weights are not; DamagedSession if it is not what its digest stands for */
export function getModel(connection: Connection, digest: string): ClassifierModel {
  const { path } = connection;
  const row = connection.get<{ record: string }>('SELECT record FROM models WHERE digest = ?', digest);
  if (!row) throw fileError(`must hold the model ${digest.slice(0, 12)}`, path);
  const what = `model ${digest.slice(0, 12)}`;
  return trusting(path, what, () => {
    const model = decode(row.record, {
      tensor: (tensor) => getTensor(connection, tensor).data,
    }) as ClassifierModel;
    if (canonicalDigest(model) !== digest) throw damaged(`${what} is not what its digest stands for`, path);
    return model;
  });
}
