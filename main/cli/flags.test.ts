/** Every schema that becomes flags: what is written on the command line is what the schema gets, and what it refuses is told by flag. */
import { Command } from 'commander';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { analyses } from '../../engine/analyses/index.ts';
import { UserError } from '../../engine/base/errors.ts';
import { between, wholeBetween } from '../../engine/base/schema.ts';
import { optimiserSchema } from '../../engine/execute/optimisers/spec.ts';
import { trainOptions } from '../../engine/jobs/trainClassifier.ts';
import { protocols } from '../../engine/protocols/index.ts';
import { defaultText, type Described, type Field } from '../host/describe/fields.ts';
import { Flags } from './flags.ts';

const everything = z.strictObject({
  seeds: z
    .array(wholeBetween(0, Number.MAX_SAFE_INTEGER), 'must be a list')
    .min(1, 'must name a seed')
    .default([0])
    .meta({ description: 'seeds', range: true }),
  angle: between(-360, 360).optional().meta({ description: 'how far it is turned', unit: '°' }),
  layers: z
    .array(z.enum(['first', 'second'], 'must be "first" or "second"'))
    .default([])
    .meta({ description: 'which layers' }),
  centred: z.boolean().default(true).meta({ description: 'about the mean' }),
  doubled: z.boolean().default(false).meta({ description: 'twice' }),
  cut: z
    .union([z.literal('auto'), between(0, 1)], 'must be "auto" or a number in [0, 1]')
    .default('auto')
    .meta({ description: 'where to cut' }),
  optimiser: optimiserSchema.meta({ description: 'how to go down' }),
  anneal: z
    .strictObject({
      kind: z.enum(['constant', 'linear', 'geometric', 'cosine'], 'must be a kind').default('constant'),
      startAt: between(0, 9).default(2).meta({ description: 'where it starts' }),
    })
    .prefault({})
    .meta({ description: 'how it anneals' }),
});
const flagsOfEverything = () => new Flags(everything, { defaults: { 'optimiser.kind': 'adam', 'optimiser.learningRate': 0.001 } });

/** What a command with these flags gives for these words. */
function parsed<S extends z.ZodType>(flags: Flags<S>, words: readonly string[], more: Record<string, unknown> = {}): z.output<S> {
  const command = flags.addTo(new Command('try').exitOverride().configureOutput({ writeErr: () => undefined }));
  command.parse([...words], { from: 'user' });
  return flags.parse('try', command.opts(), more);
}

test('help tells what the schema says', () => {
  const command = flagsOfEverything().addTo(new Command('try'));
  expect(command.helpInformation()).toMatchInlineSnapshot(`
    "Usage: try [options]

    Options:
      --seeds <list>              seeds (default: 0)
      --angle <number>            how far it is turned (in °)
      --layers <list>             which layers (of first, second; default: none)
      --no-centred                about the mean (default: true)
      --doubled                   twice (default: false)
      --cut <number>              where to cut (default: auto)
      --optimiser <choice>        how to go down (adam, adamw, sgd; default: adam)
      --learning-rate <number>    size of a step (default: 0.001)
      --beta1 <number>            decay of the mean of the gradient (adam and adamw
                                  only; default: 0.9)
      --beta2 <number>            decay of the mean of the squared gradient (adam
                                  and adamw only; default: 0.999)
      --epsilon <number>          what is added to the root of the mean square (adam
                                  and adamw only; default: 1e-8)
      --weight-decay <number>     pull of the parameters towards 0 (default: 0,
                                  adamw: 0.01)
      --momentum <number>         share of the step before that is kept (sgd only;
                                  default: 0)
      --nesterov                  momentum that looks ahead (sgd only; default:
                                  false)
      --anneal <choice>           how it anneals (constant, linear, geometric,
                                  cosine; default: constant)
      --anneal-start-at <number>  where it starts (default: 2)
      -h, --help                  display help for command
    "
  `);
});

