/** Forms that say what the schema says; lines for a terminal that ask for the same work. */
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { trainOptions } from '../../../engine/jobs/trainClassifier.ts';
import { adapterOf } from '../../../engine/models/adapters/index.ts';
import { here } from '../../cli/testing/here.ts';
import { Session } from '../../store/session.ts';
import type { Work } from '../hostApi.ts';
import { brief, HostFixture, settled } from '../testing/window.ts';
import { description } from './description.ts';
import { fieldsOf } from './fields.ts';
import { presets } from './presets.ts';

/** A field's path as nested objects. */
function nested(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const made: Record<string, unknown> = {};
  for (const [path, value] of Object.entries(values)) {
    const steps = path.split('.');
    const holder = steps
      .slice(0, -1)
      .reduce<Record<string, unknown>>((inside, step) => (inside[step] ??= {}) as Record<string, unknown>, made);
    holder[steps.at(-1)!] = value;
  }
  return made;
}

test('the training form: every field of the schema that a person fills in, with its range, default and place', () => {
  const { training } = description();
  const byPath = new Map(training.map((field) => [field.path, field]));
  expect(byPath.get('epochs')).toEqual({
    path: 'epochs',
    label: 'Epochs',
    kind: 'integer',
    help: 'how often every image is seen',
    least: 1,
    most: 1000,
    choices: [],
    fallback: 2,
    section: 'Run',
  });
  expect(byPath.get('optimiser.kind')).toMatchObject({
    kind: 'choice',
    choices: ['adam', 'adamw', 'sgd'],
    fallback: 'adam',
    section: 'Run',
  });
  expect(byPath.get('optimiser.momentum')).toMatchObject({ when: { path: 'optimiser.kind', values: ['sgd'] }, section: 'More' });
  expect(byPath.get('hidden')).toMatchObject({ kind: 'list', least: 1, most: 65_536, fallback: [256, 128], section: 'Foundation' });
  expect(byPath.get('temperature.end')).toMatchObject({
    when: { path: 'temperature.kind', values: ['geometric', 'linear'] },
    section: 'Gate',
  });
  expect(byPath.get('angles')).toMatchObject({ unit: '°', kind: 'list' });
  expect(new Set(training.map(({ section }) => section))).toEqual(new Set(['Foundation', 'Gate', 'Run', 'More']));
  expect(training.every(({ label, help }) => label !== '' && help !== '')).toBe(true);
  expect(new Set(training.map(({ label }) => label)).size).toBe(training.length);
});

test('a least and a most are what the schema refuses to pass', () => {
  const valid = { seed: 0, optimiser: { kind: 'adam', learningRate: 0.1 } };
  for (const { path, kind, least, most } of description().training) {
    if ((kind !== 'integer' && kind !== 'number') || path.startsWith('optimiser.') || path === 'temperature.end') continue;
    const parse = (value: number) => trainOptions.safeParse({ ...valid, ...nested({ [path]: value }) }).success;
    if (least !== undefined) expect([parse(least), parse(least - 1)], `${path} least`).toEqual([true, false]);
    if (most !== undefined) expect([parse(most), parse(most + 1)], `${path} most`).toEqual([true, false]);
  }
});

test('presets are trainings that the schema takes, of fields of the form', () => {
  const paths = new Set(description().training.map(({ path }) => path));
  for (const { name, values: all } of presets) {
    const { adapters, modeAngles, seeds, ...values } = all;
    for (const list of [adapters, modeAngles, seeds]) expect((list as unknown[]).length, name).toBeGreaterThan(0);
    for (const id of adapters as string[]) expect(adapterOf(id).id).toBe(id);
    expect(
      Object.keys(values).filter((path) => !paths.has(path)),
      name,
    ).toEqual([]);
    expect(trainOptions.safeParse({ ...nested(values) }).success, name).toBe(true);
  }
});

test('analyses, protocols and adapters are all described', () => {
  const { analyses, protocols, adapters } = description();
  expect(analyses.map(({ id }) => id)).toContain('interchange');
  expect(analyses.every(({ fields, title }) => title !== '' && fields.every(({ help }) => help !== ''))).toBe(true);
  expect(analyses.find(({ id }) => id === 'accuracy')!.models).toEqual({ least: 1, adapter: 'optional' });
  expect(protocols[0].fields.find(({ path }) => path === 'seeds')).toMatchObject({ kind: 'list', range: true, fallback: [0] });
  expect(protocols[0].fields.find(({ path }) => path === 'parts')).toMatchObject({ kind: 'choices' });
  expect(adapters.map(({ id }) => id)).toEqual(expect.arrayContaining(['dopamine', 'gain', 'lora-r<n>', 'full']));
  expect(adapters.every(({ help, title }) => help !== '' && title !== '')).toBe(true);
});

test('fields of one name are never two', () => {
  expect(() => fieldsOf({ oneOf: [{ properties: { a: { type: 'string' } } }] })).toThrow('must be told apart by a constant');
});

/** Words as a shell makes them of the line. */
function wordsOf(line: string): string[] {
  const words = execFileSync('sh', ['-c', `printf '%s\\0' ${line}`])
    .toString()
    .split('\0')
    .slice(0, -1);
  expect(words[0]).toBe('gatescope');
  return words.slice(1);
}

test('the line for a terminal asks for the very same: the command line finds it done', async () => {
  await using fixture = new HostFixture();
  const { api } = fixture.window();
  const { path } = await api.createSession({ path: fixture.at(`it's a "study" of $HOME.gatescope`) });
  const source = fixture.images();
  const run = async (work: Work) => settled(api, (await api.run(work)).id);
  const done: { work: Work; line: string; key: string }[] = [];
  const next = async (work: Work) => {
    const { state, key, failure } = await run(work);
    expect({ state, failure }, JSON.stringify(work)).toEqual({ state: 'done' });
    done.push({ work, key: key!, line: await api.commandLine(work) });
    return (await api.snapshot({})).models;
  };
  await next({
    kind: 'train',
    parameters: brief(source, { measure: {}, optimiser: { kind: 'sgd', learningRate: 0.1, momentum: 0.9, nesterov: true } }),
  });
  const [{ digest: base }] = await next({ kind: 'train', parameters: brief(source, { seed: 4, angles: [-45, 0], stage: '-- a name' }) });
  const models = await next({
    kind: 'train',
    base,
    parameters: {
      adapter: 'dopamine+two-sided',
      angles: [45],
      epochs: 2,
      batch: 20,
      sparsity: 0.1,
      temperature: { kind: 'linear', start: 1, end: 0.1 },
    },
  });
  const mode = models.at(-1)!.digest;
  await next({ kind: 'analyse', analysis: 'firing', models: [mode], options: { angles: [-10, 45] } });
  await next({ kind: 'analyse', analysis: 'accuracy', models: models.map(({ digest }) => digest), data: { source } });
  await next({ kind: 'protocol', protocol: 'dopamine', options: { seeds: [1], adapters: ['gain'], parts: [], data: { source } } });
  await api.closeSession({});
  await fixture.host.release(path, 'test');
  for (const { line, key, work } of done) {
    const { code, stdout, stderr, engines } = await here([...wordsOf(line), '--json']);
    expect({ code, stderr, engines }, line).toEqual({ code: 0, stderr: '', engines: 0 });
    const told = JSON.parse(stdout) as { run?: string; key?: string };
    if (work.kind !== 'protocol') expect(told.run ?? told.key, line).toBe(key);
  }
  using session = Session.open(path, 'read');
  expect(session.runs()).toHaveLength(new Set(session.runs().map(({ key }) => key)).size);
});
