/**
 * The next run as a person sets it, and what it comes to as work: a foundation, adapters on one that is there, or both in one go, for every
 * seed. Only what was changed is kept; whether a value is allowed is the host's to say.
 */
import type { Description, FormField, Work } from '../../../main/host/hostApi.ts';
import { choiceOf } from './adapters.ts';

export type Trained = 'foundation' | 'adapters' | 'both';

export interface TrainForm {
  readonly preset?: string;
  readonly trained?: Trained;
  /** The foundation that adapters are trained on. */
  readonly base?: string;
  readonly adapters?: readonly string[];
  /** `0-4`, `0, 3` */
  readonly seeds?: string;
  /** Of the mode that adapters are trained on. */
  readonly modeAngles?: string;
  /** Of all adapters, where each should not have its own. */
  readonly adapterRate?: string;
  /** What differs from where the preset begins, by path. */
  readonly values: Readonly<Record<string, unknown>>;
}

/** What the form keeps besides values of fields. */
export const OWN = ['trained', 'adapters', 'seeds', 'modeAngles', 'adapterRate'] as const;
export type OwnName = (typeof OWN)[number];

/** Where `0-4` stands for all between, and a number for itself. */
const LONGEST_RANGE = 1000;

/** Fields that the form has controls of its own for. */
export const OWN_FIELDS = ['adapter', 'base', 'seed', 'stage', 'data.source', 'data.digest'];
/** Of foundations only. */
const FOUNDATION_ONLY = ['hidden', 'angles', 'optimiser.learningRate'];
/** Of adapters with gates only. */
const GATE_ONLY = ['temperature.', 'sparsity'];
/** Measured while training, unless somebody wants none of it. */
const MEASURE = { every: 50, images: 2000, angles: [0, 45] };

/** What the form reads of what the host describes. */
export type Described = Pick<Description, 'training' | 'adapters' | 'data' | 'presets'>;

export class FormReading {
  readonly form: TrainForm;
  readonly description: Described;

  constructor(form: TrainForm, description: Described) {
    this.form = form;
    this.description = description;
  }

  /** Where the form begins. */
  get preset(): Description['presets'][number] | undefined {
    const { presets } = this.description;
    return presets.find(({ name }) => name === this.form.preset) ?? presets[0];
  }