describe('texts become values', () => {
  test.each<[string[], Record<string, unknown>]>([
    [['--seeds', '0-3, 7'], { seeds: [0, 1, 2, 3, 7] }],
    [['--seeds', '5-5'], { seeds: [5] }],
    [['--angle', '-45'], { angle: -45 }],
    [['--angle=1e1'], { angle: 10 }],
    [['--layers', 'second,first'], { layers: ['second', 'first'] }],
    [['--layers', ''], { layers: [] }],
    [['--no-centred', '--doubled'], { centred: false, doubled: true }],
    [['--cut', '.5'], { cut: 0.5 }],
    [['--cut', 'auto'], { cut: 'auto' }],
    [['--anneal', 'linear', '--anneal-start-at', '3'], { anneal: { kind: 'linear', startAt: 3 } }],
    [
      ['--optimiser', 'sgd', '--learning-rate', '0.1', '--momentum', '0.9', '--nesterov'],
      { optimiser: { kind: 'sgd', learningRate: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0 } },
    ],
  ])('%j', (words, expected) => expect(parsed(flagsOfEverything(), words)).toMatchObject(expected));

  test('nothing given is the defaults', () => {
    expect(parsed(flagsOfEverything(), [])).toEqual(everything.parse({ optimiser: { kind: 'adam', learningRate: 0.001 } }));
  });
});

describe('what is refused is told by flag', () => {
  test.each([
    [['--seeds', 'x'], '--seeds must be an integer in [0, 9007199254740991], got "x"'],
    [['--seeds', ''], '--seeds must name a seed, got ""'],
    [['--seeds', '3-1'], '--seeds must have ranges that rise, of at most 1000 entries, got "3-1"'],
    [['--seeds', '0-1000'], '--seeds must have ranges that rise, of at most 1000 entries, got "0-1000"'],
    [['--angle', '400'], '--angle must be a number in [-360, 360], got "400"'],
    [['--angle', 'Infinity'], '--angle must be a number in [-360, 360], got "Infinity"'],
    [['--angle', '0x10'], '--angle must be a number in [-360, 360], got "0x10"'],
    [['--angle', ''], '--angle must be a number in [-360, 360], got ""'],
    [['--layers', 'first,third'], '--layers must be "first" or "second", got "first,third"'],
    [['--cut', '2'], '--cut must be a number in [0, 1], got "2"'],
    [['--anneal', 'no'], '--anneal must be a kind, got "no"'],
    [['--optimiser', 'no'], '--optimiser must be "adam", "adamw" or "sgd", got "no"'],
    [['--momentum', '0.9'], '--momentum must not be given with --optimiser adam, got "0.9"'],
    [['--optimiser', 'sgd', '--beta1', '0.5'], '--beta1 must not be given with --optimiser sgd, got "0.5"'],
    [['--optimiser', 'sgd', '--nesterov'], '--momentum must be above 0 with nesterov, got undefined'],
    [['--learning-rate', '-1'], '--learning-rate must be a number in [0, 1000], got "-1"'],
  ])('%j', (words, message) => expect(() => parsed(flagsOfEverything(), words)).toThrow(`try: ${message}`));
});

test('an error about a field becomes one about its flag', () => {
  const flags = flagsOfEverything();
  const of = (field: string, given = {}) => flags.inWords(new UserError(field, 'must be good', 3), 'kind', 'try', given);
  expect(of('kind: anneal.startAt', { annealStartAt: '3' })).toMatchObject({ message: 'try: --anneal-start-at must be good, got "3"' });
  expect(of('kind: anneal')).toMatchObject({ message: 'try: --anneal must be good, got undefined' });
  expect(of('kind: models')).toMatchObject({ message: 'kind: models must be good, got 3' });
  expect(of('other: angle')).toMatchObject({ message: 'other: angle must be good, got 3' });
  const bug = new Error('kind: angle');
  expect(flags.inWords(bug, 'kind', 'try', {})).toBe(bug);
});

test('two fields of one name, and a field that no text can say, are bugs', () => {
  const twice = z.strictObject({
    size: z.number(),
    choice: z.discriminatedUnion('kind', [z.strictObject({ kind: z.literal('a'), size: z.number() })]),
  });
  expect(() => new Flags(twice)).toThrow('--size would stand for two fields');
  expect(() => new Flags(z.strictObject({ tensor: z.instanceof(Float32Array) }))).toThrow('tensor has no form that a text could say');
});

