/** The training loop: resuming gives the same bits, cancelling is quick, progress is honest, and divergence leaves the last good state. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Cancelled, throwIfCancelled, UserError } from '../base/errors.ts';
import { Random } from '../base/random.ts';
import { EXACT, expectClose } from '../base/testing/closeTo.ts';
import type { JobContext, Progress } from '../contract.ts';
import type { OptimiserSpec } from '../execute/optimisers/optimiser.ts';
import { shared } from '../execute/sharedMemory.ts';
import { StepRunner } from '../execute/stepRunner.ts';
import { adapterOf } from '../models/adapters/index.ts';
import { initialise } from '../models/parameters.ts';
import { classifierStep } from './classifierStep.ts';
import type { Measuring } from './measurements.ts';
import { train, type Diagnose, type TrainingCheckpoint, type TrainingPlan } from './loop.ts';

const COUNT = 50;
const buffer = (data: Float32Array | Int32Array) => data.buffer as unknown as SharedArrayBuffer;

interface Setting {
  readonly widths?: readonly number[];
  readonly adapter?: string;
  readonly optimiser?: OptimiserSpec;
  readonly batch?: number;
  readonly images?: (image: Float32Array) => void;
}

/** A small classifier, ready to be trained. */
async function prepared({
  widths = [6, 8, 7, 10],
  adapter,
  optimiser = { kind: 'adam', learningRate: 1e-2 },
  batch = 8,
  images: change,
}: Setting = {}): Promise<StepRunner> {
  const step = classifierStep({ config: { widths }, ...(adapter !== undefined && { adapter: adapterOf(adapter) }) }, COUNT, {
    cached: false,
  });
  const images = shared(new Float32Array(COUNT * widths[0]));
  new Random(1).fillUniform(images, 0, 1);
  change?.(images);
  const labels = shared(Int32Array.from({ length: COUNT }, (_entry, i) => (i * 3) % widths.at(-1)!));
  const runner = await StepRunner.create({
    program: step.program,
    trained: step.trained,
    frozen: step.frozen,
    tables: {
      images: { dtype: 'float32', shape: [COUNT, widths[0]], buffer: buffer(images) },
      labels: { dtype: 'int32', shape: [COUNT], buffer: buffer(labels) },
    },
    scalars: ['temperature'],
    optimiser,
    rows: batch,
    threads: 1,
  });
  for (const [name, values] of Object.entries(initialise([...step.trained, ...step.frozen], new Random(2))))
    runner.parameter(name).set(values);
  runner.setScalar('temperature', 0.2);
  return runner;
}

/** 50 rows in batches of 8: seven steps an epoch, the last one of two rows; three epochs. */
const PLAN: TrainingPlan = {
  stage: 'foundation',
  epochs: 3,
  batch: 8,
  learningRate: 1e-2,
  rows: Int32Array.from({ length: COUNT }, (_entry, i) => i),
  random: new Random(7),
};
const STEPS = 21;

/** A clock that says an hour has passed whenever it is asked: a report and a checkpoint after every step. */
const hours = (): (() => number) => {
  let now = 0;
  return () => (now += 3_600_000);
};

interface Seen {
  readonly context: JobContext;
  readonly progress: Progress[];
  readonly checkpoints: TrainingCheckpoint[];
}

/** A context that keeps what it is told; checkpoints are copied, as by a message. */
function seeing(more: Partial<JobContext> = {}): Seen {
  const progress: Progress[] = [];
  const checkpoints: TrainingCheckpoint[] = [];
  const context: JobContext = {
    signal: new AbortController().signal,
    threads: 1,
    resume: undefined,
    progress: (report) => void progress.push(report),
    checkpoint: async (state) => void checkpoints.push(structuredClone(state) as TrainingCheckpoint),
    breathe: async () => undefined,
    ...more,
  };
  return { context, progress, checkpoints };
}

async function whole(setting: Setting, plan: TrainingPlan, context: JobContext, diagnose?: Diagnose) {
  const runner = await prepared(setting);
  try {
    const { losses } = await train(runner, plan, context, diagnose);
    return { losses, state: runner.snapshot() };
  } finally {
    await runner.dispose();
  }
}

class Killed extends Error {}

