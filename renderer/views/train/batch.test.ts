import { afterEach, describe, expect, it } from 'vitest';
import type { Job, Known, Snapshot, Work } from '../../../main/host/hostApi.ts';
import { job } from '../../testing/fakeData.ts';
import { fakeApp, type Fake } from '../../testing/fakeHost.ts';
import { fixture } from '../../testing/fixtures.ts';
import { settled } from '../../testing/picture.ts';
import { merged, readyOf, type Batch } from './batch.ts';
import { batchRunner } from './batchRunner.svelte.ts';

const foundation = (seed: number): Work => ({ kind: 'train', parameters: { seed } });
const adapter = (seed: number, id: string): Work => ({ kind: 'train', parameters: { seed, adapter: id } });
const part = (seed: number, ids: readonly string[] = ['dopamine', 'gain']) => ({
  foundation: foundation(seed),
  adapters: ids.map((id) => adapter(seed, id)),
});
const two: Batch = { parts: [part(0), part(1)] };

describe('batch', () => {
  it('gives adapters their foundation as soon as it is there', () => {
    expect(readyOf(two, [{ state: 'underWay' }, { state: 'ready', model: 'abc' }])).toEqual([
      { ...adapter(1, 'dopamine'), base: 'abc' },
      { ...adapter(1, 'gain'), base: 'abc' },
    ]);
    expect(readyOf(two, [{ state: 'gone' }, { state: 'underWay' }])).toEqual([]);
  });

  it('adds to a batch that is under way without asking twice', () => {
    expect(merged(two, { parts: [part(1, ['gain', 'bias']), part(2)] })).toEqual({
      parts: [part(0), part(1, ['dopamine', 'gain', 'bias']), part(2)],
    });
  });
});

describe('batch runner', () => {
  let jobs: Job[] = [];
  let stored = new Set<string>();
  const keyOf = (work: Work): string => JSON.stringify(work);

  /** A host that trains what it is told to be done with. */
  async function open(
    views: Snapshot['views'] = {},
    gates: { readonly lookUp?: Promise<void>; readonly run?: Promise<void> } = {},
  ): Promise<Fake> {
    const fake = fakeApp({
      snapshot: { ...fixture<Snapshot>('snapshot'), runs: [], views },
      answers: {
        lookUp: async ({ works }) => {
          const found = works.map((work): Known => {
            const key = keyOf(work);
            const running = jobs.some((one) => keyOf(one.work) === key && one.state === 'running');
            return { key, state: stored.has(key) ? 'stored' : running ? 'running' : 'absent' };
          });
          await gates.lookUp;
          return found;
        },
        run: async (work) => {
          const fresh = job(jobs.length + 1, { work, state: 'running' });
          jobs = [...jobs, fresh];
          fake.setJobs(jobs);
          await gates.run;
          return fresh;
        },
      },
    });
    await expect.poll(() => fake.app.link.state).toBe('open');
    await fake.app.open('/home/ada/Gatescope/Dopamine on MNIST.gatescope');
    return fake;
  }

  function finish(fake: Fake, work: Work, state: Job['state'] = 'done'): void {
    if (state === 'done') {
      stored.add(keyOf(work));
      const run = { ...fixture<Snapshot>('snapshot').runs[0], key: keyOf(work), model: `model of ${keyOf(work)}` };
      fake.change({ runs: [...fake.app.session!.runs, run] });
    }
    jobs = jobs.map((one) => (keyOf(one.work) === keyOf(work) ? { ...one, state } : one));
    fake.setJobs(jobs);
  }

  const asked = (fake: Fake): unknown[] => fake.calls.filter(({ method }) => method === 'run').map(({ given }) => given);

  afterEach(() => {
    jobs = [];
    stored = new Set();
  });

  it('queues foundations, and the adapters of each when it is done', async () => {
    const fake = await open();
    await batchRunner(fake.app).begin(two);
    expect(asked(fake)).toEqual([foundation(0), foundation(1)]);
    finish(fake, foundation(1));
    await expect
      .poll(() => asked(fake).slice(2))
      .toEqual(part(1).adapters.map((work) => ({ ...work, base: `model of ${keyOf(foundation(1))}` })));
    expect(batchRunner(fake.app).batch).toEqual({ parts: [part(0)] });
    finish(fake, foundation(0));
    await expect.poll(() => batchRunner(fake.app).batch).toBeUndefined();
    expect(asked(fake)).toHaveLength(6);
  });

  /** One part is ready; the host answers what is asked of its foundation, or of its adapters, when `go` is called. */
  async function held(method: 'lookUp' | 'run'): Promise<{ fake: Fake; go: () => void }> {
    let go = (): void => undefined;
    const gate = new Promise<void>((resolve) => (go = resolve));
    stored.add(keyOf(foundation(0)));
    const fake = await open({ 'train.batch': { parts: [part(0)] } }, { [method]: gate });
    fake.change({ runs: [{ ...fixture<Snapshot>('snapshot').runs[0], key: keyOf(foundation(0)), model: 'there' }] });
    batchRunner(fake.app);
    await expect.poll(() => fake.calls.some((call) => call.method === method)).toBe(true);
    return { fake, go };
  }

  it('keeps what is asked for while another part is looked up', async () => {
    const { fake, go } = await held('lookUp');
    const begun = batchRunner(fake.app).begin({ parts: [part(1)] });
    await expect.poll(() => asked(fake)).toEqual([foundation(1)]);
    go();
    await begun;
    await expect.poll(() => asked(fake)).toHaveLength(3);
    await settled();
    expect(batchRunner(fake.app).batch).toEqual({ parts: [part(1)] });
  });

  it('takes nothing of a session into another that is opened meanwhile', async () => {
    const { fake, go } = await held('run');
    await fake.app.open('/home/ada/Gatescope/Another.gatescope');
    go();
    await settled();
    await settled();
    expect(asked(fake)).toHaveLength(1);
    expect(fake.app.session!.views['train.batch']).toEqual({ parts: [part(0)] });
  });

  it('goes on with a batch that an earlier window left, also if its foundation came to its end meanwhile', async () => {
    stored.add(keyOf(foundation(0)));
    const fake = await open({ 'train.batch': { parts: [part(0)] } });
    fake.change({ runs: [{ ...fixture<Snapshot>('snapshot').runs[0], key: keyOf(foundation(0)), model: 'there' }] });
    batchRunner(fake.app);
    await expect.poll(() => asked(fake)).toEqual(part(0).adapters.map((work) => ({ ...work, base: 'there' })));
  });

  it('says when a foundation was called off: it is trained again, or its adapters are left out', async () => {
    const fake = await open();
    const runner = batchRunner(fake.app);
    await runner.begin(two);
    finish(fake, foundation(0), 'cancelled');
    await expect.poll(() => runner.states.map(({ state }) => state)).toEqual(['gone', 'underWay']);
    await runner.restartStalled();
    expect(asked(fake).slice(2)).toEqual([foundation(0)]);
    finish(fake, foundation(0), 'failed');
    jobs = jobs.filter(({ state }) => state === 'running');
    fake.setJobs(jobs);
    await expect.poll(() => runner.states.map(({ state }) => state)).toEqual(['gone', 'underWay']);
    await runner.dropStalled();
    await settled();
    expect(runner.batch).toEqual({ parts: [part(1)] });
  });
});
