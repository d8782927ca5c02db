/** The pool on real engine processes, with the jobs of testing/testKinds.ts. */
import { afterEach, expect, test } from 'vitest';
import { Cancelled, UserError } from '../../engine/base/errors.ts';
import { Random } from '../../engine/base/random.ts';
import type { Progress, Request } from '../../engine/contract.ts';
import { MemoryJobStore } from './jobStore.ts';
import type { EnginePoolOptions } from './pool.ts';
import { EnginePool } from './pool.ts';
import { requestKey } from './requestKey.ts';
import { recordingSpawn } from './testing/recordingSpawn.ts';

const pools: EnginePool[] = [];
afterEach(async () => {
  for (const pool of pools.splice(0)) await pool.dispose();
});

function testPool(options: Partial<EnginePoolOptions> = {}) {
  const { spawn, engines } = recordingSpawn();
  const store = new MemoryJobStore();
  const pool = new EnginePool({ cores: 2, spawn, store, ...options });
  pools.push(pool);
  return { pool, engines, store };
}

const wait = (milliseconds: number, name = ''): Request => ({ kind: 'wait', parameters: { milliseconds, name } });
const walk = (steps: number, every: number, seed = 0): Request => ({ kind: 'walk', parameters: { steps, every, seed } });
interface Walked {
  values: Float64Array;
  resumedFrom: number;
}
interface Waited {
  threads: number;
  pid: number;
}