describe.each<[string, Setting, Partial<TrainingPlan>]>([
  ['a foundation', {}, {}],
  ['gates that are annealed', { adapter: 'dopamine' }, { temperature: { kind: 'geometric', start: 1, end: 0.05 } }],
  ['LoRA with momentum', { adapter: 'lora-r2', optimiser: { kind: 'sgd', learningRate: 1e-2, momentum: 0.9 } }, {}],
])('%s', (_what, setting, changes) => {
  const plan = { ...PLAN, ...changes };

  test('killed after any step and resumed from its checkpoint, it has the bits of an uninterrupted run', async () => {
    const expected = await whole(setting, plan, seeing().context);
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.integer({ min: 1, max: STEPS }), { minLength: 1, maxLength: 3 }), async (steps) => {
        let resume: TrainingCheckpoint | undefined;
        for (const kill of steps.sort((a, b) => a - b)) {
          const seen = seeing({
            resume,
            breathe: async () => {
              if (seen.checkpoints.at(-1)?.step === kill) throw new Killed();
            },
          });
          await expect(whole(setting, { ...plan, clock: hours() }, seen.context)).rejects.toBeInstanceOf(Killed);
          resume = seen.checkpoints.at(-1);
          // Only what is ahead of where this attempt began was stored.
          expect(seen.checkpoints.map(({ step }) => step)).toEqual(
            seen.checkpoints.map((_state, i) => kill - seen.checkpoints.length + 1 + i),
          );
        }
        const { losses, state } = await whole(setting, plan, seeing({ resume }).context);
        expectClose(losses, expected.losses, EXACT, 'losses');
        for (const part of ['parameters', 'first', 'second'] as const) expectClose(state[part], expected.state[part], EXACT, part);
      }),
      { numRuns: 12 },
    );
  });
});

test('every row is used once in an epoch, in another order in the next', async () => {
  const runner = await prepared();
  const batches: number[][] = [];
  const step = runner.step.bind(runner);
  runner.step = (rows, t, rate) => {
    batches.push([...rows]);
    expect(t).toBe(batches.length);
    return step(rows, t, rate);
  };
  await train(runner, PLAN, seeing().context);
  await runner.dispose();
  expect(batches.map((rows) => rows.length)).toEqual([8, 8, 8, 8, 8, 8, 2, 8, 8, 8, 8, 8, 8, 2, 8, 8, 8, 8, 8, 8, 2]);
  const epochs = [0, 7, 14].map((begin) => batches.slice(begin, begin + 7).flat());
  for (const epoch of epochs) expect([...epoch].sort((a, b) => a - b)).toEqual([...PLAN.rows]);
  expect(new Set(epochs.map(String)).size).toBe(3);
});

test('the temperature of step t of N is T₀ (T₁/T₀)^(t/N)', async () => {
  const runner = await prepared({ adapter: 'dopamine' });
  const temperatures: number[] = [];
  const set = runner.setScalar.bind(runner);
  runner.setScalar = (name, value) => {
    temperatures.push(value);
    set(name, value);
  };
  await train(runner, { ...PLAN, temperature: { kind: 'geometric', start: 0.8, end: 0.1 } }, seeing().context);
  await runner.dispose();
  expectClose(
    temperatures,
    Float64Array.from({ length: STEPS }, (_entry, t) => 0.8 * 0.125 ** (t / STEPS)),
    { relative: 1e-12, absolute: 0 },
    'T',
  );
});

test('what is measured is asked for before, every so many steps and after, at the temperature the gates have by then', async () => {
  const asked: (number | undefined)[] = [];
  const measuring: Measuring = {
    every: 5,
    names: ['first', 'second'],
    take: async (temperature) => {
      asked.push(temperature);
      return [asked.length, -asked.length];
    },
  };
  const times = [0, 5, 10, 15, 20, STEPS];
  const { context, progress } = seeing();
  const runner = await prepared({ adapter: 'dopamine' });
  const temperature = { kind: 'geometric', start: 0.8, end: 0.1 } as const;
  const { measured } = await train(runner, { ...PLAN, temperature, measuring }, context);
  await runner.dispose();
  expectClose(
    asked as number[],
    times.map((t) => 0.8 * 0.125 ** (t / STEPS)),
    { relative: 1e-12, absolute: 0 },
    'T',
  );
  const series = (sign: number) =>
    Float32Array.from({ length: STEPS + 1 }, (_entry, i) => (times.includes(i) ? sign * (times.indexOf(i) + 1) : NaN));
  expect(measured).toEqual({ first: series(1), second: series(-1) });
  const told = progress.filter(({ done, measuredAt }) => done === measuredAt && done < STEPS);
  expect(told.map(({ done, figures }) => [done, figures?.first])).toEqual(times.slice(0, -1).map((t, i) => [t, i + 1]));
});

