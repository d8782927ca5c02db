/** Job kinds for tests, which compute, dawdle, block and die on demand. Their engine process is testEngine.ts. */
import { throwIfCancelled, UserError } from '../../../engine/base/errors.ts';
import { Random } from '../../../engine/base/random.ts';
import type { JobContext, JobKind } from '../../../engine/contract.ts';

function kind<Parameters>(id: string, run: (parameters: Parameters, context: JobContext) => Promise<unknown>): JobKind {
  return { id, version: 1, keeps: 'findings', parse: (parameters) => parameters, run };
}

export interface WalkState {
  step: number;
  values: Float64Array;
}

function work(milliseconds: number): void {
  for (const end = performance.now() + milliseconds; performance.now() < end;);
}

export const testKinds: readonly JobKind[] = [
  /** A random walk whose every step depends on all before it; each step takes a millisecond. */
  kind<{ steps: number; every: number; seed: number }>(
    'walk',
    async ({ steps, every, seed }, { resume, progress, checkpoint, breathe }) => {
      const random = new Random(seed);
      const state = (resume as WalkState | undefined) ?? { step: 0, values: new Float64Array(64) };
      const { values } = state;
      for (let step = state.step; step < steps; step++) {
        const stream = random.fork(step);
        for (let i = 0; i < values.length; i++) values[i] = Math.sin(values[i] * 3.7 + values[(i + 1) % 64]) + stream.normal();
        work(1);
        progress({ stage: 'walk', done: step + 1, total: steps, figures: { first: values[0] } });
        if ((step + 1) % every === 0) await checkpoint({ step: step + 1, values });
        await breathe();
      }
      return { values, resumedFrom: state.step };
    },
  ),
  /** Waits politely, then tells what it was given. */
  kind<{ milliseconds: number }>('wait', async ({ milliseconds }, { threads, signal, breathe, progress }) => {
    progress({ stage: 'wait', done: 0, total: 1 });
    for (const end = performance.now() + milliseconds; performance.now() < end; await breathe()) work(2);
    throwIfCancelled(signal);
    return { threads, pid: process.pid };
  }),
  kind('block', async (_parameters, { progress, breathe }) => {
    progress({ stage: 'block', done: 0, total: 1 });
    await breathe();
    for (;;);
  }),
  /** Dies at once; with `checkpoints`, stores one more than it found before it does, until there are that many. */
  kind<{ checkpoints?: number }>('die', async ({ checkpoints = 0 }, { resume, checkpoint }) => {
    const before = (resume as number | undefined) ?? 0;
    if (checkpoints > 0 && before === checkpoints) return before;
    if (before < checkpoints) await checkpoint(before + 1);
    process.stderr.write(`${'x'.repeat(10_000)}\nthe last words\n`, () => process.exit(7));
    return new Promise(() => undefined);
  }),
  kind('mistake', async () => {
    throw new UserError('mistake: unit', 'must be an integer in [0, 63]', 64);
  }),
  kind('bug', async () => {
    throw new TypeError('a bug in a job');
  }),
  kind('uncaught', async () => {
    setTimeout(() => {
      throw new TypeError('a bug in a timer');
    });
    return new Promise(() => undefined);
  }),
  kind('uncloneable', async () => () => undefined),
  /** Goes on without a checkpoint that could not be stored. */
  kind('stubborn', async (_parameters, { checkpoint }) => checkpoint('state').catch((error: Error) => `${error.name}: ${error.message}`)),
];
