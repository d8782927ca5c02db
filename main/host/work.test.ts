/** Work that is interrupted: paused, called off, over an engine that dies, over a host that ends. What is kept goes on to the same numbers. */
import { expect, test } from 'vitest';
import type { Api } from './testing/window.ts';
import { brief, HostFixture, settled } from './testing/window.ts';
import { engineHere } from './testing/engineHere.ts';
import type { EngineProcess, SpawnEngine } from './spawn.ts';
import type { Work } from './hostApi.ts';
import { until } from './testing/until.ts';

/** A checkpoint as often as the loop looks. */
const long = (source: string): Work => ({ kind: 'train', parameters: brief(source, { epochs: 1000, checkpointSeconds: 0 }) });

/** Waits until something of the job is kept. */
async function checkpointed(api: Api, id: number): Promise<void> {
  await until(async () => (await api.jobs({})).find((job) => job.id === id)?.checkpoint !== undefined);
}

const models = async (api: Api) => (await api.snapshot({})).models.map(({ digest }) => digest);

test('paused and resumed, its host ended in between, its engine killed: the model is that of an undisturbed run', async () => {
  await using undisturbed = new HostFixture();
  const source = undisturbed.images();
  const calm = undisturbed.window().api;
  await calm.createSession({});
  expect(await settled(calm, (await calm.run(long(source))).id)).toMatchObject({ state: 'done', restarts: 0 });
  const expected = await models(calm);

  const engines: EngineProcess[] = [];
  const spawn: SpawnEngine = (events) => {
    engines.push(engineHere(events));
    return engines.at(-1)!;
  };
  let path: string;
  await using keeper = new HostFixture();
  {
    await using fixture = new HostFixture({ spawn }, keeper.folder);
    const { api } = fixture.window();
    ({ path } = await api.createSession({}));
    const { id } = await api.run(long(source));
    await checkpointed(api, id);
    await api.pause({ job: id });
    expect(await settled(api, id)).toMatchObject({ state: 'paused' });
    const { runs } = await api.snapshot({});
    expect(runs).toMatchObject([{ state: 'unfinished' }]);
    const [{ name, values }] = await api.series({ run: runs[0].key });
    expect([name, values.length > 0]).toEqual(['loss', true]);
    await api.resume({ job: id });
    await checkpointed(api, id);
  }
  await using fixture = new HostFixture({ spawn }, keeper.folder);
  const { api, events } = fixture.window();
  const { runs } = await api.openSession({ path });
  // What was begun is there, and can be asked for in its own words.
  const { id } = await api.run(runs[0].request);
  await checkpointed(api, id);
  engines.at(-1)!.kill();
  await until(async () => (await api.jobs({}))[0].restarts === 1);
  expect(await settled(api, id)).toMatchObject({ state: 'done', restarts: 1, key: runs[0].key });
  expect(await models(api)).toEqual(expected);
  expect((await api.log({ job: id })).map(({ text }) => text)).toContainEqual(
    'its engine ended (signal SIGKILL); another goes on from the last checkpoint',
  );
  expect(events.filter(({ type }) => type === 'problem')).toEqual([]);
});

test('a training counts the steps that it has; measuring has a share of the whole, and its steps stay done', async () => {
  await using fixture = new HostFixture();
  const { api, events } = fixture.window();
  await api.createSession({});
  const work = long(fixture.images());
  const { steps } = await api.plan(work);
  const { id } = await api.run(work);
  const done = await settled(api, id);
  const heard = events.flatMap((event) => (event.type === 'jobs' ? event.jobs : [])).filter(({ progress }) => progress);
  const seen = heard.filter(({ progress }) => progress!.stage !== 'images');
  expect(seen.length).toBeGreaterThan(0);
  expect([...new Set(seen.map(({ progress }) => progress!.total))]).toEqual([done.progress!.total]);
  if (steps !== undefined) expect(done.progress!.total).toBe(steps);
  expect(seen.every(({ progress }) => Number.isInteger(progress!.done))).toBe(true);
  expect(done).toMatchObject({ share: 1, progress: { done: done.progress!.total } });
  expect(Number.isInteger(done.kept)).toBe(true);
  for (const { share, progress, state } of seen)
    if (state === 'running' && progress!.done < progress!.total) expect(share).toBeCloseTo((0.95 * progress!.done) / progress!.total, 12);
  const shares = seen.map(({ share }) => share!);
  expect(shares).toEqual([...shares].sort((a, b) => a - b));
});

test('a failure is told with what is kept, and the window lives on', async () => {
  await using fixture = new HostFixture();
  const { api, events } = fixture.window();
  await api.createSession({});
  const diverging = { optimiser: { kind: 'adamw', learningRate: 1000, weightDecay: 0.0021 }, epochs: 1000 };
  const { id } = await api.run({ kind: 'train', parameters: brief(fixture.images(), diverging) });
  const { state, failure } = await settled(api, id);
  expect(state).toBe('failed');
  expect(failure!.message).toContain('must give finite numbers');
  await until(() => events.some(({ type }) => type === 'problem'));
  expect(events.find(({ type }) => type === 'problem')).toMatchObject({ failure });
  expect((await api.snapshot({})).models).toEqual([]);
});

test('what waits is called off at once; a host says how busy it is', async () => {
  await using fixture = new HostFixture({ cores: 1 });
  const busy: number[] = [];
  fixture.host.onBusy((jobs) => busy.push(jobs));
  const { api } = fixture.window();
  await api.createSession({});
  const source = fixture.images();
  const first = await api.run(long(source));
  const second = await api.run({ kind: 'train', parameters: brief(source, { seed: 8, epochs: 1000 }) });
  expect((await api.run(long(source))).id).not.toBe(second.id);
  await api.cancel({ job: second.id });
  expect(await settled(api, second.id)).toMatchObject({ state: 'cancelled' });
  await api.cancel({ job: first.id });
  for (const { id } of await api.jobs({})) {
    await api.cancel({ job: id });
    await settled(api, id);
  }
  await until(() => fixture.host.busy === 0);
  expect(busy.slice(0, 2)).toEqual([1, 2]);
  expect(busy.at(-1)).toBe(0);
});

test('an estimate goes by what such work took before', async () => {
  await using fixture = new HostFixture();
  const { api } = fixture.window();
  await api.createSession({});
  const source = fixture.images();
  const work = (epochs: number): Work => ({ kind: 'train', parameters: brief(source, { epochs }) });
  expect((await api.plan(work(4))).seconds).toBe(undefined);
  await settled(api, (await api.run(work(8))).id);
  const { runs } = await api.snapshot({});
  // 99 training images in batches of 20.
  const plan = await api.plan(work(4));
  expect(plan).toMatchObject({ runs: 1, steps: 4 * 5, stored: false });
  expect(plan.seconds).toBeCloseTo(runs[0].seconds! / 2, 9);
  expect((await api.plan(work(8))).stored).toBe(true);
  const analysis: Work = { kind: 'analyse', analysis: 'accuracy', models: [runs[0].model!], options: { angles: [10] } };
  expect((await api.plan(analysis)).seconds).toBeGreaterThan(0);
});
