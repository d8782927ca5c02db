/** A researcher's errands in a session: the same numbers whenever they are asked for, and nothing computed twice. */
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { UserError } from '../../engine/base/errors.ts';
import { Session } from '../store/session.ts';
import { command } from './testing/command.ts';
import { here, type Ended } from './testing/here.ts';
import { BRIEF, done, json, overview, refused, SMALL, Study, type Overview } from './testing/study.ts';
import { withEngines } from './work.ts';

let study: Study;
let session: string;
let images: string;
let folder: string;
const at = (name: string) => study.at(name);
let first: Ended[];
beforeAll(async () => {
  study = new Study();
  ({ session, images, folder } = study);
  first = await study.work(session);
});
afterAll(() => study[Symbol.dispose]());

test('what was done is there, with titles that can be read', async () => {
  const { models, runs, results } = await overview(session);
  expect(models.map(({ title }) => title)).toEqual([
    'foundation 0°+45°, seed 3',
    'dopamine+two-sided 45° on foundation 0°+45°, seed 3',
    'gain 45° on foundation 0°+45°, seed 3',
  ]);
  expect(runs.map(({ state }) => state)).toEqual(['done', 'done', 'done']);
  expect(results.map(({ analysis }) => analysis)).toEqual(['accuracy', 'firing']);
  for (const { key, digest } of results)
    expect([key, digest]).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/), expect.stringMatching(/^[0-9a-f]{64}$/)]);
});

test('the same request is answered from the session, without an engine', async () => {
  expect(first.map(({ engines }) => engines)).toEqual([1, 1]);
  const before = await overview(session);
  const again = [
    await done('analyse', 'accuracy', '--session', session, '--model', 'all', '--angles', '0,45'),
    await done('analyse', 'firing', '--session', session, '--model', 'dopamine+two-sided', '--json'),
    await done('train', '--session', session, '--data', images, '--angles', '0,45', '--seed', '3', ...SMALL),
  ];
  expect(again.map(({ engines }) => engines)).toEqual([0, 0, 0]);
  expect(again.slice(0, 2).map(({ stdout }) => stdout)).toEqual(first.map(({ stdout }) => stdout));
  expect(again[2].stdout).toBe(`${before.models[0].digest}  foundation 0°+45°, seed 3\n`);
  expect(await overview(session)).toEqual(before);
});

test('what was done is in the log of actions, once', () => {
  using opened = Session.open(session, 'read');
  expect(opened.actions().map(({ verb }) => verb)).toEqual(['train', 'adapt', 'adapt', 'analyse', 'analyse']);
});

test('the same seed in another file gives the same digests; another seed others', async () => {
  await study.work(at('again.gatescope'));
  const [one, other] = [await overview(session), await overview(at('again.gatescope'))];
  const digests = ({ models, results }: Overview) => [...models, ...results].map(({ digest }) => digest);
  expect(digests(other)).toEqual(digests(one));
  expect(other.results.map(({ key }) => key)).toEqual(one.results.map(({ key }) => key));
  const { digest } = json(
    await done('train', '--session', at('again.gatescope'), '--data', images, '--angles', '0,45', '--seed', '4', '--json', ...SMALL),
  ) as {
    digest: string;
  };
  expect(digests(one)).not.toContain(digest);
});

