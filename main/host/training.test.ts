/** Real training on real engines that are killed while at it: it resumes, and parameters and losses have the bits of an undisturbed run. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { UserError } from '../../engine/base/errors.ts';
import { Random } from '../../engine/base/random.ts';
import type { Progress, Request } from '../../engine/contract.ts';
import type { TrainResult } from '../../engine/jobs/trainClassifier.ts';
import { writeSomeDigits } from '../../engine/tasks/testing/someDigits.ts';
import type { TrainingCheckpoint } from '../../engine/training/loop.ts';
import { MemoryJobStore } from './jobStore.ts';
import { EnginePool } from './pool.ts';
import { requestKey } from './requestKey.ts';
import { forkEngine, spawnEngine, type SpawnEngine } from './spawn.ts';
import { recordingSpawn } from './testing/recordingSpawn.ts';

/** Few, since every engine that is started reads them again. */
const folder = mkdtempSync(join(tmpdir(), 'gatescope-killed-'));
const source = join(folder, 'digits.npz');
beforeAll(() => writeSomeDigits(source, 12_000, 100));
afterAll(() => rmSync(folder, { recursive: true }));

/** Five epochs of 375 steps, with a checkpoint as often as the loop looks. */
const foundation = (more: object = {}): Request => ({
  kind: 'trainClassifier',
  parameters: {
    stage: 'foundation',
    seed: 3,
    data: { source },
    epochs: 5,
    batch: 32,
    hidden: [64, 32],
    angles: [0],
    optimiser: { kind: 'adam', learningRate: 1e-3 },
    checkpointSeconds: 0,
    ...more,
  },
});

class CountingStore extends MemoryJobStore {
  /** Steps done in every checkpoint that came. */
  readonly steps: number[] = [];
  onCheckpoint: () => void = () => undefined;

  override async saveCheckpoint(key: string, state: unknown): Promise<void> {
    await super.saveCheckpoint(key, state);
    this.steps.push((state as TrainingCheckpoint).step);
    this.onCheckpoint();
  }
}

/** Those that are killed know this one kind of job: a dozen are started. */
const trainingEngine = forkEngine(new URL('testing/trainingEngine.ts', import.meta.url));

const pools: EnginePool[] = [];
function workshop(fork: SpawnEngine = trainingEngine) {
  const { spawn, engines } = recordingSpawn(fork);
  const store = new CountingStore();
  const pool = new EnginePool({ cores: 2, spawn, store });
  pools.push(pool);
  /** As a crash or the system would: without asking. */
  const kill = () => process.kill(engines.at(-1)!.pid!, 'SIGKILL');
  return { pool, store, engines, kill };
}
const end = async () => {
  for (const pool of pools.splice(0)) await pool.dispose();
};
afterAll(end);

/** Every bit of a result that training gives. */
const bits = ({ model, series, digest, frozenDigest, count }: TrainResult) => ({
  parameters: Object.fromEntries(Object.entries(model.base).map(([name, values]) => [name, hex(values)])),
  losses: hex(series.loss.values),
  digest,
  frozenDigest,
  count,
});
const hex = ({ buffer, byteOffset, byteLength }: Float32Array): string => Buffer.from(buffer, byteOffset, byteLength).toString('hex');

describe('an engine killed with SIGKILL', () => {
  let undisturbed: ReturnType<typeof bits>;
  beforeAll(async () => {
    const { pool, store } = workshop(spawnEngine);
    const result = await pool.submit<TrainResult>(foundation(), { threads: 2 });
    expect(result.series.loss.values).toHaveLength(1875);
    expect(store.steps.length).toBeGreaterThan(3);
    undisturbed = bits(result);
    await end();
  });
  afterEach(end);

  test('one thread gives the bits of two', async () => {
    const { pool } = workshop();
    expect(bits(await pool.submit<TrainResult>(foundation(), { threads: 1 }))).toEqual(undisturbed);
  });

  test('before any checkpoint: while it loads, and at its first words', async () => {
    const { pool, store, engines, kill } = workshop();
    let deaths = 0;
    const onProgress = ({ stage }: Progress) => {
      if (stage === 'foundation: images' && deaths++ < 2) kill();
    };
    expect(bits(await pool.submit<TrainResult>(foundation(), { threads: 2, onProgress }))).toEqual(undisturbed);
    expect(engines.map(({ ended }) => ended)).toEqual(['signal SIGKILL', 'signal SIGKILL', undefined]);
    expect(store.steps).toEqual([...new Set(store.steps)].sort((a, b) => a - b));
  });

  test('after checkpoints, as it hands one over and at random moments: it goes on from the last', async () => {
    const { pool, store, engines, kill } = workshop();
    const random = new Random(1);
    let deaths = 0;
    store.onCheckpoint = () => {
      if (deaths === 3) return;
      // The first at once, so that its answer never comes; the others up to three checkpoints later.
      setTimeout(kill, deaths++ === 0 ? 0 : 120 * random.uniform());
    };
    const result = await pool.submit<TrainResult>(foundation(), { threads: 2 });
    expect(bits(result)).toEqual(undisturbed);
    expect(engines.filter(({ ended }) => ended === 'signal SIGKILL').length).toBeGreaterThanOrEqual(2);
    expect(store.steps).toEqual([...new Set(store.steps)].sort((a, b) => a - b)); // no step twice: nothing stored was done again
  });

  test('with other threads after its death than before', async () => {
    const { pool, store, kill } = workshop();
    const interrupted = new AbortController();
    store.onCheckpoint = () => {
      kill();
      interrupted.abort();
    };
    await expect(pool.submit(foundation(), { threads: 2, signal: interrupted.signal })).rejects.toThrow('cancelled');
    store.onCheckpoint = () => undefined;
    const [first] = store.steps;
    expect(first).toBeLessThan(1875);
    expect(bits(await pool.submit<TrainResult>(foundation(), { threads: 1 }))).toEqual(undisturbed);
    expect(store.steps[1]).toBeGreaterThan(first);
  });
});

describe('training that diverges', () => {
  // Decay at this rate turns every parameter over and makes it a tenth larger: some hundred steps until a product leaves float32.
  const optimiser = { kind: 'adamw', learningRate: 1000, weightDecay: 0.0021 };
  const diverging = foundation({ optimiser });

  test('stops with the step, the site and what is kept, and stays stopped when asked again', async () => {
    const { pool, store } = workshop();
    const error = await pool.submit(diverging, { threads: 2 }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(UserError);
    const { message } = error as UserError;
    const [, step, , kept] =
      /^training \(foundation\): step (\d+) must give finite numbers \(first not finite: (.+?); the state after step (\d+) is kept/.exec(
        message,
      ) ?? [];
    expect(Number(step), message).toBeGreaterThan(100);
    expect(message).not.toContain('an unknown site');
    const state = (await store.loadCheckpoint(requestKey(diverging)))?.value as TrainingCheckpoint;
    expect(state.step).toBe(Number(kept));
    expect(state.losses.every(Number.isFinite)).toBe(true);
    await expect(pool.submit(diverging, { threads: 1 })).rejects.toThrow(`step ${step} must give finite numbers`);
  });

  test('says so when the last good state cannot be kept either', async () => {
    const { pool, store } = workshop();
    store.saveCheckpoint = async () => {
      throw new UserError('job store: folder', 'must have space left on its disk', '/somewhere');
    };
    await expect(pool.submit(foundation({ optimiser, checkpointSeconds: 60 }), { threads: 2 })).rejects.toThrow(
      /step \d+ must give finite numbers .* could not be kept: job store: folder must have space left on its disk, got "\/somewhere"/,
    );
  });
});
