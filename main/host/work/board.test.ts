/** Jobs: how they begin, rest, go on, fail and end, whatever it is that they do. */
import { expect, test } from 'vitest';
import { Cancelled, throwIfCancelled, UserError, type Failure } from '../../../engine/base/errors.ts';
import type { Work } from '../hostApi.ts';
import { JobBoard, type Task, type TaskContext } from './board.ts';

const work: Work = { kind: 'protocol', protocol: 'walk', options: {} };

/** A task that does what the test says, when it says so. */
class Puppet {
  context: TaskContext | undefined;
  runs = 0;
  #end: ((error?: Error) => void) | undefined;
  readonly task: Task;

  constructor(key?: string) {
    this.task = {
      title: 'a walk',
      work,
      ...(key !== undefined && { key }),
      run: (context) => {
        this.context = context;
        this.runs++;
        return new Promise((resolve, reject) => {
          this.#end = (error) => (error ? reject(error) : resolve());
          context.signal.addEventListener('abort', () => reject(new Cancelled()));
        });
      },
    };
  }

  async end(error?: Error): Promise<void> {
    this.#end!(error);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function board() {
  let ticks = 0;
  let ids = 0;
  let changes = 0;
  const failures: [Failure, string][] = [];
  const made = new JobBoard({
    clock: () => new Date(1e12 + 1000 * ticks++),
    nextId: () => ++ids,
    onChange: () => changes++,
    onFailure: (failure, kept) => failures.push([failure, kept]),
  });
  return { board: made, failures, changes: () => changes };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('waits until it is heard of, runs, and is done', async () => {
  const { board: jobs, changes } = board();
  const puppet = new Puppet();
  expect(jobs.begin(puppet.task)).toMatchObject({ id: 1, state: 'waiting', title: 'a walk', restarts: 0, work });
  expect(jobs.busy).toBe(1);
  puppet.context!.known('k');
  puppet.context!.progress({ stage: 'walk', done: 3, total: 10 });
  expect(jobs.jobs).toMatchObject([{ key: 'k', state: 'running', progress: { done: 3 } }]);
  expect(jobs.isRunning('k')).toBe(true);
  const before = changes();
  await puppet.end();
  expect(changes()).toBeGreaterThan(before);
  expect(jobs.jobs).toMatchObject([{ state: 'done', progress: { done: 10, total: 10 }, ended: expect.any(String) as string }]);
  expect([jobs.busy, jobs.isRunning('k')]).toEqual([0, false]);
  expect(() => jobs.resume(1)).toThrow('resume: job must not be done');
  jobs.dismiss(1);
  expect(jobs.jobs).toEqual([]);
  expect(() => jobs.log(1)).toThrow(UserError);
});

test('rests and goes on from what is stored; the log says so', async () => {
  const { board: jobs } = board();
  const puppet = new Puppet('k');
  const { id } = jobs.begin(puppet.task);
  puppet.context!.progress({ stage: 'walk', done: 3, total: 10 });
  puppet.context!.checkpointed();
  puppet.context!.checkpointed();
  jobs.pause(id);
  await turn();
  expect(jobs.jobs).toMatchObject([{ state: 'paused', checkpoint: expect.any(String) as string }]);
  expect(jobs.jobs[0].ended).toBe(undefined);
  expect(jobs.busy).toBe(0);
  expect(() => jobs.dismiss(id)).not.toThrow();
  const again = jobs.begin(puppet.task);
  jobs.pause(again.id);
  await turn();
  jobs.resume(again.id);
  expect(puppet.runs).toBe(3);
  expect(jobs.jobs[0].state).toBe('waiting');
  await puppet.end();
  expect(jobs.jobs[0].state).toBe('done');
  expect(jobs.log(again.id).map(({ text }) => text)).toEqual(['asked for: a walk', 'paused', 'goes on', 'done']);
});

test('of checkpoints in a row the log keeps the last', async () => {
  const { board: jobs } = board();
  const puppet = new Puppet();
  const { id } = jobs.begin(puppet.task);
  for (const done of [3, 5]) {
    puppet.context!.progress({ stage: 'walk', done, total: 10 });
    puppet.context!.checkpointed();
  }
  puppet.context!.restarted('signal SIGKILL');
  expect(jobs.jobs[0].restarts).toBe(1);
  expect(jobs.log(id).map(({ text }) => text)).toEqual([
    'asked for: a walk',
    'walk',
    'checkpoint stored (5 of 10)',
    'its engine ended (signal SIGKILL); another goes on from the last checkpoint',
  ]);
  await puppet.end();
});

test('resumed while it is still stopping, it goes on once it has', async () => {
  const { board: jobs } = board();
  const puppet = new Puppet();
  const { id } = jobs.begin(puppet.task);
  jobs.pause(id);
  jobs.resume(id);
  jobs.resume(id);
  await turn();
  expect(puppet.runs).toBe(2);
  expect(jobs.jobs[0].state).toBe('waiting');
});

test.each(['cancel', 'end'] as const)('resumed while it is still stopping and then taken back by %s, it stays', async (how) => {
  const { board: jobs } = board();
  const puppet = new Puppet();
  const { id } = jobs.begin(puppet.task);
  jobs.pause(id);
  jobs.resume(id);
  if (how === 'cancel') jobs.cancel(id);
  if (how === 'end') await jobs.end();
  await turn();
  expect(puppet.runs).toBe(1);
  expect(jobs.jobs.map(({ state }) => state)).toEqual([{ cancel: 'cancelled', end: 'paused' }[how]]);
});

test('time is counted while it runs, not while it waits or rests', async () => {
  let now = 0;
  const jobs = new JobBoard({ clock: () => new Date(now), nextId: () => 1, onChange: () => undefined, onFailure: () => undefined });
  const puppet = new Puppet('k');
  jobs.begin(puppet.task);
  const after = (milliseconds: number): number => (now += milliseconds);
  after(5_000);
  puppet.context!.progress({ stage: 'walk', done: 1, total: 10 });
  after(2_000);
  jobs.pause(1);
  await turn();
  expect(jobs.jobs[0].seconds).toBe(2);
  after(60_000);
  jobs.resume(1);
  after(5_000);
  puppet.context!.progress({ stage: 'walk', done: 2, total: 10 });
  after(500);
  await puppet.end();
  expect(jobs.jobs[0]).toMatchObject({ state: 'done', seconds: 2.5 });
});

test('what is kept is what had been done at the checkpoint, and the share is what the task says it is', async () => {
  const { board: jobs } = board();
  const puppet = new Puppet();
  jobs.begin(puppet.task);
  puppet.context!.progress({ stage: 'walk', done: 3, total: 10 });
  expect(jobs.jobs[0].share).toBe(0.3);
  puppet.context!.checkpointed();
  puppet.context!.progress({ stage: 'walk', done: 8, total: 10 }, 0.76);
  expect(jobs.jobs).toMatchObject([{ progress: { done: 8, total: 10 }, share: 0.76, kept: 3 }]);
  await puppet.end();
  expect(jobs.jobs).toMatchObject([{ share: 1, kept: 3 }]);
});

test('the same work is one job, and goes on if it rests', async () => {
  const { board: jobs } = board();
  const puppet = new Puppet('k');
  const { id } = jobs.begin(puppet.task);
  expect(jobs.begin(new Puppet('k').task).id).toBe(id);
  jobs.pause(id);
  await turn();
  expect(jobs.begin(new Puppet('k').task)).toMatchObject({ id, state: 'waiting' });
  jobs.cancel(id);
  await turn();
  expect(jobs.jobs).toMatchObject([{ state: 'cancelled' }]);
  expect(jobs.begin(new Puppet('k').task).id).not.toBe(id);
});

test('a failure says what is kept, and can be tried again', async () => {
  const { board: jobs, failures } = board();
  const puppet = new Puppet();
  const { id } = jobs.begin(puppet.task);
  puppet.context!.checkpointed();
  await puppet.end(new UserError('training', 'must give finite numbers', NaN));
  const [job] = jobs.jobs;
  expect(job).toMatchObject({ state: 'failed', failure: { kind: 'mistake', field: 'training' } });
  expect(failures).toEqual([[job.failure, `its state of ${job.checkpoint} is kept: it can go on from there`]]);
  expect(jobs.log(id).at(-1)!.text).toContain(`failed: training must give finite numbers, got NaN; its state of ${job.checkpoint}`);
  jobs.resume(id);
  expect(jobs.jobs[0].failure).toBe(undefined);
  await puppet.end();
  expect(jobs.jobs[0].state).toBe('done');
});

test('a job that rests can be cancelled; at the end all rest', async () => {
  const { board: jobs } = board();
  const [first, second] = [new Puppet(), new Puppet()];
  jobs.pause(jobs.begin(first.task).id);
  await turn();
  jobs.cancel(1);
  expect(jobs.jobs[0].state).toBe('cancelled');
  jobs.begin(second.task);
  await jobs.end();
  expect(jobs.jobs[1].state).toBe('paused');
  expect(() => throwIfCancelled(second.context!.signal)).toThrow(Cancelled);
});
