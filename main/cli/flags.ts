/**
 * Flags from a schema: what validates a request also says which flags there are, how they are read and what help tells of them.
 *
 * What the schema refuses is told in the words of the flag: `train: --epochs must be an integer in [1, 1000], got "0"`. How fields become
 * flags and texts become values is in main/host/describe/fields.ts.
 */
import type { Command, OptionValues } from 'commander';
import { z } from 'zod';
import { UserError } from '../../engine/base/errors.ts';
import {
  attributeOf,
  begins,
  defaultText,
  fieldsOf,
  isBoolean,
  isList,
  placeholder,
  valueOf,
  type Described,
  type Field,
  type Path,
} from '../host/describe/fields.ts';
import { OfferingOption, valuesOffer } from './offers.ts';

/** By the paths of fields: `base`, `optimiser.learningRate`. */
export interface FlagSettings {
  /** Fields that are given by other means than flags. */
  readonly omit?: readonly string[];
  /** Fields that help does not show: they are there so that what contradicts them is told in words. */
  readonly hidden?: readonly string[];
  /** What the command takes where nothing is given. */
  readonly defaults?: Readonly<Record<string, unknown>>;
  /** What help says of a default that depends on other flags; nothing where it is empty. */
  readonly defaultTexts?: Readonly<Record<string, string>>;
  /** Values to offer on completion where the schema lists none. */
  readonly suggestions?: Readonly<Record<string, readonly string[]>>;
}

/** The flags of one strict object. */
export class Flags<Schema extends z.ZodType> {
  readonly fields: readonly Field[];
  readonly #schema: Schema;
  readonly #settings: FlagSettings;

  /** @throws Error if two fields would have one flag, or one has no form that a text could say */
  constructor(schema: Schema, settings: FlagSettings = {}) {
    this.#schema = schema;
    this.#settings = settings;
    this.fields = fieldsOf(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Described, settings.omit);
    const names = this.fields.map(({ name }) => name);
    const twice = names.find((name, i) => names.indexOf(name) < i);
    if (twice !== undefined) throw new Error(`flags: --${twice} would stand for two fields`);
  }

  addTo(command: Command): Command {
    for (const field of this.fields) for (const option of this.#optionsOf(field)) command.addOption(option);
    return command;
  }

  /**
   * @param place the command, for errors @param given Commander's values @param further by path, what fields are where no flag says so
   * @throws UserError naming the flag
   */
  parse(place: string, given: OptionValues, further: Readonly<Record<string, unknown>> = {}): z.output<Schema> {
    const parsed = this.#schema.safeParse(this.values(place, given, further));
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    const path = issue.path.map(String);
    if (issue.code !== 'unrecognized_keys') throw this.#refusal(place, path, issue.message, given);
    const chooser = this.#at(path);
    const rule = chooser ? `must not be given with --${chooser.name} ${this.#shown(chooser, given)}` : 'must be known';
    throw this.#refusal(place, [...path, issue.keys[0]], rule, given);
  }

  /** What the texts say, else what `further` and the command's own defaults do; not checked yet. */
  values(place: string, given: OptionValues, further: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
    const values: Record<string, unknown> = {};
    for (const [path, value] of Object.entries({ ...this.#settings.defaults, ...further })) put(values, path.split('.'), value);
    for (const field of this.fields) {
      const text: unknown = given[attributeOf(field)];
      const value = typeof text === 'string' ? valueOf(field.schema, text, `${place}: --${field.name}`) : text;
      put(values, field.path, value);
    }
    return values;
  }

  /** An error about a field of `kind` in the words of its flag: `trainClassifier: hidden …` is `adapt: --hidden …`; others as they are. */
  inWords(error: unknown, kind: string, place: string, given: OptionValues): unknown {
    if (!(error instanceof UserError) || !error.field.startsWith(`${kind}: `)) return error;
    const path = error.field.slice(kind.length + 2).split('.');
    return this.#at(path) ? this.#refusal(place, path, error.rule, given, error) : error;
  }

  /** One option; of a boolean two, of which help shows those that change something. */
  #optionsOf(field: Field): OfferingOption[] {
    const { defaultTexts = {}, hidden = [], suggestions = {} } = this.#settings;
    const path = field.path.join('.');
    const fallback = defaultTexts[path] ?? defaultText(this.#default(field)) ?? field.fallback;
    const text = helpText(field, fallback);
    const offer = valuesOffer(suggestions[path] ?? field.choices, isList(field.schema));
    if (!isBoolean(field.schema))
      return [new OfferingOption(`--${field.name} <${placeholder(field.schema)}>`, text, offer).hideHelp(hidden.includes(path))];
    return [true, false].map((value) =>
      new OfferingOption(`--${value ? '' : 'no-'}${field.name}`, text, offer).hideHelp(hidden.includes(path) || fallback === String(value)),
    );
  }

  /** The field at a path or around it; for an object as a whole, its first. */
  #at(path: Path): Field | undefined {
    const around = this.fields.find((field) => begins(path, field.path));
    return around ?? (path.length > 0 ? this.fields.find((field) => begins(field.path, path)) : undefined);
  }

  #default({ path }: Field): unknown {
    return this.#settings.defaults?.[path.join('.')];
  }

  #shown(field: Field, given: OptionValues): string {
    return String(given[attributeOf(field)] ?? this.#default(field) ?? field.fallback);
  }

  #refusal(place: string, path: Path, rule: string, given: OptionValues, cause?: unknown): UserError {
    const field = this.#at(path);
    if (!field) return new UserError(`${place}: ${path.join('.')}`, rule, undefined, { cause });
    const text: unknown = given[attributeOf(field)];
    return new UserError(`${place}: --${text === false ? 'no-' : ''}${field.name}`, rule, text ?? this.#default(field), { cause });
  }
}

/** `images in a step (sgd only; default: 128)` */
function helpText({ schema, choices, kinds }: Field, fallback: string | undefined): string {
  const notes = [
    ...(choices.length > 0 ? [`${isList(schema) ? 'of ' : ''}${choices.join(', ')}`] : []),
    ...(schema.unit ? [`in ${schema.unit}`] : []),
    ...(kinds ? [`${kinds.join(' and ')} only`] : []),
    ...(fallback ? [`default: ${fallback}`] : []),
  ];
  return [schema.description ?? '', ...(notes.length > 0 ? [`(${notes.join('; ')})`] : [])].join(' ').trim();
}

/** Sets a field of nested objects, making those on the way; nothing for undefined. */
function put(target: Record<string, unknown>, [first, ...rest]: Path, value: unknown): void {
  if (value === undefined) return;
  if (rest.length === 0) target[first] = value;
  else put((target[first] ??= {}) as Record<string, unknown>, rest, value);
}
