/** Requests, results and findings as JSON beside the arrays and models they stand on. Which columns tell what of them is for runs.ts and results.ts. */
import type { ClassifierModel } from '../../engine/models/classifier.ts';
import { canonicalDigest } from './canonical.ts';
import { decode, encode } from './codec.ts';
import type { Connection } from './connection.ts';
import { getLanguageModel, putLanguageModel } from './languageModels.ts';
import { getModel, putModel } from './models.ts';
import { getPairSet, putPairSet } from './pairSets.ts';
import { damaged, trusting } from './problems.ts';
import { getTensor, putTensor } from './tensors.ts';

export interface KeptModel {
  readonly digest: string;
  readonly label: string;
}

/** Versions of kinds of job and of analyses as they are now, by id. */
export type CurrentVersions = Readonly<Record<string, number>>;

/** Whether what is kept has another version by now, which may give other numbers. */
export const isOutdated = (current: CurrentVersions, id: string, version: number): boolean =>
  Object.hasOwn(current, id) && current[id] !== version;

export interface KeptRecord {
  readonly json: string;
  /** Models in it, in their order. */
  readonly models: readonly KeptModel[];
  readonly languageModels: readonly KeptModel[];
  /** Digests of pairs of prompts in it. */
  readonly pairSets: readonly string[];
}

export interface RecordOptions {
  readonly at: string;
  /** What to call a model that is not in the session yet. @param path names and indices that lead to it */
  readonly label?: (path: readonly string[]) => string;
  readonly shape?: (path: readonly string[]) => readonly number[] | undefined;
}

/** Stores what plain data stands on. Call it within the transaction that stores the JSON. */
export function putRecord(
  connection: Connection,
  value: unknown,
  { at, label = () => 'model', shape = () => undefined }: RecordOptions,
): KeptRecord {
  const [models, languageModels] = [[] as KeptModel[], [] as KeptModel[]];
  const pairSets: string[] = [];
  const json = encode(value, {
    tensor: (data, path) => putTensor(connection, data, shape(path)),
    model: (model, path) => {
      const named = label(path);
      const digest = putModel(connection, model, { label: named }, at);
      models.push({ digest, label: named });
      return digest;
    },
    language: (model, path) => {
      const named = label(path);
      const digest = putLanguageModel(connection, model, { label: named }, at);
      languageModels.push({ digest, label: named });
      return digest;
    },
    pairs: (set) => {
      const digest = putPairSet(connection, set, '', at);
      pairSets.push(digest);
      return digest;
    },
  });
  return { json, models, languageModels, pairSets };
}

/**
 * The plain data again, bit for bit.
 * @param what how to call it where it is damaged: `result 0123456789ab`
 * @param digest of it, where it is known
 */
export function getRecord(connection: Connection, json: string, what: string, digest?: string): unknown {
  const { path } = connection;
  const models = new Map<string, ClassifierModel>();
  return trusting(path, what, () => {
    const value = decode(json, {
      tensor: (tensor) => getTensor(connection, tensor).data,
      model: (model) => {
        let known = models.get(model);
        if (!known) models.set(model, (known = getModel(connection, model)));
        return known;
      },
      language: (model, own) => getLanguageModel(connection, model, own),
      pairs: (set) => getPairSet(connection, set),
    });
    if (digest !== undefined && canonicalDigest(value) !== digest) throw damaged(`${what} is not what its digest stands for`, path);
    return value;
  });
}

/** The plain data without what they stand on: models and pairs are their digests, arrays are empty. */
export function outlineOf({ path }: Connection, json: string, what: string): unknown {
  return trusting(path, what, () => {
    const named = (digest: string) => digest as never;
    return decode(json, { tensor: () => new Uint8Array(), model: named, language: named, pairs: named });
  });
}

/** A field of plain data, if it is there. */
export function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}

export const textField = (value: unknown, name: string): string | undefined => {
  const field = fieldOf(value, name);
  return typeof field === 'string' ? field : undefined;
};

export const integerField = (value: unknown, name: string): number | undefined => {
  const field = fieldOf(value, name);
  return Number.isSafeInteger(field) ? (field as number) : undefined;
};
