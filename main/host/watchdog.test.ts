/** Silence is noticed, and signs of life put it off; an engine that speaks now and then is left alone. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { FromEngine } from '../../engine/contract.ts';
import { EngineClient } from './engineClient.ts';
import { Watchdog } from './watchdog.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('barks once, after the whole silence, and not when it was called off', () => {
  const bark = vi.fn();
  const watchdog = new Watchdog(1000, bark);
  vi.advanceTimersByTime(900);
  watchdog.heard();
  vi.advanceTimersByTime(900);
  expect(bark).not.toHaveBeenCalled();
  vi.advanceTimersByTime(5000);
  expect(bark).toHaveBeenCalledTimes(1);
  const calledOff = vi.fn();
  new Watchdog(1000, calledOff)[Symbol.dispose]();
  vi.advanceTimersByTime(5000);
  expect(calledOff).not.toHaveBeenCalled();
});

test('an engine that gives signs of life is let work for as long as it takes', async () => {
  let say: (message: FromEngine) => void = () => undefined;
  const kill = vi.fn();
  const engine = new EngineClient(
    ({ onMessage }) => {
      say = onMessage;
      return { pid: 1, send: () => undefined, kill };
    },
    { silence: 1000 },
  );
  const done = engine.run({
    request: { kind: 'long', parameters: {} },
    threads: 1,
    resume: undefined,
    signal: new AbortController().signal,
    onProgress: () => undefined,
    onCheckpoint: async () => undefined,
  });
  for (let second = 0; second < 60; second++) {
    vi.advanceTimersByTime(900);
    say({ type: 'alive', job: 1 });
  }
  expect(kill).not.toHaveBeenCalled();
  say({ type: 'done', job: 1, result: 'at last' });
  expect(await done).toBe('at last');
  vi.advanceTimersByTime(10_000);
  expect(kill).not.toHaveBeenCalled();
});