test('a protocol keeps what it did in a session, and answers again from it', async () => {
  const file = at('protocol.gatescope');
  const words = ['run', 'dopamine', '--seeds', '0,1', '--adapters', 'dopamine,gain', '--parts', '', '--data', images, '--session', file];
  const ran = await done(...words);
  expect(ran.stdout).toMatch(/^ {3}1 {2}dopamine +768 +hard /m);
  const kept = await overview(file);
  expect(kept.models).toHaveLength(6);
  expect(kept.results.at(-1)!.analysis).toBe('dopamine');
  const again = await done(...words);
  expect({ stdout: again.stdout, engines: again.engines }).toEqual({ stdout: ran.stdout, engines: 0 });
  expect(await overview(file)).toEqual(kept);
  // What a protocol trained, train finds again.
  const { stdout, engines } = await done('train', '--session', file, '--data', images, '--angles', '0,45', '--seed', '1');
  expect({ engines, isKnown: kept.models.some(({ digest }) => stdout.startsWith(digest)) }).toEqual({ engines: 0, isKnown: true });
  expect((await done('show', file, kept.results.at(-1)!.key)).stdout).toMatch(/^ {3}1 +dopamine +hard +[\d.]+ +[\d.]+$/m);
  expect(await refused('show', file, 'dopamine')).toMatch(
    /^show: id must mean one of model .* dopamine, model .* dopamine, run .*, result /,
  );
});

test('processes and engines of their own give the digest that is given here', async () => {
  const file = at('processes.gatescope');
  expect(await command('new', file)).toMatchObject({ code: 0, stdout: `${file}\n`, stderr: '' });
  const { code, stdout } = await command(
    'train',
    '--session',
    file,
    '--data',
    images,
    '--angles',
    '0,45',
    '--seed',
    '3',
    '--cores',
    '1',
    ...SMALL,
  );
  expect({ code, stdout }).toEqual({ code: 0, stdout: `${(await overview(session)).models[0].digest}  foundation 0°+45°, seed 3\n` });
});

describe('show', () => {
  test('the whole, for people', async () => {
    const { stdout } = await done('show', session);
    for (const part of ['a study', 'Models', 'gain 45° on foundation 0°+45°, seed 3', 'Runs', 'Results', 'accuracy', 'own.npz'])
      expect(stdout).toContain(part);
  });

  test('a result as it was printed when it was computed', async () => {
    const [{ key }] = (await overview(session)).results;
    const { stdout } = await done('show', session, key.slice(0, 8));
    expect(stdout).toContain(first[0].stdout.split('\nresult ')[0]);
    const shown = json(await done('show', session, (await overview(session)).results[1].key, '--json')) as { findings: unknown };
    expect(shown.findings).toEqual((json(first[1]) as { findings: unknown }).findings);
  });

  test('images by the name of where they were read', async () => {
    const { results, corpora } = json(await done('show', session, '--json')) as {
      results: { key: string }[];
      corpora: { digest: string }[];
    };
    const [{ digest }] = corpora;
    const { stdout } = await done('show', session, results[0].key);
    expect(stdout).toMatch(new RegExp(`^data +own\\.npz \\(${digest.slice(0, 12)}\\)$`, 'm'));
    const shown = json(await done('show', session, results[0].key, '--json')) as { findings: { facts: { data: string } } };
    expect(shown.findings.facts.data).toBe(digest);
  });

  test('a run with its series, and a model with its tensors', async () => {
    const { runs, models } = await overview(session);
    expect((await done('show', session, runs[1].key)).stdout).toMatch(/loss +nats +\d+ /);
    const { series } = json(await done('show', session, runs[1].key, '--json')) as { series: { name: string; values: number[] }[] };
    expect(series.map(({ name }) => name)).toEqual(['loss', 'temperature']);
    expect(series[0].values.every(Number.isFinite)).toBe(true);
    const { stdout } = await done('show', session, models[1].digest.slice(0, 10));
    expect(stdout).toContain('dopamine+two-sided, 28 numbers');
    expect(stdout).toMatch(/adapter.layers.1.gate.gain +6 +6 /);
  });

  test('a file that is only to be read, and while another process writes', async () => {
    const copy = at('read-only.gatescope');
    copyFileSync(session, copy);
    chmodSync(copy, 0o400);
    const expected = await overview(session);
    expect(await overview(copy)).toEqual(expected);
    using writer = Session.open(session, 'write');
    expect(writer.writable).toBe(true);
    expect(await overview(session)).toEqual(expected);
    expect(
      (json(await done('ls', folder, '--json')) as { path: string; state: string }[]).find(({ path }) => path === session)!.state,
    ).toBe('locked');
  });

  test('names that mean nothing, or several things', async () => {
    expect(await refused('show', session, 'gian 45° on foundation 0°+45°, seed 3')).toContain(
      '(nearest: "gain 45° on foundation 0°+45°, seed 3")',
    );
    expect(await refused('show', session, 'acuracy')).toContain('(nearest: "accuracy")');
    const other = at('again.gatescope');
    expect(await refused('show', other, 'foundation')).toMatch(/must mean one of .*foundation.*foundation/);
  });
});