/** Its own: the buffer below an array that came by message is the whole message. */
function bytes({ buffer, byteOffset, byteLength }: Float64Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

test('progress is thinned to 20 a second, ends at done = total, and has an estimate', async () => {
  const { pool } = testPool();
  const seen: (Progress & { at: number })[] = [];
  const started = performance.now();
  await pool.submit(walk(400, 1000), { onProgress: (progress) => seen.push({ ...progress, at: performance.now() }) });
  const seconds = (performance.now() - started) / 1000;
  expect(seen.length).toBeGreaterThanOrEqual(4);
  expect(seen.length).toBeLessThanOrEqual(20 * seconds + 2); // the first and the last are not held back
  expect(seen.at(-1)).toMatchObject({ stage: 'walk', done: 400, total: 400, remaining: 0 });
  expect(seen.map(({ done }) => done)).toEqual(seen.map(({ done }) => done).sort((a, b) => a - b));
  const middle = seen[Math.floor(seen.length / 2)];
  const left = (seen.at(-1)!.at - middle.at) / 1000;
  expect(middle.remaining).toBeGreaterThan(left / 4); // a busy machine's pace may change, but not by this much
  expect(middle.remaining).toBeLessThan(left * 4);
});

test('a polite job stops within a second of its cancellation, and its engine is used again', async () => {
  const { pool, engines } = testPool();
  const controller = new AbortController();
  const job = pool.submit(wait(60_000), { signal: controller.signal, onProgress: () => controller.abort() });
  let asked = 0;
  controller.signal.addEventListener('abort', () => (asked = performance.now()));
  await expect(job).rejects.toThrow(Cancelled);
  expect(performance.now() - asked).toBeLessThan(500);
  await pool.submit(wait(0));
  expect(engines.map(({ ended }) => ended)).toEqual([undefined]);
});

test('a job that blocks its engine is killed a second after its cancellation, and the engine replaced', async () => {
  const { pool, engines } = testPool();
  const controller = new AbortController();
  let asked = 0;
  const onProgress = (): void => {
    asked = performance.now();
    controller.abort();
  };
  await expect(pool.submit({ kind: 'block', parameters: {} }, { signal: controller.signal, onProgress })).rejects.toThrow(Cancelled);
  expect(performance.now() - asked).toBeGreaterThan(900);
  expect(performance.now() - asked).toBeLessThan(2000);
  await pool.submit(wait(0));
  expect(engines.map(({ ended }) => ended)).toEqual(['signal SIGKILL', undefined]);
});

test('a cancelled job goes on from its checkpoint when it is asked for again', async () => {
  const { pool } = testPool();
  const controller = new AbortController();
  const onProgress = ({ done }: Progress): void => {
    if (done > 60) controller.abort();
  };
  const first = pool.submit(walk(300, 20), { signal: controller.signal, onProgress });
  const again = first.catch(() => pool.submit<Walked>(walk(300, 20)));
  await expect(first).rejects.toThrow(Cancelled);
  expect(((await again) as Walked).resumedFrom).toBeGreaterThanOrEqual(60);
});

test('a job whose engine is killed at random moments gives the bits of an undisturbed one', async () => {
  let stored: (() => void) | undefined;
  class Telling extends MemoryJobStore {
    override async saveCheckpoint(key: string, state: unknown): Promise<void> {
      await super.saveCheckpoint(key, state);
      stored?.();
    }
  }
  const undisturbed = await testPool().pool.submit<Walked>(walk(400, 5));
  const { pool, engines } = testPool({ cores: 1, store: new Telling() });
  const random = new Random(20260801);
  const job = pool.submit<Walked>(walk(400, 5));
  const over = job.then(() => undefined);
  for (let kill = 0; kill < 6; kill++) {
    // Not before it got somewhere: being killed again and again at the start is another test's subject.
    await Promise.race([new Promise<void>((resolve) => (stored = resolve)), over]);
    await new Promise((resolve) => setTimeout(resolve, 60 * random.uniform()));
    engines.at(-1)!.kill();
  }
  const disturbed = await job;
  expect(engines.filter(({ ended }) => ended === 'signal SIGKILL').length).toBeGreaterThanOrEqual(4);
  expect(disturbed.resumedFrom).toBeGreaterThan(0);
  expect(bytes(disturbed.values)).toEqual(bytes(undisturbed.values));
});

test('an engine that keeps dying over a job ends it, naming how and its last words', async () => {
  const { pool, engines } = testPool();
  const error = await pool.submit({ kind: 'die', parameters: {} }).catch((reason: Error) => reason);
  expect((error as Error).message).toMatch(/^die: 4 engines in a row died over it without progress; engine ended with exit code 7/);
  expect((error as Error).message).toMatch(/the last words$/);
  expect((error as Error).message.length).toBeLessThan(4096 + 200);
  expect(error).not.toBeInstanceOf(UserError);
  expect(engines.map(({ ended }) => ended)).toEqual(Array(4).fill('exit code 7'));
});

test('deaths are forgiven as long as checkpoints are stored in between', async () => {
  const { pool, engines } = testPool();
  expect(await pool.submit({ kind: 'die', parameters: { checkpoints: 6 } })).toBe(6);
  expect(engines.length).toBe(7);
});

test('an engine that cannot be started is an error that says why', async () => {
  const { pool } = testPool({
    spawn: ({ onEnd }) => {
      setImmediate(() => onEnd('spawn ENOENT', ''));
      return { pid: undefined, send: () => undefined, kill: () => undefined };
    },
  });
  await expect(pool.submit(wait(0))).rejects.toThrow(/spawn ENOENT/);
});

test('mistakes and bugs come back as what they are; a bug costs the engine, a mistake does not', async () => {
  const { pool, engines } = testPool({ cores: 1 });
  const mistake = await pool.submit({ kind: 'mistake', parameters: {} }).catch((error: unknown) => error);
  expect(mistake).toBeInstanceOf(UserError);
  expect((mistake as UserError).message).toBe('mistake: unit must be an integer in [0, 63], got 64');
  const unknown = await pool.submit({ kind: 'nosuch', parameters: {} }).catch((error: unknown) => error);
  expect((unknown as UserError).message).toMatch(/^run: kind must be one of walk, wait, .*, got "nosuch"$/);
  expect(engines.length).toBe(1);
  const bug = await pool.submit({ kind: 'bug', parameters: {} }).catch((error: unknown) => error);
  expect((bug as Error).stack).toMatch(/a bug in a job[\s\S]*testKinds\.ts/);
  expect(bug).not.toBeInstanceOf(UserError);
  await expect(pool.submit({ kind: 'uncaught', parameters: {} })).rejects.toThrow('a bug in a timer');
  await expect(pool.submit({ kind: 'uncloneable', parameters: {} })).rejects.toThrow(/could not be cloned/);
  expect(engines.length).toBe(3);
  expect(engines.every(({ ended }) => ended)).toBe(true);
});

test('threads: a lone job gets what it can use, a crowd one each, and never more than there are cores', async () => {
  const { pool, engines } = testPool({ cores: 3 });
  const threads = async (jobs: Promise<Waited>[]): Promise<number[]> => (await Promise.all(jobs)).map((result) => result.threads);
  const ask = (name: string, most: number): Promise<Waited> => pool.submit<Waited>(wait(40, name), { threads: most });
  expect(await threads([ask('lone', 8)])).toEqual([3]);
  expect(await threads([ask('modest', 2)])).toEqual([2]);
  expect(await threads([ask('one of two', 8), ask('two of two', 8)])).toEqual([2, 1]);
  expect(await threads([ask('greedy', 8), ask('humble', 1)])).toEqual([2, 1]);
  const crowd = await threads(['a', 'b', 'c', 'd', 'e', 'f'].map((name) => ask(name, 8)));
  expect(crowd.slice(0, 3)).toEqual([1, 1, 1]);
  expect(engines.length).toBeLessThanOrEqual(3);
});

test('threads: what a kind can use, unless whoever submits says otherwise', async () => {
  const prepare = (request: Request) => ({ request, key: JSON.stringify(request), threads: 2 });
  const { pool } = testPool({ cores: 3, prepare });
  expect((await pool.submit<Waited>(wait(0, 'by kind'))).threads).toBe(2);
  expect((await pool.submit<Waited>(wait(0, 'as told'), { threads: 3 })).threads).toBe(3);
});

test('equal requests share one computation, and one caller leaving does not end it for the others', async () => {
  const { pool, engines } = testPool();
  const controller = new AbortController();
  const progress = [0, 0];
  const first = pool.submit<Waited>({ kind: 'wait', parameters: { milliseconds: 150, name: 'x' } }, { onProgress: () => progress[0]++ });
  const leaving = pool.submit({ kind: 'wait', parameters: { name: 'x', milliseconds: 150 } }, { signal: controller.signal });
  const second = pool.submit<Waited>({ kind: 'wait', parameters: { name: 'x', milliseconds: 150 } }, { onProgress: () => progress[1]++ });
  controller.abort();
  await expect(leaving).rejects.toThrow(Cancelled);
  expect(await second).toEqual(await first);
  expect(progress).toEqual([1, 1]);
  expect(engines.length).toBe(1);
});

test('a request made while an equal one is being called off is computed afresh', async () => {
  const { pool } = testPool({ cores: 1 });
  const controller = new AbortController();
  const called = pool.submit(wait(300), { signal: controller.signal, onProgress: () => controller.abort() });
  const settled = called.catch((error: unknown) => error);
  await new Promise((resolve) => controller.signal.addEventListener('abort', resolve));
  expect(await pool.submit<Waited>(wait(300))).toHaveProperty('pid');
  expect(await settled).toBeInstanceOf(Cancelled);
});

test('a job waiting for its turn is called off at once; one already called off never starts', async () => {
  const { pool, engines } = testPool({ cores: 1 });
  const controller = new AbortController();
  const long = pool.submit(wait(200));
  const waiting = pool.submit(wait(1), { signal: controller.signal });
  setTimeout(() => controller.abort(), 20);
  await expect(waiting).rejects.toThrow(Cancelled);
  await expect(pool.submit(wait(2), { signal: AbortSignal.abort() })).rejects.toThrow(Cancelled);
  await long;
  expect(engines.length).toBe(1);
});

test('a finished job is answered from the store without an engine', async () => {
  const store = new MemoryJobStore();
  const result = await testPool({ store }).pool.submit(wait(0));
  const later = testPool({ store });
  expect(await later.pool.submit(wait(0))).toEqual(result);
  expect(later.engines.length).toBe(0);
  const prepare = (request: Request) => ({ request, key: `another edition of ${requestKey(request)}` });
  const other = testPool({ store, prepare });
  expect(await other.pool.submit(wait(0))).not.toEqual(result);
});

test('a checkpoint that cannot be stored stops the job with the reason, and a job may go on without it', async () => {
  class Full extends MemoryJobStore {
    override async saveCheckpoint(): Promise<void> {
      throw new UserError('job store: folder', 'must have space left on its disk', '/full');
    }
  }
  const { pool, engines } = testPool({ store: new Full() });
  const error = await pool.submit(walk(100, 5)).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(UserError);
  expect((error as Error).message).toMatch(/space left on its disk, got "\/full"/);
  expect(await pool.submit({ kind: 'stubborn', parameters: {} })).toMatch(/^UserError: .*space left/);
  expect(engines.length).toBe(1);
});

test('a result that cannot be stored is reported and handed over all the same', async () => {
  class Full extends MemoryJobStore {
    override async saveResult(): Promise<void> {
      throw new UserError('job store: folder', 'must have space left on its disk', '/full');
    }
  }
  const problems: UserError[] = [];
  const { pool } = testPool({ store: new Full(), onProblem: (problem) => problems.push(problem) });
  expect(await pool.submit(wait(0))).toHaveProperty('pid');
  expect(problems).toHaveLength(1);
});

test('dispose ends what runs and what waits, keeps the checkpoints, and takes no more', async () => {
  const { pool, engines, store } = testPool({ cores: 1 });
  let begun: (() => void) | undefined;
  const atWork = new Promise<void>((resolve) => (begun = resolve));
  const running = pool.submit(walk(5000, 5), { onProgress: ({ done }) => done > 20 && begun?.() });
  const waiting = pool.submit(wait(0));
  const outcomes = Promise.allSettled([running, waiting]);
  await atWork;
  await pool.dispose();
  for (const outcome of await outcomes) expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(Cancelled) as unknown });
  expect(engines.every(({ ended }) => ended)).toBe(true);
  expect(await store.loadCheckpoint(requestKey(walk(5000, 5)))).toBeDefined();
  await expect(pool.submit(wait(0))).rejects.toThrow('disposed');
});

test('an engine that dies with nothing to do is not given the next job', async () => {
  const { pool, engines } = testPool({ cores: 1 });
  await pool.submit(wait(0, 'a'));
  engines[0].kill();
  await expect.poll(() => engines[0].ended).toBe('signal SIGKILL');
  await pool.submit(wait(0, 'b'));
  expect(engines.length).toBe(2);
});

test('numbers of cores and threads are checked', async () => {
  expect(() => testPool({ cores: 0 })).toThrow('EnginePool: cores must be an integer of at least 1, got 0');
  await expect(testPool().pool.submit(wait(0), { threads: 1.5 })).rejects.toThrow(UserError);
});
