/**
 * Work as a line for a terminal: the `gatescope` command that asks for the same. Its flags are those that the schema of the work gives the
 * command line, and only what is not the command's default is said.
 */
import { z } from 'zod';
import { routingAnalyses } from '../../../engine/analyses/routing/index.ts';
import { analyseRequest } from '../../../engine/jobs/analyse.ts';
import { analysePairsRequest } from '../../../engine/jobs/analysePairs.ts';
import { interpolateOptions } from '../../../engine/jobs/interpolateMode.ts';
import { trainOptions } from '../../../engine/jobs/trainClassifier.ts';
import { analyses } from '../../../engine/analyses/index.ts';
import { UserError } from '../../../engine/base/errors.ts';
import { canonicalDigest } from '../../store/canonical.ts';
import type { Session } from '../../store/session.ts';
import type { Work } from '../hostApi.ts';
import { protocolOf, type Requests } from '../work/requests.ts';
import { defaultText, fieldsOf, isBoolean, type Described, type Field } from './fields.ts';

/** Digits of a digest that the command line takes for it. */
const SHORT = 12;

/** @throws UserError for what it may not be, or what no flag says */
export function commandLine(work: Work, session: Session, requests: Requests): string {
  const prepared = requests.prepared(work); // refuses what may not be, and has every default filled in
  const file = ['--session', session.path];
  if (work.kind === 'protocol') {
    const { options } = prepared as Extract<typeof prepared, { of: 'protocol' }>;
    return line('run', work.protocol, ...file, ...flags(protocolOf(work.protocol).options, options));
  }
  const { parameters } = (prepared as Extract<typeof prepared, { of: 'request' }>).request as { parameters: Record<string, unknown> };
  if (work.kind === 'interpolate') {
    const other = work.other === undefined ? [] : ['--other', work.other.slice(0, SHORT)];
    return line('mode', ...file, '--model', work.model.slice(0, SHORT), ...other, ...flags(interpolateOptions, parameters, PUT_IN));
  }
  if (work.kind === 'train') {
    const said = flags(trainOptions, parameters, ['base', 'adapter'], { 'optimiser.kind': 'adam' });
    if (work.base === undefined) return line('train', ...file, ...said);
    return line('adapt', ...file, '--base', work.base.slice(0, SHORT), '--adapter', String(parameters.adapter), ...said);
  }
  if (work.kind === 'route') {
    const subjects = [work, ...(work.others ?? [])];
    const named = subjects.flatMap(({ model, pairs }) => ['--model', model.slice(0, SHORT), '--pairs', pairs.slice(0, SHORT)]);
    const { options } = routingAnalyses.find(({ id }) => id === work.analysis)!;
    const asked = flags(analysePairsRequest.pick({ seed: true }), parameters);
    return line('analyse', work.analysis, ...file, ...named, ...flags(options, parameters.options), ...asked);
  }
  const { options } = analyses.find(({ id }) => id === work.analysis)!;
  const models = work.models.flatMap((digest) => ['--model', digest.slice(0, SHORT)]);
  const asked = flags(analyseRequest, parameters, ['models', 'options']);
  return line('analyse', work.analysis, ...file, ...models, ...flags(options, parameters.options), ...asked);
}

/** What `gatescope mode` finds out itself. */
const PUT_IN = ['model', 'other', 'seed', 'data'];

/** @param otherwise what the command takes for fields of which the schema says no default */
function flags(
  schema: z.ZodType,
  values: unknown,
  omit: readonly string[] = [],
  otherwise: Readonly<Record<string, unknown>> = {},
): string[] {
  const described = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Described;
  return fieldsOf(described, omit).flatMap((field) => {
    // An object that may be left out is there as soon as one of its fields is said, and defaults alone say none.
    const whole = described.properties?.[field.path[0]];
    const isOptional = field.path.length > 1 && whole?.properties !== undefined && whole.default === undefined;
    const value = field.path.reduce<unknown>((inside, step) => (inside as Record<string, unknown> | undefined)?.[step], values);
    const fallback = otherwise[field.path.join('.')] ?? field.schema.default;
    if (value === undefined || (!isOptional && canonicalDigest(value) === canonicalDigest(fallback))) return [];
    return flag(field, value);
  });
}

function flag({ name, path, schema }: Field, value: unknown): string[] {
  if (isBoolean(schema)) return [`--${value === true ? '' : 'no-'}${name}`];
  const text = Array.isArray(value) ? value.join(',') : defaultText(value);
  if (text === undefined) throw new UserError(`commandLine: ${path.join('.')}`, 'must be what a flag can say', value);
  // A value that begins with a dash would be taken for a flag.
  return text.startsWith('-') ? [`--${name}=${text}`] : [`--${name}`, text];
}

const line = (...words: readonly string[]): string => ['gatescope', ...words].map(quoted).join(' ');

/** As a POSIX shell reads it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
