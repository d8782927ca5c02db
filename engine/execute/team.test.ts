/** Teams of threads: every row once, errors of any member surface, nothing hangs, no thread is left behind. */
import type { Worker } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { UserError } from '../base/errors.ts';
import { ExecutionError } from './executor.ts';
import { Team } from './team.ts';
import type { TeamMemberData } from './testing/teamMember.ts';

const MODULE = new URL('./testing/teamMember.ts', import.meta.url).href;
const ROWS = 23;

function memory(): Pick<TeamMemberData, 'rows' | 'counts'> {
  const ints = (length: number) => new Int32Array(new SharedArrayBuffer(4 * length));
  return { rows: ints(ROWS), counts: ints(2) };
}

const start = (data: TeamMemberData, { threads = 2, chunk = 2 } = {}) => Team.create(MODULE, data, { threads, chunk });

/** Threads started since the last test. */
let threads: Worker[] = [];
const note = (thread: Worker) => void threads.push(thread);
beforeAll(() => void process.on('worker', note));
afterAll(() => void process.off('worker', note));
/** A thread that has ended has no number. */
const running = () => threads.filter(({ threadId }) => threadId >= 0).length;
afterEach(() => {
  expect(running(), 'threads left behind').toBe(0);
  threads = [];
});

describe('rows', () => {
  test.each([1, 2, 3])('each is computed once by %i threads, run after run', async (threads) => {
    for (const chunk of [1, 4, 100]) {
      const data = { ...memory(), slow: { lead: 0.2, helper: 0.2 } };
      const team = await start(data, { threads, chunk });
      for (const rows of [ROWS, 5, 0, ROWS]) {
        data.rows.fill(0);
        data.counts[0] = 0;
        team.run(rows);
        expect(data.counts[0]).toBe(Math.ceil(rows / chunk));
        // Thread ids are not added up twice: a sum of two would be none of theirs.
        expect([...data.rows].map((id) => id > 0)).toEqual(Array.from({ length: ROWS }, (_entry, row) => row < rows));
      }
      await team.dispose();
      expect(data.counts[1]).toBe(threads);
    }
  });

  test('helpers take part', async () => {
    const data = { ...memory(), slow: { lead: 20, helper: 1 } };
    const team = await start(data, { threads: 3, chunk: 1 });
    team.run(ROWS);
    expect(new Set(data.rows).size).toBeGreaterThan(1);
    await team.dispose();
  });
});

describe('errors', () => {
  test.each(['lead', 'helper'] as const)('of the %s while it is created: nothing is left', async (where) => {
    const data: TeamMemberData = { ...memory(), failure: { where, when: 'creating', how: 'throw' } };
    await expect(start(data, { threads: 3 })).rejects.toThrow(`${where} failed creating`);
    // Those that were made were let go: both helpers, or the lead.
    expect(data.counts[1]).toBe(where === 'lead' ? 2 : 1);
    expect(threads.length).toBe(2);
    expect(running()).toBe(0);
  });

  test('a helper that ends before it is ready', async () => {
    const data: TeamMemberData = { ...memory(), failure: { where: 'helper', when: 'creating', how: 'exit' } };
    await expect(start(data)).rejects.toThrow('helper thread: ended with code 3 before it was ready');
  });

  test.each(['lead', 'helper'] as const)('of the %s in a run; the next run is whole', async (where) => {
    const data: TeamMemberData = {
      ...memory(),
      failure: { where, when: 'running', how: 'throw' },
      // The other is in the middle of a chunk when it happens.
      slow: { lead: where === 'helper' ? 30 : 0, helper: where === 'lead' ? 30 : 0 },
    };
    const team = await start(data, { threads: 3 });
    const message = where === 'lead' ? 'lead failed running' : 'helper thread: helper failed running';
    expect(() => team.run(ROWS)).toThrow(message);
    expect(() => team.run(ROWS)).toThrow(message);
    data.rows.fill(0);
    data.rows[0] = -1000;
    data.counts[0] = 0;
    team.run(ROWS);
    expect(data.counts[0]).toBe(Math.ceil(ROWS / 2));
    expect(data.rows.subarray(1).every((id) => id > 0)).toBe(true);
    await team.dispose();
  });

  test('after a failure no more chunks are begun', async () => {
    const data: TeamMemberData = {
      ...memory(),
      failure: { where: 'helper', when: 'running', how: 'throw' },
      slow: { lead: 20, helper: 0 },
    };
    const team = await start(data, { chunk: 1 });
    expect(() => team.run(ROWS)).toThrow(ExecutionError);
    expect(data.counts[0]).toBeLessThan(ROWS / 2);
    await team.dispose();
  });

  test("a user's mistake stays one across threads", async () => {
    const data: TeamMemberData = {
      ...memory(),
      failure: { where: 'helper', when: 'running', how: 'mistake' },
      slow: { lead: 20, helper: 0 },
    };
    const team = await start(data);
    expect(() => team.run(ROWS)).toThrow(UserError);
    expect(() => team.run(ROWS)).toThrow('member: running must not be done, got "helper"');
    await team.dispose();
  });

  test('wrong numbers', async () => {
    await expect(start(memory(), { threads: 0 })).rejects.toThrow('team: threads must be a positive integer, got 0');
    await expect(start(memory(), { chunk: 0 })).rejects.toThrow('team: chunk must be a positive integer, got 0');
    const team = await start(memory(), { threads: 1 });
    expect(() => team.run(-1)).toThrow('team: rows must be an integer ≥ 0, got -1');
    expect(() => team.run(1.5)).toThrow(UserError);
    await team.dispose();
  });
});

describe('the end', () => {
  test('of a helper in the middle of a chunk: the lead does not hang, the rest can be disposed of', async () => {
    const data: TeamMemberData = { ...memory(), failure: { where: 'helper', when: 'running', how: 'exit' }, slow: { lead: 5, helper: 0 } };
    const team = await start(data, { threads: 3, chunk: 1 });
    const began = performance.now();
    expect(() => team.run(ROWS)).toThrow('helper thread: has died');
    expect(performance.now() - began).toBeLessThan(5000);
    expect(() => team.run(ROWS)).toThrow('helper thread: has died');
    await team.dispose();
    await team.dispose();
  });

  test('threads end, members are let go once, and there are no more runs', async () => {
    const data = memory();
    const team = await start(data, { threads: 3 });
    expect(running()).toBe(2);
    team.run(ROWS);
    await Promise.all([team.dispose(), team.dispose()]);
    expect(data.counts[1]).toBe(3);
    expect(running()).toBe(0);
    expect(() => team.run(ROWS)).toThrow('team: has been disposed of');
  });

  test('a helper that takes longer than the checks is waited for', async () => {
    const data = { ...memory(), slow: { lead: 0, helper: 700 } };
    const team = await start(data, { chunk: 1 });
    for (let i = 0; i < 2; i++) {
      data.rows.fill(0);
      team.run(ROWS);
      expect(data.rows.every((id) => id > 0)).toBe(true);
    }
    await team.dispose();
  });
});
