/** The engine that answers at once: what is newest counts, weights go once, and a dead engine is replaced. */
import { expect, test } from 'vitest';
import { Cancelled } from '../../../engine/base/errors.ts';
import type { JobKind } from '../../../engine/contract.ts';
import type { ClassifierModel } from '../../../engine/models/classifier.ts';
import type { SpawnEngine } from '../spawn.ts';
import { engineWith } from '../testing/engineHere.ts';
import { recordingSpawn } from '../testing/recordingSpawn.ts';
import { LiveEngine } from './liveEngine.ts';
import { until } from '../testing/until.ts';

const signal = new AbortController().signal;

/** Kinds that answer when they are told to. */
function kinds() {
  const asked: unknown[] = [];
  const waiting: (() => void)[] = [];
  const held = new Set<string>();
  const kind = (id: string, run: JobKind['run']): JobKind => ({ id, version: 1, keeps: 'nothing', parse: (given) => given, run });
  const slow: JobKind['run'] = async (parameters) => {
    asked.push(parameters);
    await new Promise<void>((resolve) => waiting.push(resolve));
    return parameters;
  };
  const made: readonly JobKind[] = [
    kind('liveAnswer', slow),
    kind('pathAccuracy', slow),
    kind('holding', async (given) => {
      const { digest, model } = given as { digest: string; model?: unknown };
      asked.push(given);
      if (model) held.add(digest);
      return held.has(digest) ? `answer of ${digest}` : { missing: [digest] };
    }),
  ];
  return { kinds: made, asked, next: () => waiting.shift()!(), waiting };
}

test('a newer question of the same window takes the place of the one that waits; another window has its turn', async () => {
  const { kinds: known, asked, next, waiting } = kinds();
  const live = new LiveEngine(engineWith(known));
  const [mine, yours] = [{}, {}];
  const ask = (window: object, n: number, kind = 'liveAnswer') =>
    live.ask<number>({ window, overtakes: kind, signal, kind, parameters: () => n });
  const first = ask(mine, 1);
  await until(() => waiting.length === 1);
  const slow = ask(mine, 10, 'pathAccuracy');
  const second = ask(mine, 2);
  const other = ask(yours, 20);
  const third = ask(mine, 3);
  await expect(second).rejects.toBeInstanceOf(Cancelled);
  for (let i = 0; i < 4; i++) {
    await until(() => waiting.length === 1);
    next();
  }
  expect(await Promise.all([first, third, other, slow])).toEqual([1, 3, 20, 10]);
  expect(asked).toEqual([1, 20, 3, 10]); // what is asked many times a second comes first
  await live.dispose();
});

test('a model is sent when the engine has not got it, once', async () => {
  const { kinds: known, asked } = kinds();
  const live = new LiveEngine(engineWith(known));
  let loads = 0;
  const model = (): ClassifierModel => {
    loads++;
    return { seed: loads } as ClassifierModel;
  };
  const question = {
    window: {},
    signal,
    kind: 'holding',
    model,
    parameters: (models: ReadonlyMap<string, object>) => ({ digest: 'd', ...models.get('d') }),
  };
  expect(await live.ask(question)).toBe('answer of d');
  expect(await live.ask(question)).toBe('answer of d');
  expect(asked).toEqual([{ digest: 'd' }, { digest: 'd', model: { seed: 1 } }, { digest: 'd' }]);
  expect(loads).toBe(1);
  await live.dispose();
});

test('a question that is called off, or whose window has gone, is answered by Cancelled', async () => {
  const { kinds: known, next, waiting } = kinds();
  const live = new LiveEngine(engineWith(known));
  const window = {};
  const running = live.ask({ window: {}, signal, kind: 'liveAnswer', parameters: () => 1 });
  await until(() => waiting.length === 1);
  const controller = new AbortController();
  const off = live.ask({ window: {}, signal: controller.signal, kind: 'liveAnswer', parameters: () => 2 });
  const gone = live.ask({ window, signal, kind: 'liveAnswer', parameters: () => 3 });
  controller.abort();
  live.forget(window);
  await expect(off).rejects.toBeInstanceOf(Cancelled);
  await expect(gone).rejects.toBeInstanceOf(Cancelled);
  next();
  expect(await running).toBe(1);
  await live.dispose();
  await expect(live.ask({ window, signal, kind: 'liveAnswer', parameters: () => 4 })).rejects.toBeInstanceOf(Cancelled);
});

test('an engine that dies is replaced, and the question asked again; one that kills every engine is given up', async () => {
  const { spawn, engines } = recordingSpawn();
  let deaths = 1;
  const dying: SpawnEngine = (events) => {
    const engine = spawn(events);
    if (deaths-- > 0) engine.kill();
    return engine;
  };
  const live = new LiveEngine(dying);
  const ask = (kind: string) => live.ask({ window: {}, signal, kind, parameters: () => ({ milliseconds: 1 }) });
  expect(await ask('wait')).toMatchObject({ threads: 1 });
  expect(engines).toHaveLength(2);
  await expect(ask('die')).rejects.toThrow('the last words');
  expect(engines).toHaveLength(4);
  expect(await ask('wait')).toMatchObject({ threads: 1 });
  await live.dispose();
  expect(engines.every(({ ended }) => ended !== undefined)).toBe(true);
});