test('progress rises to the end; the estimate is the pace so far', async () => {
  let now = 0;
  const { context, progress } = seeing();
  await whole({}, { ...PLAN, clock: () => (now += 50) }, context);
  expect(progress.map(({ done }) => done)).toEqual([...Array.from({ length: STEPS }, (_entry, i) => i + 1), STEPS]);
  for (const { done, total, remaining } of progress) {
    expect(total).toBe(STEPS);
    expect(remaining).toBeCloseTo(0.05 * (STEPS - done), 9);
  }
  expect(progress[8].stage).toBe('foundation, epoch 2 of 3');
  expect(progress[8].figures?.loss).toBeGreaterThan(0);
  expect(progress.at(-1)).toMatchObject({ stage: 'foundation, done', remaining: 0 });
});

test('an estimate after resuming goes by the steps of this attempt', async () => {
  const seen = seeing();
  await whole({}, { ...PLAN, clock: hours() }, seen.context);
  let now = 0;
  const { context, progress } = seeing({ resume: seen.checkpoints[13] });
  await whole({}, { ...PLAN, clock: () => (now += 50) }, context);
  expect(progress[0]).toMatchObject({ done: 15, total: STEPS });
  expect(progress[0].remaining).toBeCloseTo(0.05 * 6, 9);
});

test('a long run is called off within a second, and has stored nothing that is not whole', async () => {
  const controller = new AbortController();
  const { context } = seeing({
    signal: controller.signal,
    breathe: async () => {
      await new Promise((resolve) => setImmediate(resolve));
      throwIfCancelled(controller.signal);
    },
  });
  let called = 0;
  setTimeout(() => {
    called = performance.now();
    controller.abort();
  }, 150);
  await expect(whole({}, { ...PLAN, epochs: 1_000_000 }, context)).rejects.toBeInstanceOf(Cancelled);
  expect(called).toBeGreaterThan(0);
  expect(performance.now() - called).toBeLessThan(1000);
});

