/** A person's errand through the host with real engines: train, adapt, analyse, look, close, open again and find the same. */
import { expect, test } from 'vitest';
import { UserError } from '../../engine/base/errors.ts';
import { brief, HostFixture, settled } from './testing/window.ts';
import type { HostWindow } from './host.ts';
import type { Snapshot, Work } from './hostApi.ts';
import { until } from './testing/until.ts';

/** Without what is told of the moment. */
const lasting = ({ saved: _saved, ...snapshot }: Snapshot) => snapshot;

test('train, adapt, analyse; closed and opened again, everything is as it was', async () => {
  await using fixture = new HostFixture({ grace: 0 });
  const { api, events } = fixture.window();
  const { path, name, writable } = await api.createSession({});
  expect({ path, name, writable }).toEqual({ path: fixture.at('sessions', 'Untitled.gatescope'), name: 'Untitled', writable: true });
  const foundation: Work = { kind: 'train', parameters: brief(fixture.images(), { measure: { every: 5, images: 20 } }) };
  const job = await api.run(foundation);
  expect(job).toMatchObject({ title: 'foundation, seed 3', restarts: 0, work: foundation });
  const done = await settled(api, job.id);
  expect(done).toMatchObject({ state: 'done', progress: { done: 40, total: 40 } });
  const { models, runs, results } = await api.snapshot({});
  expect(models).toMatchObject([
    { title: 'foundation, seed 3', gated: false, hidden: false, parameters: 36 * 8 + 8 + 8 * 6 + 6 + 6 * 3 + 3 },
  ]);
  expect(runs).toMatchObject([{ key: done.key, state: 'done', model: models[0].digest }]);

  const adapt: Work = { kind: 'train', base: models[0].digest, parameters: { adapter: 'dopamine', angles: [45], epochs: 4, batch: 20 } };
  await settled(api, (await api.run(adapt)).id);
  const second = await api.snapshot({});
  const mode = second.models[1];
  expect(mode).toMatchObject({ title: 'dopamine, seed 3', gated: true, lambda: 0, parameters: 28, data: models[0].data });
  expect(mode.temperature).toEqual([Math.fround(0.2), Math.fround(0.2)]);

  expect(second.runs.map(({ seed }) => seed)).toEqual([3, 3]); // an adapter's is its base's unless told otherwise
  // The table's figures are those of the accuracy analyses that came with the trainings.
  const { summary } = second.runs[1];
  expect(results[0].analysis).toBe('accuracy');
  const { axes, measures } = await api.findings({ key: second.results[1].key });
  expect(axes.form.values).toEqual(['base', 'soft', 'hard']);
  const found = Array.from(measures.accuracy.data);
  expect(['0', '45'].flatMap((angle) => [summary.base[angle], summary.soft[angle], summary.hard[angle]])).toEqual([
    found[0],
    found[2],
    found[4],
    found[1],
    found[3],
    found[5],
  ]);
  expect(summary.images).toBe(21);

  const firing: Work = { kind: 'analyse', analysis: 'firing', models: [mode.digest] };
  await settled(api, (await api.run(firing)).id);
  expect(await api.lookUp({ works: [firing, { ...firing, options: { angles: [0] } }] })).toMatchObject([
    { state: 'stored' },
    { state: 'absent' },
  ]);
  await api.setView({ name: 'modes.sort', value: { by: 'gain' } });
  await api.addNote({ subject: { kind: 'model', key: mode.digest, unit: 'L0U2' }, text: 'the third' });

  const before = lasting(await api.snapshot({}));
  expect(before.views).toEqual({ 'modes.sort': { by: 'gain' } });
  await api.closeSession({});
  await expect(api.snapshot({})).rejects.toThrow('snapshot: session must be open in this window');
  await until(() => fixture.host.opened(path) === undefined);
  expect(lasting(await api.openSession({ path }))).toEqual(before);
  // What is asked for again is there: every run's own words lead to it.
  expect(await api.lookUp({ works: before.runs.map(({ request }) => request) })).toEqual(
    before.runs.map(({ key }) => ({ key, state: 'stored' })),
  );
  expect((await api.plan(before.runs[1].request)).stored).toBe(true);
  expect(events.some(({ type }) => type === 'problem')).toBe(false);
  expect(fixture.bugs).toEqual([]);
});

test('curves: points while it runs, and in the end the series as stored, which they are part of', async () => {
  await using fixture = new HostFixture();
  const { api, events } = fixture.window();
  await api.createSession({ name: 'curves' });
  const work: Work = { kind: 'train', parameters: brief(fixture.images(), { measure: { every: 10, images: 20 } }) };
  const { id } = await api.run(work);
  const { key } = await settled(api, id);
  const series = new Map((await api.series({ run: key! })).map((one) => [one.name, one.values]));
  expect([...series.keys()].sort()).toEqual(['accuracy 0°', 'accuracy 45°', 'loss']);
  expect([series.get('loss')!.length, series.get('loss')!.every((loss) => loss > 0)]).toEqual([40, true]);
  await until(() => events.some((event) => event.type === 'points' && event.points.some(({ at }) => at === 40)));
  for (const event of events)
    if (event.type === 'points')
      for (const { at, values } of event.points)
        for (const [name, value] of Object.entries(values))
          expect(series.get(name)![name === 'loss' ? at - 1 : at], `${name} at ${at}`).toBe(value);
  await until(() => events.findLast((event) => event.type === 'jobs')?.jobs[0]?.state === 'done');
});

