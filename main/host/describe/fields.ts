/**
 * The fields of a schema as forms and command lines see them: nested objects laid flat, a name for each, and how a text becomes a value. Whether
 * the value is allowed is the schema's business.
 */
import { UserError } from '../../../engine/base/errors.ts';

/** What is read of a JSON Schema; `unit` and `range` are our own (`.meta`). */
export interface Described {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly items?: Described;
  readonly properties?: Readonly<Record<string, Described>>;
  readonly oneOf?: readonly Described[];
  readonly anyOf?: readonly Described[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly description?: string;
  readonly unit?: string;
  /** Of a list of integers: `0-4` stands for all between. */
  readonly range?: boolean;
}

export type Path = readonly string[];

export interface Field {
  /** Where its value goes: `['optimiser', 'learningRate']`. */
  readonly path: Path;
  /** Of its flag, without dashes: `learning-rate`. */
  readonly name: string;
  readonly schema: Described;
  /** What there is to choose from, of the value or of a list's entries; empty if it is open. */
  readonly choices: readonly string[];
  /** Of a union: the kinds that have it, if not all. */
  readonly kinds?: readonly string[];
  /** Defaults in words; undefined where there is none. */
  readonly fallback?: string;
}

/** The field that says which an object is goes by the object's name: `--optimiser adam`, `--data mnist`. */
const NAMING = ['kind', 'source'];
/** More entries than any list of seeds needs, fewer than memory minds. */
const LONGEST_RANGE = 1000;

/** @param omit paths, `base` or `data.digest`, that are given by other means @throws Error for a field that no text can say */
export function fieldsOf(schema: Described, omit: readonly string[] = [], path: Path = [], name = ''): Field[] {
  const joined = path.join('.');
  if (omit.includes(joined)) return [];
  if (schema.oneOf) return unionFields(schema, schema.oneOf, omit, path, name);
  if (schema.properties)
    return Object.entries(schema.properties).flatMap(([key, inner]) => {
      const own = NAMING.includes(key) && name !== '' ? name : [name, kebab(key)].filter(Boolean).join('-');
      const described = own === name && inner.description === undefined ? describedAs(inner, schema.description) : inner;
      return fieldsOf(described, omit, [...path, key], own);
    });
  if (kindsOfValue(schema).length === 0) throw new Error(`flags: ${joined} has no form that a text could say`);
  return [leaf(path, name, schema)];
}

/** Of alternatives told apart by a constant, which goes by the union's name; their other fields go by their own alone. */
function unionFields(
  { description, default: given }: Described,
  alternatives: readonly Described[],
  omit: readonly string[],
  path: Path,
  name: string,
): Field[] {
  const [first] = alternatives;
  const constant = Object.keys(first.properties ?? {}).find((key) =>
    alternatives.every(({ properties }) => properties?.[key]?.const !== undefined),
  );
  if (constant === undefined) throw new Error(`flags: ${path.join('.')} must be told apart by a constant`);
  const kindOf = ({ properties }: Described) => String(properties![constant].const);
  const chooser: Described = {
    type: 'string',
    enum: alternatives.map(kindOf),
    ...(description !== undefined && { description }),
    ...(given !== undefined && { default: (given as Record<string, unknown>)[constant] }),
  };
  const keys = [...new Set(alternatives.flatMap(({ properties }) => Object.keys(properties!)))].filter((key) => key !== constant);
  return [
    leaf([...path, constant], name, chooser),
    ...keys.flatMap((key) => {
      const having = alternatives.filter(({ properties }) => Object.hasOwn(properties!, key));
      const [field, ...rest] = fieldsOf(having[0].properties![key], omit, [...path, key], kebab(key));
      if (!field || rest.length > 0) return [field, ...rest].filter(Boolean);
      const fallbacks = having.map((one) => defaultText(one.properties![key].default));
      const differing = having.flatMap((one, i) => (fallbacks[i] === fallbacks[0] ? [] : [`${kindOf(one)}: ${fallbacks[i]}`]));
      const fallback = fallbacks[0] === undefined ? undefined : [fallbacks[0], ...differing].join(', ');
      return [
        {
          ...field,
          ...(having.length < alternatives.length && { kinds: having.map(kindOf) }),
          ...(fallback !== undefined && { fallback }),
        },
      ];
    }),
  ];
}

function leaf(path: Path, name: string, schema: Described): Field {
  const fallback = defaultText(schema.default);
  const choices = (schema.items ?? schema).enum ?? [];
  return { path, name, schema, choices: choices.map(String), ...(fallback !== undefined && { fallback }) };
}

const describedAs = (schema: Described, description?: string): Described => ({
  ...schema,
  ...(description !== undefined && { description }),
});

/** Whether one path goes through another, or ends there. */
export const begins = (long: Path, short: Path): boolean => short.every((step, i) => long[i] === step);

/** What Commander calls the flag's value: `learningRate`. */
export const attributeOf = ({ name }: Field): string => name.replace(/-+(.)/g, (_match, letter: string) => letter.toUpperCase());

export const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** A value as it would be given: lists with commas. */
export function defaultText(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.join(',');
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

/** `number`, `integer`, `string`, `boolean`, `array`: what a value may be. */
export function kindsOfValue({ type, const: constant, enum: values, anyOf }: Described): string[] {
  if (type !== undefined) return [type].flat();
  if (anyOf) return anyOf.flatMap(kindsOfValue);
  return [...new Set([...(values ?? []), ...(constant === undefined ? [] : [constant])].map((value) => typeof value))];
}

export const isList = (schema: Described): boolean => kindsOfValue(schema).includes('array');
export const isBoolean = (schema: Described): boolean => kindsOfValue(schema).includes('boolean');
/** How a value is shown in help: `<n>`. */
export function placeholder(schema: Described): string {
  const kinds = kindsOfValue(schema);
  if (kinds.includes('array')) return 'list';
  if (kinds.includes('integer')) return 'n';
  if (kinds.includes('number')) return 'number';
  return schema.enum ? 'choice' : 'text';
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** The value a text says; a text that says none of the schema's kinds stays one, for the schema to refuse. */
export function valueOf(schema: Described, text: string, place: string): unknown {
  const kinds = kindsOfValue(schema);
  if (kinds.includes('array')) {
    const { items = {} } = schema;
    const parts = text.trim() === '' ? [] : text.split(',').map((part) => part.trim());
    return parts.flatMap((part) => (schema.range ? rangeOf(part, text, place) : undefined) ?? [valueOf(items, part, place)]);
  }
  if ((kinds.includes('number') || kinds.includes('integer')) && NUMBER.test(text.trim())) return Number(text) + 0; // no -0, which would be another request
  return text;
}

/** `0-4` as its integers; undefined if it is no range. */
function rangeOf(part: string, text: string, place: string): number[] | undefined {
  const match = /^(\d+)\s*-\s*(\d+)$/.exec(part);
  if (!match) return undefined;
  const [first, last] = [Number(match[1]), Number(match[2])];
  if (last < first || last - first >= LONGEST_RANGE || !Number.isSafeInteger(last))
    throw new UserError(place, `must have ranges that rise, of at most ${LONGEST_RANGE} entries`, text);
  return Array.from({ length: last - first + 1 }, (_entry, i) => first + i);
}