  /** A setting that is no field of training: of the form, else of the preset. */
  #own<T>(name: OwnName, otherwise: T): T {
    return (this.form[name] ?? this.preset?.values[name] ?? otherwise) as T;
  }

  get trained(): Trained {
    return this.#own<Trained>('trained', 'both');
  }

  get adapters(): readonly string[] {
    const given = this.#own<readonly string[]>('adapters', []);
    return given.length > 0 || this.form.adapters
      ? given
      : this.description.adapters
          .filter(({ open }) => !open)
          .slice(0, 1)
          .map(({ id }) => id);
  }

  get seedsText(): string {
    const given = this.#own<unknown>('seeds', '0');
    return Array.isArray(given) ? given.join(', ') : String(given);
  }

  get modeAnglesText(): string {
    const given = this.#own<unknown>('modeAngles', '45');
    return Array.isArray(given) ? given.join(', ') : String(given);
  }

  /** Of a field as it stands before anybody changes it. */
  startOf(field: Pick<FormField, 'path' | 'fallback'>): unknown {
    return this.preset?.values[field.path] ?? measureDefault(field.path) ?? field.fallback;
  }

  valueOf(field: Pick<FormField, 'path' | 'fallback'>): unknown {
    return field.path in this.form.values ? this.form.values[field.path] : this.startOf(field);
  }

  /** Empty: each has its own. */
  get adapterRateText(): string {
    return textOfValue(this.#own<unknown>('adapterRate', ''));
  }

  /** What the first adapter is trained with unless told otherwise. */
  get ownRate(): number | undefined {
    const [first] = this.adapters;
    return first === undefined ? undefined : choiceOf(first, this.description.adapters)?.learningRate;
  }

  /** Whether it stands in the form now: fields of gates are not there where nothing gated is trained. */
  shows(field: FormField): boolean {
    if (OWN_FIELDS.includes(field.path)) return false;
    if (this.trained === 'adapters' && FOUNDATION_ONLY.includes(field.path)) return false;
    if (GATE_ONLY.some((prefix) => field.path.startsWith(prefix)) && !this.gated) return false;
    if (!field.when) return true;
    const other = this.description.training.find(({ path }) => path === field.when!.path);
    return field.when.values.includes(String(this.valueOf(other ?? { path: field.when.path })));
  }

  get gated(): boolean {
    return this.trained !== 'foundation' && this.adapters.some((id) => this.#isGated(id));
  }

  #isGated(adapter: string): boolean {
    return choiceOf(adapter, this.description.adapters)?.gated ?? false;
  }

  /** How many things differ from the preset. */
  get changes(): readonly string[] {
    const { values } = this.form;
    const own = OWN.filter((name) => this.form[name] !== undefined);
    return [...Object.keys(values), ...own];
  }

  /** @throws RangeProblem for a text that is no list of seeds */
  get seeds(): readonly number[] {
    return parseSeeds(this.seedsText);
  }

  /** What a foundation of this seed is trained with. */
  foundation(seed: number): Work {
    return { kind: 'train', parameters: this.#parameters(seed, undefined) };
  }

  /** @param base digest of its foundation; without it, only for its cost */
  adapter(id: string, seed: number, base?: string): Work {
    return { kind: 'train', parameters: this.#parameters(seed, id), ...(base !== undefined && { base }) };
  }

  /** Only what somebody has set: the host fills in the rest, as it does for the command line. */
  #parameters(seed: number, adapter: string | undefined): Record<string, unknown> {
    const parameters: Record<string, unknown> = {};
    for (const { path, ...field } of this.description.training) {
      if (path.startsWith('measure.') || !this.shows({ path, ...field })) continue;
      if (adapter !== undefined && FOUNDATION_ONLY.includes(path)) continue;
      // The gates' own settings are refused where there are none; rivals without gates are trained without them.
      if (GATE_ONLY.some((prefix) => path.startsWith(prefix)) && (adapter === undefined || !this.#isGated(adapter))) continue;
      const value = path in this.form.values ? this.form.values[path] : this.preset?.values[path];
      if (value !== undefined && value !== '') put(parameters, path, value);
    }
    // An adapter is trained on what its foundation was, unless somebody says otherwise.
    const source = this.trained === 'adapters' ? this.form.values['data.source'] : this.valueOf({ path: 'data.source' });
    if (typeof source === 'string') put(parameters, 'data.source', source);
    if (adapter !== undefined) {
      parameters.angles = valuesOfList(this.modeAnglesText);
      if (this.adapterRateText !== '') put(parameters, 'optimiser.learningRate', asNumber(this.adapterRateText));
    }
    if (this.#measures) {
      for (const name of ['every', 'images'] as const)
        put(parameters, `measure.${name}`, this.valueOf({ path: `measure.${name}` }) ?? MEASURE[name]);
      put(parameters, 'measure.angles', this.form.values['measure.angles'] ?? this.#measuredAngles);
    }
    return { ...parameters, seed, ...(adapter !== undefined && { adapter }) };
  }

  /** Those of the foundation and those of the mode. */
  get #measuredAngles(): unknown {
    const own = this.valueOf({ path: 'angles' });
    return [...new Set([...(Array.isArray(own) ? (own as unknown[]) : MEASURE.angles), ...valuesOfList(this.modeAnglesText)])];
  }

  /** Steps between measurements of 0 or nothing: none are taken. */
  get #measures(): boolean {
    const every = this.valueOf({ path: 'measure.every' }) ?? MEASURE.every;
    return every !== '' && every !== 0;
  }
}

const measureDefault = (path: string): unknown =>
  path.startsWith('measure.') ? MEASURE[path.slice('measure.'.length) as keyof typeof MEASURE] : undefined;

function put(into: Record<string, unknown>, path: string, value: unknown): void {
  const keys = path.split('.');
  const last = keys.pop()!;
  const place = keys.reduce((inside, key) => (inside[key] ??= {}) as Record<string, unknown>, into);
  place[last] = value;
}

/** The text of a field cannot be what the field is. */
export class TextProblem extends Error {}

/** `0-4`, `0–4, 7` @throws TextProblem */
export function parseSeeds(text: string): number[] {
  const seeds = text
    .split(/[,\s]+/)
    .filter(Boolean)
    .flatMap((part) => {
      const [, first, last = first] = /^(\d+)(?:[-–](\d+))?$/.exec(part) ?? [];
      if (first === undefined) throw new TextProblem(`Seeds must be whole numbers such as 0 or 0-4, got ${part}`);
      const [from, to] = [Number(first), Number(last)];
      if (to < from || to - from >= LONGEST_RANGE) throw new TextProblem(`Seeds must rise, at most ${LONGEST_RANGE} of them, got ${part}`);
      return Array.from({ length: to - from + 1 }, (_entry, i) => from + i);
    });
  if (seeds.length === 0) throw new TextProblem('Seeds must name at least one');
  return [...new Set(seeds)];
}

/** `0, 45°`: what is no number stays a text, for the host to refuse. */
export const valuesOfList = (text: string): (number | string)[] =>
  text
    .replaceAll('\u2212', '-')
    .replaceAll('°', '')
    .split(/[,;\s]+/)
    .filter(Boolean)
    .map(asNumber);

/** What a person typed as the field's value: a text that is none of its kind stays one, for the host to refuse. */
export function valueOfText(field: FormField, text: string): unknown {
  const trimmed = text.trim().replaceAll('\u2212', '-');
  if (trimmed === '') return undefined;
  if (field.kind === 'integer' || field.kind === 'number') return asNumber(trimmed);
  if (field.kind === 'list') return valuesOfList(trimmed);
  return trimmed;
}

const asNumber = (text: string): number | string => (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : text);

export function textOfValue(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (Array.isArray(value)) return value.map(textOfValue).join(', ');
  if (typeof value === 'number') return numberText(value);
  return typeof value === 'string' || typeof value === 'boolean' ? String(value) : '';
}

/** As one would type it: `1e-4` rather than 0.0001. */
const numberText = (value: number): string =>
  (value !== 0 && Math.abs(value) < 0.001 ? value.toExponential().replace('e+', 'e') : String(value)).replace(/^-/, '\u2212');

/** The field that an error is about: `trainClassifier: optimiser.learningRate` is about `optimiser.learningRate`. */
export const pathOfError = (field: string): string => field.slice(field.indexOf(': ') + 1).trim();

/** `must be an integer in [1, 1000]` under its own field: `Must be an integer in [1, 1000], got 0`. */
export const errorUnderField = (rule: string, value: string): string => `${rule.charAt(0).toUpperCase()}${rule.slice(1)}, got ${value}`;