test('an interpolated mode is a run with a model, and measured; a protocol is undone as a whole', async () => {
  await using fixture = new HostFixture();
  const { api } = fixture.window();
  await api.createSession({});
  const source = fixture.images();
  await settled(api, (await api.run({ kind: 'train', parameters: brief(source) })).id);
  const base = (await api.snapshot({})).models[0].digest;
  await settled(api, (await api.run({ kind: 'train', base, parameters: { adapter: 'dopamine', angles: [45], epochs: 2, batch: 20 } })).id);
  const mode = (await api.snapshot({})).models[1].digest;
  const half: Work = { kind: 'interpolate', model: mode, share: 0.5, stage: 'half way' };
  expect(await settled(api, (await api.run(half)).id)).toMatchObject({ state: 'done' });
  const { models, runs } = await api.snapshot({});
  expect(models[2]).toMatchObject({ label: 'half way', adapter: 'dopamine', base, data: models[0].data });
  expect(Object.keys(runs[2].summary.hard)).toEqual(['0', '45']);
  expect(await api.lookUp({ works: [runs[2].request] })).toEqual([{ key: runs[2].key, state: 'stored' }]);

  const protocol: Work = {
    kind: 'protocol',
    protocol: 'dopamine',
    options: { seeds: [1], adapters: ['gain'], parts: [], data: { source } },
  };
  expect(await api.plan(protocol)).toMatchObject({ runs: 3, stored: false });
  expect(await settled(api, (await api.run(protocol)).id)).toMatchObject({ state: 'done' });
  const after = await api.snapshot({});
  const report = after.results.find(({ analysis }) => analysis === 'dopamine')!;
  expect((await api.findings({ key: report.key })).claims!.length).toBeGreaterThan(0);
  expect(after.history.undo).toEqual({ label: 'Run dopamine' });
  await api.undo({});
  const undone = await api.snapshot({});
  const shown = (rows: readonly { key: string; hidden: boolean }[]) => rows.filter(({ hidden }) => !hidden).map(({ key }) => key);
  expect(shown(undone.runs)).toEqual(runs.map(({ key }) => key));
  expect(shown(undone.results)).not.toContain(report.key);
  expect(undone.models.slice(3).every(({ hidden }) => hidden)).toBe(true);
  expect(await api.lookUp({ works: [protocol] })).toMatchObject([{ state: 'hidden' }]);
  // Asked for again it is shown again, without computing.
  await settled(api, (await api.run(protocol)).id);
  expect(shown((await api.snapshot({})).results)).toContain(report.key);
});

test('work that may not be is refused when it is asked for, naming the field', async () => {
  await using fixture = new HostFixture();
  const { api } = fixture.window();
  await api.createSession({});
  const nobody = 'f'.repeat(64);
  const mistakes: [Work, string][] = [
    [{ kind: 'train', parameters: { epochs: 0 } }, 'trainClassifier: epochs must be an integer in [1, 1000], got 0'],
    [{ kind: 'train', base: nobody, parameters: { adapter: 'gain' } }, 'train: base must be the digest of a model of this session'],
    [{ kind: 'train', parameters: { data: { source: 3 } } }, 'train: data must be the source of images'],
    [{ kind: 'train', parameters: { data: { source: 'nowhere' } } }, 'train: data.source must be a whole path, got "nowhere"'],
    [{ kind: 'analyse', analysis: 'nosuch', models: [] }, 'analyse: analysis must be one of accuracy'],
    [{ kind: 'analyse', analysis: 'firing', models: [] }, 'firing: models must be 1, got 0'],
    [{ kind: 'protocol', protocol: 'nosuch', options: {} }, 'run: protocol must be one of dopamine'],
    [{ kind: 'interpolate', model: nobody, share: 2 }, 'interpolate: model must be the digest of a model of this session'],
  ];
  for (const [work, message] of mistakes)
    for (const ask of [api.run, api.plan]) {
      const error: unknown = await ask(work).catch((caught: unknown) => caught);
      expect(error, JSON.stringify(work)).toBeInstanceOf(UserError);
      expect((error as Error).message).toContain(message);
    }
  expect(await api.jobs({})).toEqual([]);
});

test('a session that is just being closed is opened again when it is, to be written to', async () => {
  await using fixture = new HostFixture();
  const { api } = fixture.window();
  const { path } = await api.createSession({});
  await api.closeSession({});
  const window: HostWindow = { session: undefined, send: () => undefined };
  const [, opened] = await Promise.all([fixture.host.release(path, 'test'), fixture.host.attach(window, path)]);
  expect(opened.snapshot().writable).toBe(true);
});
