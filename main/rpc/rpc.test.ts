/** Calls, errors, progress, cancellation, events and disconnection over a real MessageChannel. */
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { Cancelled, UserError } from '../../engine/base/errors.ts';
import { connect, Disconnected } from './client.ts';
import { serve } from './serve.ts';
import type { CallContext, Wire } from './wire.ts';

function wireOf(port: MessagePort): Wire {
  return {
    post: (message) => port.postMessage(message),
    onMessage: (listener) => void port.on('message', listener),
    onClose: (listener) => void port.on('close', listener),
  };
}

const methods = {
  double: ({ n }: { n: number }) => 2 * n,
  refuse: ({ n }: { n: number }) => {
    throw new UserError('double: n', 'must be even', n);
  },
  fall: () => {
    throw new RangeError('broken');
  },
  wait: (_given: object, { signal, progress }: CallContext<number>) =>
    new Promise<string>((resolve) => {
      progress(1);
      signal.addEventListener('abort', () => resolve('called off'), { once: true });
    }),
  arrays: ({ values }: { values: Float32Array }) => ({ values: values.map((value) => -value), nested: new Map([['a', [1n]]]) }),
};

function pair() {
  const { port1, port2 } = new MessageChannel();
  const events: string[] = [];
  const bugs: unknown[] = [];
  const served = serve<string>(methods, wireOf(port1), (error) => bugs.push(error));
  const host = connect<typeof methods, string>(wireOf(port2), (event) => events.push(event));
  return { served, host, events, bugs, close: () => port1.close() };
}

test('results and arrays arrive as they were given', async () => {
  const { host, close } = pair();
  expect(await host.double({ n: 21 })).toBe(42);
  const values = Float32Array.of(1, -0, NaN);
  expect(await host.arrays({ values })).toEqual({ values: Float32Array.of(-1, 0, NaN), nested: new Map([['a', [1n]]]) });
  close();
});

test('a mistake keeps its field, a bug is reported and keeps its message', async () => {
  const { host, bugs, close } = pair();
  await expect(host.refuse({ n: 3 })).rejects.toMatchObject({ name: 'UserError', field: 'double: n', value: '3' });
  expect(bugs).toEqual([]);
  await expect(host.fall({})).rejects.toThrow('broken');
  expect(bugs).toEqual([expect.any(RangeError)]);
  await expect((host as unknown as Record<string, (given: object) => Promise<unknown>>).nosuch({})).rejects.toBeInstanceOf(UserError);
  close();
});

test('a call that is called off ends at once, and its method is told', async () => {
  const { host, close } = pair();
  const controller = new AbortController();
  let heard = 0;
  const waiting = host.wait({}, { signal: controller.signal, progress: (one) => (heard = one) });
  await expect.poll(() => heard).toBe(1);
  controller.abort();
  await expect(waiting).rejects.toBeInstanceOf(Cancelled);
  expect(await host.double({ n: 1 })).toBe(2);
  close();
});

test('events arrive in order; when the wire closes, calls reject', async () => {
  const { served, host, events, close } = pair();
  served.send('one');
  served.send('two');
  await expect.poll(() => events).toEqual(['one', 'two']);
  const waiting = host.wait({});
  close();
  await expect(waiting).rejects.toBeInstanceOf(Disconnected);
  await expect(host.double({ n: 1 })).rejects.toBeInstanceOf(Disconnected);
});
