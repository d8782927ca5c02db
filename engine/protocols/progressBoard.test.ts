/** Summing up the progress of several jobs. */
import { expect, test } from 'vitest';
import type { Progress, Request } from '../contract.ts';
import { ProgressBoard } from './progressBoard.ts';
import type { Submit } from './protocol.ts';

/** Jobs that are moved by hand. */
function board(jobs: number) {
  let now = 1000;
  const reports: Progress[] = [];
  const running: { report: (progress: Progress) => void; end: (result?: unknown) => void; fail: (error: Error) => void }[] = [];
  const submit = ((_request: Request, onProgress?: (progress: Progress) => void) =>
    new Promise<unknown>((end, fail) => void running.push({ report: (progress) => onProgress?.(progress), end, fail }))) as Submit;
  const sum = new ProgressBoard(
    jobs,
    (progress) => void reports.push(progress),
    () => now,
  );
  return { watched: sum.watched(submit), running, reports, pass: (seconds: number) => (now += 1000 * seconds) };
}
const JOB: Request = { kind: 'trainClassifier', parameters: {} };

test('adds the shares of jobs side by side, and goes by the pace of the whole', async () => {
  const { watched, running, reports, pass } = board(4);
  const seen: Progress[] = [];
  const first = watched<string>(JOB, (progress) => void seen.push(progress));
  const second = watched(JOB);
  pass(2);
  running[0].report({ stage: 'foundation, epoch 1 of 2', done: 50, total: 100, figures: { loss: 0.4 }, remaining: 2 });
  expect(reports.at(-1)).toEqual({ stage: 'foundation, epoch 1 of 2', done: 0.5, total: 4, remaining: 14, figures: { loss: 0.4 } });
  expect(seen).toEqual([{ stage: 'foundation, epoch 1 of 2', done: 50, total: 100, figures: { loss: 0.4 }, remaining: 2 }]);
  pass(1);
  running[1].report({ stage: 'dopamine', done: 1, total: 4 });
  expect(reports.at(-1)).toMatchObject({ stage: 'dopamine', done: 0.75, remaining: 13 });
  running[0].end('result');
  expect(await first).toBe('result');
  expect(reports.at(-1)).toMatchObject({ done: 1.25, total: 4 });
  running[1].end();
  await second;
  expect(reports.at(-1)).toMatchObject({ done: 2, remaining: 3 });
});

test('says nothing of what is left before there is something to go by, and never falls', async () => {
  const { watched, running, reports, pass } = board(2);
  const job = watched(JOB);
  pass(1);
  running[0].report({ stage: 'images', done: 0, total: 1 });
  expect(reports.at(-1)).toEqual({ stage: 'images', done: 0, total: 2 });
  running[0].report({ stage: 'nothing to do', done: 0, total: 0 });
  expect(reports.at(-1)?.done).toBe(0);
  running[0].report({ stage: 'training', done: 60, total: 100 });
  running[0].report({ stage: 'training, begun anew', done: 30, total: 100 });
  running[0].report({ stage: 'more than all', done: 130, total: 100 });
  expect(reports.slice(-3).map(({ done }) => done)).toEqual([0.6, 0.6, 1]);
  running[0].end();
  await job;
});

test('a result that was there already counts as done, but not for the pace', async () => {
  const { watched, running, reports, pass } = board(4);
  const jobs = [watched(JOB), watched(JOB)];
  running[0].end();
  await jobs[0];
  expect(reports.at(-1)).toMatchObject({ done: 1, total: 4 });
  expect(reports.at(-1)?.remaining).toBeUndefined();
  pass(10);
  running[1].report({ stage: 'training', done: 1, total: 2 });
  // Half a job in ten seconds: 2.5 jobs take fifty.
  expect(reports.at(-1)).toMatchObject({ done: 1.5, remaining: 50 });
});

test('a job that fails fails as it did', async () => {
  const { watched, running } = board(1);
  const job = watched(JOB);
  running[0].fail(new Error('no room'));
  await expect(job).rejects.toThrow('no room');
});
