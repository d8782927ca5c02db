/** Language models in the window's host: apart from what views of image models show, and worked on by their digests. */
import { copyFileSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { Work } from './hostApi.ts';
import { HostFixture, settled } from './testing/window.ts';

const kept = fileURLToPath(new URL('../../fixtures/sessions/schema-2.gatescope', import.meta.url));
const older = fileURLToPath(new URL('../../fixtures/sessions/schema-1.gatescope', import.meta.url));

function opened(fixture: HostFixture, from: string): string {
  const path = fixture.at('sessions', 'study.gatescope');
  mkdirSync(dirname(path), { recursive: true });
  copyFileSync(from, path);
  return path;
}

test('a snapshot keeps them apart', async () => {
  await using fixture = new HostFixture();
  const { api } = fixture.window();
  const snapshot = await api.openSession({ path: opened(fixture, kept) });
  expect(snapshot.models.map(({ label }) => label)).toEqual(['foundation', 'dopamine']);
  expect(snapshot.runs.map(({ kind }) => kind)).toEqual(['train']);
  expect(snapshot.results.map(({ analysis }) => analysis)).toEqual(['firing']);
  const { models, pairs, runs, results } = snapshot.routing;
  expect(models.map(({ label, embedded }) => [label, embedded])).toEqual([
    ['policy', true],
    ['tiny', false],
  ]);
  expect(pairs).toMatchObject([{ pairs: 2, length: 3 }]);
  expect(runs).toMatchObject([{ kind: 'trainPolicy', hidden: false }]);
  expect(results).toMatchObject([{ analysis: 'siteSweep', options: { sites: 'L*H*' }, hidden: false }]);
  expect(fixture.bugs).toEqual([]);
});

test('a session of the first schema has none, and is brought up to date', async () => {
  await using fixture = new HostFixture();
  const snapshot = await fixture.window().api.openSession({ path: opened(fixture, older) });
  expect(snapshot.routing).toEqual({ models: [], pairs: [], runs: [], results: [] });
  expect(snapshot.notice).toMatch(/was brought up to date; as it was, it is kept in .*study\.schema-1\.gatescope$/);
});

test('an analysis is planned, run, looked up and undone by digests', async () => {
  await using fixture = new HostFixture();
  const { api } = fixture.window();
  const { routing } = await api.openSession({ path: opened(fixture, kept) });
  const [{ digest: model }] = routing.models;
  const [{ digest: pairs }] = routing.pairs;
  const work: Work = { kind: 'route', analysis: 'siteSweep', model, pairs, options: { permutations: 99, resamples: 100 }, seed: 1 };
  const plan = await api.plan(work);
  expect(plan).toMatchObject({ stored: false, runs: 1 });
  expect(await api.lookUp({ works: [work] })).toEqual([{ key: plan.key, state: 'absent' }]);
  expect(await api.commandLine(work)).toMatch(
    /^gatescope analyse siteSweep --session \S+ --model f4ec5826b266 --pairs ee47339dd735 --permutations 99 --resamples 100 --seed 1$/,
  );
  const job = await api.run(work);
  expect(job.title).toBe('siteSweep: policy');
  expect(await settled(api, job.id)).toMatchObject({ state: 'done' });
  expect(await api.lookUp({ works: [work] })).toEqual([{ key: plan.key, state: 'stored' }]);
  const findings = await api.findings({ key: plan.key! });
  expect(findings.axes.cell.values).toEqual(['L0H0', 'L0H1']);
  const after = await api.snapshot({});
  expect(after.routing.results.at(-1)).toMatchObject({
    key: plan.key,
    languageModels: [{ digest: model }],
    pairSets: [pairs],
    options: { permutations: 99 },
  });
  expect(after.results).toHaveLength(1);
  await api.undo({});
  expect(await api.lookUp({ works: [work] })).toEqual([{ key: plan.key, state: 'hidden' }]);
});

test('what is not there, or does not fit, is refused', async () => {
  await using fixture = new HostFixture();
  const { api } = fixture.window();
  const { routing, models } = await api.openSession({ path: opened(fixture, kept) });
  const [{ digest: model }, { digest: elsewhere }] = routing.models;
  const [{ digest: pairs }] = routing.pairs;
  const asked = { kind: 'route', analysis: 'siteSweep', model, pairs } as const;
  await expect(api.plan({ ...asked, analysis: 'firing' })).rejects.toThrow(/^route: analysis must be one of .*siteSweep/);
  await expect(api.plan({ ...asked, model: models[0].digest })).rejects.toThrow(
    /^siteSweep: model must be the digest of a language model of this session/,
  );
  await expect(api.plan({ ...asked, pairs: model })).rejects.toThrow(/must hold the pairs/);
  await expect(api.plan({ ...asked, analysis: 'rescue' })).rejects.toThrow(/^rescue: pairs must have the arms sensitive, control, cipher/);
  await expect(api.plan({ ...asked, options: { donor: 'friend' } })).rejects.toThrow(/^siteSweep: donor must be "pair"/);
  // Planned by its digest alone; that its folder is not there is found when it is run.
  expect(await api.plan({ ...asked, model: elsewhere })).toMatchObject({ stored: false });
  const { id } = await api.run({ ...asked, model: elsewhere });
  expect(await settled(api, id)).toMatchObject({
    state: 'failed',
    failure: { message: 'siteSweep: model: folder must exist, got "/models/tiny"' },
  });
});

test('forms of analyses and protocols are described', async () => {
  await using fixture = new HostFixture();
  const { routing, protocols } = await fixture.window().api.describe({});
  expect(routing.analyses.find(({ id }) => id === 'siteSweep')).toMatchObject({
    arms: ['sensitive', 'control'],
    others: { least: 0, most: 0 },
  });
  expect(routing.protocols.map(({ id }) => id)).toEqual(['tier-a', 'tier-b', 'tier-c']);
  expect(routing.protocols[1].fields.find(({ path }) => path === 'orthogonal')).toMatchObject({ kind: 'flag', fallback: true });
  expect(protocols.map(({ id }) => id)).toEqual(['dopamine']);
});
