/**
 * Language models of a session: each once under the digest of its config and weights, whatever it is called. One that was loaded is known by where
 * its checkpoint lay and which one it is; its weights are here only if it was embedded. Models of images are in models.ts.
 */
import { languageModelDigest } from '../../engine/formats/languageModelDigest.ts';
import { checkLanguageModel, type LanguageModel } from '../../engine/models/languageModel.ts';
import { transformerParameters } from '../../engine/models/transformer.ts';
import { decode, encode } from './codec.ts';
import type { Connection } from './connection.ts';
import type { ModelNames } from './models.ts';
import { damaged, fileError, trusting } from './problems.ts';
import { getTensor, putTensor, type TypedArray } from './tensors.ts';

export interface LanguageModelRow {
  readonly digest: string;
  readonly label: string;
  readonly architecture: string;
  readonly origin: 'compiled' | 'trained' | 'loaded';
  readonly layers: number;
  readonly heads: number;
  readonly width: number;
  readonly vocabulary: number;
  /** How many numbers. */
  readonly parameters: number;
  readonly seed: number | undefined;
  /** Where the checkpoint of a loaded one was. */
  readonly folder: string | undefined;
  readonly description: string;
  readonly at: string;
  /** Whether its weights are in the file. */
  readonly embedded: boolean;
}

/** A loaded model without its weights. */
export interface LoadedModel extends Pick<LanguageModel, 'architecture' | 'config' | 'origin'> {
  readonly folder: string;
  readonly digest: string;
  readonly parameters: number;
}

/** What a request or result says of a model that stands in it, besides its digest. */
export type OwnWords = Pick<LanguageModel, 'origin' | 'tokens'>;

/** Stores a model with its weights if they are not there yet: names are then kept. @returns its digest */
export function putLanguageModel(
  connection: Connection,
  model: LanguageModel,
  { label, description = '' }: ModelNames,
  at: string,
): string {
  const digest = languageModelDigest(model);
  // In a copy made for sharing, and where it was only loaded, a model is known but has no weights until it comes again.
  if (connection.get('SELECT 1 FROM language_model_tensors WHERE model = ?', digest)) return digest;
  checkLanguageModel('session: model', model);
  const { parameters, ...plain } = model;
  const count = Object.values(parameters).reduce((sum, { length }) => sum + length, 0);
  connection.transaction(() => {
    putRow(connection, { digest, plain, parameters: count, label, description, at });
    const shapes = new Map(transformerParameters(model.config).map(({ name, shape }) => [name, shape]));
    for (const [name, data] of Object.entries(parameters))
      connection.run(
        'INSERT INTO language_model_tensors (model, name, tensor) VALUES (?, ?, ?)',
        digest,
        name,
        putTensor(connection, data as TypedArray, shapes.get(name)),
      );
  });
  return digest;
}

/** Makes a loaded model known without its weights; one that has moved is where it was found last. */
export function putLoadedModel(
  connection: Connection,
  { folder, digest, parameters, ...plain }: LoadedModel,
  { label, description = '' }: ModelNames,
  at: string,
): void {
  connection.transaction(() => {
    putRow(connection, { digest, plain, parameters, label, description, at });
    connection.run('UPDATE language_models SET folder = ? WHERE digest = ?', folder, digest);
  });
}

interface NewRow {
  readonly digest: string;
  readonly plain: Omit<LanguageModel, 'parameters'>;
  readonly parameters: number;
  readonly label: string;
  readonly description: string;
  readonly at: string;
}

function putRow(connection: Connection, { digest, plain, parameters, label, description, at }: NewRow): void {
  const { config, origin, architecture } = plain;
  connection.run(
    `INSERT OR IGNORE INTO language_models
     (digest, label, architecture, origin, layers, heads, width, vocabulary, parameters, seed, folder, description, at, record)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    digest,
    label,
    architecture,
    origin.kind,
    config.layers,
    config.heads,
    config.width,
    config.vocabulary,
    parameters,
    origin.seed ?? null,
    origin.kind === 'loaded' ? (origin.name ?? null) : null,
    description,
    at,
    encode(plain, { tensor: () => '' }),
  );
}

interface RawRow extends Omit<LanguageModelRow, 'seed' | 'folder' | 'embedded'> {
  readonly seed: number | null;
  readonly folder: string | null;
  readonly embedded: number;
}

/** In the order they came. */
export function languageModelRows(connection: Connection): LanguageModelRow[] {
  return connection
    .all<RawRow>(
      `SELECT digest, label, architecture, origin, layers, heads, width, vocabulary, parameters, seed, folder, description, at,
              EXISTS (SELECT 1 FROM language_model_tensors WHERE model = digest) AS embedded
       FROM language_models ORDER BY rowid`,
    )
    .map(({ seed, folder, embedded, ...row }) => ({
      ...row,
      seed: seed ?? undefined,
      folder: folder ?? undefined,
      embedded: embedded === 1,
    }));
}

/**
 * @param own what is said of it where it stands, if that is not what the session says
 * @throws UserError if it is not there, or its weights are not, naming where they were; DamagedSession if it is not what its digest stands for
 */
export function getLanguageModel(connection: Connection, digest: string, own?: OwnWords): LanguageModel {
  const { path } = connection;
  const what = `model ${digest.slice(0, 12)}`;
  const row = connection.get<{ record: string; folder: string | null }>(
    'SELECT record, folder FROM language_models WHERE digest = ?',
    digest,
  );
  if (!row) throw fileError(`must hold the ${what}`, path);
  const tensors = connection.all<{ name: string; tensor: string }>(
    'SELECT name, tensor FROM language_model_tensors WHERE model = ?',
    digest,
  );
  if (tensors.length === 0)
    throw fileError(`must hold the weights of ${what}${row.folder === null ? '' : `, which were loaded from ${row.folder}`}`, path);
  return trusting(path, what, () => {
    const plain = decode(row.record, { tensor: () => new Uint8Array() }) as Omit<LanguageModel, 'parameters'>;
    const parameters = Object.fromEntries(tensors.map(({ name, tensor }) => [name, getTensor(connection, tensor).data as Float32Array]));
    const { origin, tokens, ...content } = plain;
    const model = { ...content, parameters, ...(own ?? { origin, ...(tokens && { tokens }) }) };
    if (languageModelDigest(model) !== digest) throw damaged(`${what} is not what its digest stands for`, path);
    return model;
  });
}

/** Its config and origin, for whoever needs no weights. @throws UserError if it is not there */
export function describeLanguageModel(connection: Connection, digest: string): Omit<LanguageModel, 'parameters'> {
  const row = connection.get<{ record: string }>('SELECT record FROM language_models WHERE digest = ?', digest);
  if (!row) throw fileError(`must hold the model ${digest.slice(0, 12)}`, connection.path);
  return trusting(
    connection.path,
    `model ${digest.slice(0, 12)}`,
    () => decode(row.record, { tensor: () => new Uint8Array() }) as Omit<LanguageModel, 'parameters'>,
  );
}
