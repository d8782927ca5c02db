/** Engines as processes: they die with their host, whatever they are doing, and leave a Ctrl-C to it. */
import { spawn as spawnProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { EngineClient } from './engineClient.ts';
import { spawnEngine } from './spawn.ts';
import { recordingSpawn } from './testing/recordingSpawn.ts';

/** A dead process may stay in the table for a while, unless somebody waits for it. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== 'linux' || !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

test.each(['wait', 'block'])('an engine at a %s job ends when its host is killed', async (kind) => {
  const host = spawnProcess(process.execPath, [fileURLToPath(new URL('testing/doomedHost.ts', import.meta.url)), kind], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(host.stdout, 'data')) as [Buffer];
  const pid = Number(line.toString());
  expect(isRunning(pid)).toBe(true);
  host.kill('SIGKILL');
  await expect.poll(() => isRunning(pid), { timeout: 3000, interval: 20 }).toBe(false);
});

const job = {
  threads: 1,
  resume: undefined,
  signal: new AbortController().signal,
  onProgress: () => undefined,
  onCheckpoint: async () => undefined,
};

test('the engine with the real job kinds starts, and refuses kinds it does not know', async () => {
  const engine = new EngineClient(spawnEngine);
  await expect(engine.run({ ...job, request: { kind: 'nosuch', parameters: {} } })).rejects.toThrow('run: kind must be one of');
  expect(engine.alive).toBe(true);
  await engine.kill();
  expect(engine.alive).toBe(false);
  await expect(engine.run({ ...job, request: { kind: 'nosuch', parameters: {} } })).rejects.toThrow('signal SIGKILL');
});

test('an engine that hangs is ended', async () => {
  const { spawn } = recordingSpawn();
  const hung = new EngineClient(spawn, { silence: 500 });
  await expect(hung.run({ ...job, request: { kind: 'block', parameters: {} } })).rejects.toThrow(
    'engine ended with no sign of life for 0.5 s',
  );
  expect(hung.alive).toBe(false);
});

test('an interrupt from the terminal does not end an engine', async () => {
  const { spawn, engines } = recordingSpawn();
  const engine = new EngineClient(spawn);
  const onProgress = (): void => void process.kill(engines[0].pid!, 'SIGINT');
  await engine.run({ ...job, onProgress, request: { kind: 'wait', parameters: { milliseconds: 100 } } });
  expect(engine.alive).toBe(true);
  await engine.kill();
});
