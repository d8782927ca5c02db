/**
 * Plain data as JSON and back, bit for bit: arrays of numbers are stored elsewhere and stand as `{"$tensor": digest}`, models as
 * `{"$model": digest}`, language models as `{"$language": {digest, origin, tokens}}` and pairs of prompts as `{"$pairs": digest}`; what JSON cannot say stands as `{"$number": "NaN"}`, `{"$bigint": "12"}`, `{"$undefined": true}`. A name that begins
 * with `$` gets one more.
 */
import type { ClassifierModel } from '../../engine/models/classifier.ts';
import type { LanguageModel } from '../../engine/models/languageModel.ts';
import type { PairSet } from '../../engine/tasks/pairs.ts';
import { dtypeOf, type TypedArray } from './tensors.ts';

/** Stores what stands in the JSON by its digest, and says which. */
export interface Keeper {
  /** @param path names and indices from the root to it */
  tensor(data: TypedArray, path: readonly string[]): string;
  /** Without it, models are written out as the plain data they are. */
  model?(model: ClassifierModel, path: readonly string[]): string;
  language?(model: LanguageModel, path: readonly string[]): string;
  pairs?(set: PairSet, path: readonly string[]): string;
}

/** Finds again what a Keeper stored. */
export interface Recaller {
  tensor(digest: string): TypedArray;
  readonly model?: (digest: string) => ClassifierModel;
  /** @param own what was said of it where it stood */
  readonly language?: (digest: string, own: Pick<LanguageModel, 'origin' | 'tokens'>) => LanguageModel;
  readonly pairs?: (digest: string) => PairSet;
}

/** Whether an object is a model, wherever it stands: it is then kept as one. */
export function isModel(value: object): value is ClassifierModel {
  return ['architecture', 'widths', 'angles', 'seed', 'base'].every((name) => Object.hasOwn(value, name));
}

const hasAll = (value: object, names: readonly string[]): boolean => names.every((name) => Object.hasOwn(value, name));

/** The same for models of language and for pairs of prompts. */
export const isLanguageModel = (value: object): value is LanguageModel => hasAll(value, ['architecture', 'config', 'parameters', 'origin']);
export const isPairSet = (value: object): value is PairSet => hasAll(value, ['pairs', 'length', 'arms', 'read', 'metric']);

/** @throws TypeError for what is not plain data, naming where it is */
export function encode(value: unknown, keeper: Keeper, path: readonly string[] = []): string {
  return JSON.stringify(toJson(value, keeper, path));
}

function toJson(value: unknown, keeper: Keeper, path: readonly string[]): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0) ? value : { $number: Object.is(value, -0) ? '-0' : String(value) };
    case 'undefined':
      return { $undefined: true };
    case 'bigint':
      return { $bigint: String(value) };
    case 'object':
      return value === null ? null : objectToJson(value, keeper, path);
    default:
      throw notPlain(path, `a ${typeof value}`);
  }
}

function objectToJson(value: object, keeper: Keeper, path: readonly string[]): unknown {
  if (Array.isArray(value)) return Array.from(value, (entry, i) => toJson(entry, keeper, [...path, String(i)]));
  if (ArrayBuffer.isView(value)) {
    if (!dtypeOf(value)) throw notPlain(path, `a ${value.constructor.name}`);
    return { $tensor: keeper.tensor(value as TypedArray, path) };
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw notPlain(path, `a ${value.constructor.name}`);
  if (keeper.model && isModel(value)) return { $model: keeper.model(value, path) };
  if (keeper.pairs && isPairSet(value)) return { $pairs: keeper.pairs(value, path) };
  if (keeper.language && isLanguageModel(value)) {
    const { origin, tokens } = value;
    return { $language: toJson({ digest: keeper.language(value, path), origin, ...(tokens && { tokens }) }, {} as Keeper, path) };
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, entry]) => [name.startsWith('$') ? `$${name}` : name, toJson(entry, keeper, [...path, name])]),
  );
}

const notPlain = (path: readonly string[], what: string) =>
  new TypeError(`encode: ${path.join('.') || 'value'} must be plain data, got ${what}`);

/** @throws Error for what {@link encode} did not write */
export function decode(json: string, recaller: Recaller): unknown {
  return fromJson(JSON.parse(json), recaller);
}

function fromJson(value: unknown, recaller: Recaller): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map((entry) => fromJson(entry, recaller));
  const entries = Object.entries(value);
  const [first] = entries;
  if (first !== undefined && /^\$(?!\$)/.test(first[0])) return special(first[0], first[1], recaller);
  return Object.fromEntries(entries.map(([name, entry]) => [name.startsWith('$') ? name.slice(1) : name, fromJson(entry, recaller)]));
}

function special(name: string, value: unknown, recaller: Recaller): unknown {
  switch (name) {
    case '$undefined':
      return undefined;
    case '$number':
      return Number(value);
    case '$bigint':
      return BigInt(value as string);
    case '$tensor':
      return recaller.tensor(String(value));
    case '$model':
      return recalled(recaller.model, name)(String(value));
    case '$pairs':
      return recalled(recaller.pairs, name)(String(value));
    case '$language': {
      const { digest, ...own } = fromJson(value, recaller) as { digest: string } & Pick<LanguageModel, 'origin' | 'tokens'>;
      return recalled(recaller.language, name)(digest, own);
    }
    default:
      throw new Error(`decode: ${name} is nothing we write`);
  }
}

/** @throws Error where such a thing may not stand */
function recalled<F>(recall: F | undefined, name: string): F {
  if (recall === undefined) throw new Error(`decode: ${name} may not stand here`);
  return recall;
}

/** Digests of the arrays and models that a JSON text stands on. */
export function referencesIn(json: string): { tensors: string[]; models: string[] } {
  const found = { tensors: [] as string[], models: [] as string[] };
  decode(json, {
    tensor: (digest) => {
      found.tensors.push(digest);
      return new Uint8Array();
    },
    model: (digest) => {
      found.models.push(digest);
      return {} as ClassifierModel;
    },
    language: () => ({}) as LanguageModel,
    pairs: () => ({}) as PairSet,
  });
  return found;
}