describe('notes', () => {
  test('are written, changed, listed and removed', async () => {
    const file = at('notes.gatescope');
    copyFileSync(session, file);
    await done('note', file, 'session', 'begun on a', 'rainy day');
    await done('note', file, 'gain', 'odd', '--unit', 'L0U7');
    const [marked] = json(await done('note', file, 'accuracy', '--bookmark', '--json')) as { id: number; bookmark: boolean }[];
    expect(marked).toMatchObject({ id: 3, bookmark: true, text: '' });
    await done('note', file, '--edit', '2', 'not odd at all');
    await done('note', file, '--edit', '3', '--no-bookmark', 'the table of the talk');
    expect((await done('note', file)).stdout).toMatch(
      /session +begun on a rainy day[^]*L0U7 +not odd at all[^]*result .*the table of the talk/,
    );
    expect((await done('show', file, 'gain 45° on foundation 0°+45°, seed 3')).stdout).toContain('not odd at all');
    await done('note', file, '--remove', '1');
    expect((await overview(file)).notes.map(({ id }) => id)).toEqual([2, 3]);
    using opened = Session.open(file, 'read');
    const log = opened.actions().slice(5);
    expect(log.map(({ verb }) => verb)).toEqual(['note', 'note', 'note', 'edit note', 'edit note', 'remove note']);
    expect(log[1].arguments).toMatchObject({ note: 2, subject: { kind: 'model', unit: 'L0U7' } });
    expect(log.at(-2)!.arguments).toEqual({ note: 3, changed: ['text', 'bookmark'] });
    expect(log.at(-1)!.arguments).toEqual({ note: 1 });
    expect(JSON.stringify(log)).not.toContain('rainy');
  });

  test('mistakes', async () => {
    expect(await refused('note', session, 'gain', 'x', '--unit', 'L0U8')).toBe(
      'note: --unit must be one of gain (nearest: "L0U0"), got "L0U8"',
    );
    expect(await refused('note', session, 'gain')).toBe('note: text must say something, unless it is a bookmark, got ""');
    expect(await refused('note', session, 'gian', 'x')).toContain('(nearest: ');
    expect(await refused('note', session, '--edit', '1', '--remove', '2')).toBe('note: --edit must not be given with --remove, got "1"');
    expect(await refused('note', session, '--edit', 'one', 'x')).toBe('note: --edit must be the number of a note, got "one"');
    expect(await refused('note', session, '--edit', '9', 'x')).toBe('note: id must be that of a note of this session, got 9');
    expect(await refused('note', session, '--bookmark')).toMatch(/^note: subject must be given/);
  });
});