const specs: [string, z.ZodType, { omit?: string[]; defaults?: Record<string, unknown> }][] = [
  ['everything', everything, { defaults: { 'optimiser.kind': 'adam', 'optimiser.learningRate': 0.001 } }],
  ['train', trainOptions, { omit: ['base'], defaults: { 'optimiser.kind': 'adam', 'optimiser.learningRate': 0.001, seed: 0 } }],
  ...protocols.map(({ id, options }): (typeof specs)[number] => [`run ${id}`, options, {}]),
  ...analyses.map(({ id, options }): (typeof specs)[number] => [`analyse ${id}`, options, {}]),
];

describe.each(specs)('%s', (_name, schema, settings) => {
  const flags = () => new Flags(schema, settings);

  test('has a description for every flag, in 80 columns', () => {
    expect(
      flags()
        .fields.filter(({ schema: { description = '' } }) => description === '')
        .map(({ name }) => name),
    ).toEqual([]);
    const help = flags().addTo(new Command('try')).helpInformation();
    for (const line of help.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
  });

  test('what is written is what the schema gets', () => {
    const words = fc.tuple(...flags().fields.map((field) => fc.option(likely(field), { nil: undefined })));
    fc.assert(
      fc.property(words, (values) => {
        const given = flags().fields.flatMap((field, i) => (values[i] === undefined ? [] : [{ field, value: values[i] }]));
        const object = nested([
          ...Object.entries(settings.defaults ?? {}).map(([path, value]) => ({ path: path.split('.'), value })),
          ...given.map(({ field, value }) => ({ path: field.path, value })),
        ]);
        const expected = schema.safeParse(object);
        const run = () =>
          parsed(
            flags(),
            given.flatMap(({ field, value }) => written(field, value)),
          );
        if (expected.success) expect(run()).toEqual(expected.data);
        else
          expect(run).toThrow(expect.objectContaining({ name: 'UserError', field: expect.stringMatching(/^try: --/) as string }) as Error);
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  test('whatever is written is taken or refused by flag', () => {
    const fields = flags().fields.filter(({ schema: { type } }) => type !== 'boolean');
    if (fields.length === 0) return;
    const texts = fc.oneof(
      fc.string(),
      fc.string({ unit: fc.constantFrom(...'0123456789.,-+e °') }),
      fc.constantFrom('NaN', '1e999', '__proto__', '٣'),
    );
    fc.assert(
      fc.property(fc.constantFrom(...fields), texts, ({ name }, text) => {
        try {
          parsed(flags(), [`--${name}`, text]);
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
          const { message } = error as UserError;
          expect(message).toMatch(/^try: --/);
          if (message.startsWith(`try: --${name} `)) expect(message.endsWith(`, got ${JSON.stringify(text)}`), message).toBe(true);
        }
      }),
      { numRuns: 200, seed: 1 },
    );
  });
});

/** Values that a field may well take, and some that it must not. */
function likely({ schema }: Field): fc.Arbitrary<unknown> {
  const of = (described: Described & { minimum?: number; maximum?: number }): fc.Arbitrary<unknown> => {
    const { type, enum: values, anyOf, items, minimum = -1000, maximum = 1000 } = described;
    if (values) return fc.constantFrom(...values);
    if (anyOf) return fc.oneof(...anyOf.map(of));
    if ('const' in described) return fc.constant(described.const);
    if (type === 'array') return fc.array(of(items!), { maxLength: 3 });
    if (type === 'boolean') return fc.boolean();
    if (type === 'integer') return fc.integer({ min: Math.max(-10, minimum - 1), max: Math.min(5000, maximum) });
    if (type === 'number') return fc.double({ min: minimum, max: maximum, noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
    return fc.constantFrom('dopamine', 'lora-r4', 'mnist', 'a word');
  };
  return of(schema);
}

function written({ name }: Field, value: unknown): string[] {
  if (typeof value === 'boolean') return [value ? `--${name}` : `--no-${name}`];
  return [`--${name}`, Array.isArray(value) && value.length === 0 ? '' : defaultText(value)!];
}

function nested(entries: readonly { path: readonly string[]; value: unknown }[]): Record<string, unknown> {
  const whole: Record<string, unknown> = {};
  for (const { path, value } of entries) {
    let inside = whole;
    for (const step of path.slice(0, -1)) inside = (inside[step] ??= {}) as Record<string, unknown>;
    inside[path.at(-1)!] = value;
  }
  return whole;
}