describe('divergence', () => {
  const finite = ({ state }: TrainingCheckpoint) => state.parameters.every(Number.isFinite);

  test('a learning rate far too high: the step, the site, and the state before it', async () => {
    const seen = seeing();
    const rows: Int32Array[] = [];
    // What grows is multiplied by what grows, layer by layer, until it overflows.
    const setting: Setting = {
      optimiser: { kind: 'sgd', learningRate: 1000 },
      images: (images) => images.forEach((value, i) => (images[i] = 1e8 * value)),
    };
    const failure = await whole(setting, { ...PLAN, learningRate: 1000, epochs: 100 }, seen.context, (chosen) => {
      rows.push(chosen.slice());
      return 'layers.1.hook_pre';
    }).catch((error: unknown) => error as UserError);
    expect(failure).toBeInstanceOf(UserError);
    const step = Number(/step (\d+)$/.exec((failure as UserError).field)?.[1]);
    expect(step).toBeGreaterThan(1);
    expect((failure as UserError).message).toMatch(
      /^training \(foundation\): step \d+ must give finite numbers \(first not finite: layers\.1\.hook_pre; the state after step \d+ is kept as the last good checkpoint; a lower learning rate may help\), got "the (loss|gradient) is not finite"$/,
    );
    expect(rows).toHaveLength(1);
    expect(seen.checkpoints).toHaveLength(1);
    const [kept] = seen.checkpoints;
    expect((failure as UserError).message).toContain(`the state after step ${kept.step} is kept`);
    expect(kept.step).toBeLessThan(step);
    expect(kept.losses).toHaveLength(kept.step);
    expect(finite(kept)).toBe(true);
  });

  /** One layer, images so large that the first update overflows although its gradient is finite. */
  const overflowing: Setting = {
    widths: [2, 10],
    optimiser: { kind: 'sgd', learningRate: 1000 },
    images: (images) => images.fill(3e37),
  };

  test('an update that overflows: what is kept is the state before it, not the one with infinities', async () => {
    const seen = seeing();
    await expect(whole(overflowing, { ...PLAN, learningRate: 1000, clock: hours() }, seen.context)).rejects.toThrow(
      /step 1 must give finite numbers .*a parameter, by its update; the state after step 0 is kept/,
    );
    expect(seen.checkpoints.map(({ step }) => step)).toEqual([0]);
    expect(seen.checkpoints.every(finite)).toBe(true);
  });

  test('an update that overflows in the last step does not end in a result', async () => {
    const seen = seeing();
    await expect(whole(overflowing, { ...PLAN, learningRate: 1000, epochs: 1, rows: PLAN.rows.slice(0, 5) }, seen.context)).rejects.toThrow(
      /step 1 must give finite numbers .*got "a parameter is not finite"/,
    );
    expect(seen.checkpoints.every(finite)).toBe(true);
  });

  test('a poisoned image stops the step that reads it; a resumed run stores nothing that is not ahead', async () => {
    const poison: Setting = { images: (images) => (images[6 * 20 + 1] = NaN) };
    const order = new Random(7).fork('shuffle', 0).permutation(COUNT);
    const step = 1 + Math.floor(order.indexOf(20) / 8);
    const seen = seeing();
    await expect(whole(poison, PLAN, seen.context)).rejects.toThrow(`training (foundation): step ${step} must give finite numbers`);
    expect(seen.checkpoints.map((state) => state.step)).toEqual([step - 1]);
    const again = seeing({ resume: seen.checkpoints[0] });
    await expect(whole(poison, PLAN, again.context)).rejects.toThrow(`step ${step} must give finite numbers`);
    expect(again.checkpoints).toEqual([]);
  });

  test('a state that cannot be stored is said beside the divergence, not in its place', async () => {
    const { context } = seeing({
      checkpoint: async () => {
        throw new UserError('checkpoint: disk', 'must have room', 'none');
      },
    });
    await expect(whole({ images: (images) => images.fill(NaN) }, PLAN, context)).rejects.toThrow(
      /step 1 must give finite numbers \(first not finite: an unknown site; the state after step 0, the last good one, could not be kept: checkpoint: disk must have room/,
    );
  });
});

test('a checkpoint that is refused costs the run nothing; any other failure of storing ends it', async () => {
  const { context } = seeing({
    checkpoint: async () => {
      throw new UserError('checkpoint: disk', 'must have room', 'none');
    },
  });
  const refused = await whole({}, { ...PLAN, clock: hours() }, context);
  expect(refused).toEqual(await whole({}, PLAN, seeing().context));
  const broken = seeing({ checkpoint: () => Promise.reject(new Error('a bug')) });
  await expect(whole({}, { ...PLAN, clock: hours() }, broken.context)).rejects.toThrow('a bug');
});

test.each<[Partial<TrainingPlan>, string]>([
  [{ epochs: 0 }, 'training: epochs must be a positive integer, got 0'],
  [{ epochs: 1.5 }, 'training: epochs must be a positive integer, got 1.5'],
  [{ batch: 0 }, 'training: batch must be a positive integer, got 0'],
  [{ rows: new Int32Array(0) }, 'training: rows must be a positive integer, got 0'],
  [{ learningRate: 0 }, 'training: learningRate must be a number > 0, got 0'],
  [{ learningRate: Infinity }, 'training: learningRate must be a number > 0, got Infinity'],
  [{ learningRate: 1e4 }, 'optimiser.step: learningRate must be a number in [0, 1000], got 10000'],
  [{ batch: 9 }, 'step: rows must be 1 to 8 row numbers, got 9'],
  [{ temperature: { kind: 'linear', start: 1 } }, 'anneal: end must be given for linear, got undefined'],
])('a plan that cannot be is refused: %#', async (changes, message) => {
  await expect(whole({ adapter: 'dopamine' }, { ...PLAN, ...changes }, seeing().context)).rejects.toThrow(message);
});