test('ls tells what is below, and in which state', async () => {
  mkdirSync(at('deep'));
  writeFileSync(at('deep/damaged.gatescope'), readFileSync(session).subarray(0, 5000));
  writeFileSync(at('deep/notes.txt'), '');
  writeFileSync(`${session}-lock`, ''); // what a killed writer leaves behind locks nobody out
  const listed = json(await done('ls', folder, '--json')) as { path: string; state: string; problem?: string; results?: number }[];
  expect(listed.find(({ path }) => path === session)).toMatchObject({ state: 'ready', models: 3, runs: 3, results: 2, name: 'a study' });
  expect(listed.find(({ path }) => path.includes('damaged'))).toMatchObject({
    state: 'damaged',
    problem: expect.stringContaining('must be whole') as string,
  });
  expect(listed.map(({ path }) => path)).toEqual([...listed.map(({ path }) => path)].sort());
  expect((await done('ls', at('deep'))).stdout).toMatch(/^damaged.gatescope .*damaged: must be whole/m);
  mkdirSync(at('empty'));
  expect((await done('ls', at('empty'))).stdout).toBe(`no sessions below ${at('empty')}\n`);
});

test('doctor reads every number of a session', async () => {
  expect((await done('doctor', session)).stdout).toMatch(/session +ok +.*is whole/);
  const broken = at('broken.gatescope');
  copyFileSync(session, broken);
  {
    const { default: Database } = await import('better-sqlite3');
    const database = new Database(broken);
    database.exec('UPDATE tensor_chunks SET content = zeroblob(length(content)) WHERE rowid = (SELECT max(rowid) FROM tensor_chunks)');
    database.close();
  }
  const { code, stdout, stderr } = await here(['doctor', broken]);
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: expect.stringMatching(/^gatescope: doctor: .* must be whole, got \[problem 1/) as string,
  });
  expect(stdout).toMatch(/problem 1 +broken +.*not its own/);
});

test('what a disk did not take is told as that, and not logged as done', async () => {
  const file = at('full.gatescope');
  copyFileSync(session, file);
  const before = await overview(file);
  const refuse = () => {
    throw new UserError('session: file', 'must have room', 'disk full');
  };
  const spies = (['saveTraining', 'saveAnalysis'] as const).map((name) => vi.spyOn(Session.prototype, name).mockImplementation(refuse));
  const words = [
    ['train', '--session', file, '--data', images, '--seed', '9', ...SMALL],
    ['adapt', '--session', file, '--base', 'foundation', '--adapter', 'bias', '--angles', '45', ...BRIEF],
    ['analyse', 'accuracy', '--session', file, '--model', 'gain'],
  ];
  const ended: Ended[] = [];
  for (const some of words) ended.push(await here(some));
  for (const spy of spies) spy.mockRestore();
  for (const { code, stdout, stderr } of ended)
    expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: '', stderr: 'gatescope: session: file must have room, got "disk full"\n' });
  expect(await overview(file)).toEqual(before);
  using opened = Session.open(file, 'read');
  expect(opened.actions()).toHaveLength(5);
});

test('work that fails after something was lost tells what was lost', async () => {
  const lost = new UserError('session: file', 'must have room', 'disk full');
  using opened = Session.open(session, 'write');
  const setting = { cores: 1, signal: new AbortController().signal, spawn: () => expect.fail('no engine is needed') };
  const work = withEngines(opened, setting, async ({ lose }) => {
    lose(lost);
    throw new TypeError('cannot read what is not there');
  });
  await expect(work).rejects.toBe(lost);
});

test('an adapter has the seed of its base unless another is given', async () => {
  const file = at('seeds.gatescope');
  copyFileSync(session, file);
  const { engines } = await done('adapt', '--session', file, '--base', 'foundation', '--adapter', 'gain', '--angles', '45', ...BRIEF);
  expect(engines).toBe(0); // the one that was trained with --seed 3
  expect((await done('adapt', '--help')).stdout.replace(/\s+/g, ' ')).toContain("(default: the base's)");
});

test('an interruption keeps what is done', async () => {
  const file = at('interrupted.gatescope');
  await done('new', file);
  const { code, stderr } = await here(['train', '--session', file, '--data', images, ...SMALL], { signal: AbortSignal.abort() });
  expect({ code, stderr }).toEqual({ code: 130, stderr: 'gatescope: interrupted; the same command goes on from where it was\n' });
  expect((await overview(file)).models).toEqual([]);
});
