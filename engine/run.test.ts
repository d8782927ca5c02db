/** The one door, and the engine's side of the messages, without a process around it. */
import { expect, test } from 'vitest';
import { UserError } from './base/errors.ts';
import type { FromEngine, JobKind, ToEngine } from './contract.ts';
import { serve } from './engine.ts';
import { jobKinds } from './jobs/index.ts';
import { contextOf } from './jobs/testing/context.ts';
import { run } from './run.ts';

const context = contextOf();

/** Gives back its parameters, once it has breathed and stored them with the functions taken out of their context. */
const echo: JobKind = {
  id: 'echo',
  version: 1,
  keeps: 'nothing',
  parse: (parameters) => ({ parsed: parameters }),
  run: async (parameters, { progress, checkpoint, breathe }) => {
    await breathe();
    for (let done = 0; done <= 1000; done++) progress({ stage: 'echo', done, total: 1000 });
    await checkpoint(parameters);
    return parameters;
  },
};

/** An engine with `echo` in this process: what it sent, and a way to send to it. */
function engine() {
  const sent: FromEngine[] = [];
  let deliver: ((message: ToEngine) => void) | undefined;
  serve({ send: (message) => void sent.push(message), onMessage: (listener) => (deliver = listener) }, [echo]);
  return { sent, send: (message: ToEngine) => deliver!(message) };
}
const start = (job: number): ToEngine => ({ type: 'run', job, request: { kind: 'echo', parameters: 5 }, threads: 1, resume: undefined });

test('run computes from parsed parameters and refuses a kind it does not know', async () => {
  expect(await run({ kind: 'echo', parameters: 5 }, context, [echo])).toEqual({ parsed: 5 });
  await expect(run({ kind: 'ehco', parameters: 5 }, context, [echo])).rejects.toThrow(
    new UserError('run: kind', 'must be one of echo', 'ehco'),
  );
});

test('no two job kinds have the same id', () => {
  const ids = jobKinds.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
});

test('an engine sends the first and the last progress before the checkpoint, and ends when that is stored', async () => {
  const { sent, send } = engine();
  send(start(1));
  await expect.poll(() => sent.at(-1)).toEqual({ type: 'checkpoint', job: 1, checkpoint: 1, state: { parsed: 5 } });
  expect(sent.map((message) => message.type === 'progress' && message.progress.done)).toEqual([0, 1000, false]);
  send({ type: 'stored', job: 2, checkpoint: 1 }); // of another job
  send({ type: 'stored', job: 1, checkpoint: 1 });
  await expect.poll(() => sent.at(-1)).toEqual({ type: 'done', job: 1, result: { parsed: 5 } });
});

test('an engine takes one job at a time, and passes on why a checkpoint was refused', async () => {
  const { sent, send } = engine();
  send(start(1));
  send(start(2));
  await expect.poll(() => sent.find((message) => message.type === 'failed')).toMatchObject({ job: 2, failure: { kind: 'bug' } });
  await expect.poll(() => sent.at(-1)?.type).toBe('checkpoint');
  const failure = { kind: 'mistake', message: 'full', field: 'a', rule: 'b', value: '3' } as const;
  send({ type: 'refused', job: 1, checkpoint: 1, failure });
  const { value: _value, ...kept } = failure;
  await expect.poll(() => sent.at(-1)).toMatchObject({ type: 'failed', job: 1, failure: kept });
});
