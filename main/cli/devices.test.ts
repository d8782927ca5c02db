/** What `devices` and `doctor` tell of devices that run, that do not, that crash and that never answer; of engines that only say so. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { DeviceReport } from '../../engine/execute/devices.ts';
import type { SpawnEngine } from '../host/spawn.ts';
import { checkInEngine } from '../host/devices.ts';
import { here } from './testing/here.ts';

const parity = { reference: 'tensorflow-cpu', errors: { forward: 1e-7, gradient: 2e-7, interchange: 3e-7 }, limit: 1e-5, agrees: true };

/** The CPU runs, WebGPU crashes its process, another never answers, the rest are not here. */
const engines: SpawnEngine = ({ onMessage, onEnd }) => ({
  pid: undefined,
  send: (message) => {
    if (message.type !== 'run') return;
    const { device } = message.request.parameters as { device: DeviceReport['device'] };
    const report = (result: DeviceReport) => setImmediate(() => onMessage({ type: 'done', job: message.job, result }));
    if (device === 'cpu') report({ device, runs: true, parity });
    else if (device === 'webgpu') setImmediate(() => onEnd('signal SIGSEGV', 'loading\nthe driver says no\n'));
    else if (device !== 'dml') report({ device, runs: false, reason: 'it is not here' });
  },
  kill: () => setImmediate(() => onEnd('signal SIGKILL', '')),
});
const quick: SpawnEngine = (events) => {
  const engine = engines(events);
  return {
    ...engine,
    send: (message) => {
      if (message.type === 'run' && (message.request.parameters as { device: string }).device === 'dml')
        setImmediate(() =>
          events.onMessage({ type: 'done', job: message.job, result: { device: 'dml', runs: false, reason: 'Windows only' } }),
        );
      else engine.send(message);
    },
  };
};

test('devices: a table, or JSON', async () => {
  const { code, stdout } = await here(['devices'], { spawn: quick });
  expect(code).toBe(0);
  expect(stdout).toMatch(/^cpu +runs +as tensorflow-cpu does: /m);
  expect(stdout).toMatch(
    /^webgpu +unavailable +its driver crashed the process \(signal SIGSEGV\), whose last words were: the driver says no$/m,
  );
  const reports = JSON.parse((await here(['devices', '--json'], { spawn: quick })).stdout) as DeviceReport[];
  expect(reports.map(({ runs }) => runs).filter(Boolean)).toHaveLength(1);
});

test('a device that never answers is given up', async () => {
  expect(await checkInEngine('dml', new AbortController().signal, engines, 50)).toEqual({
    device: 'dml',
    runs: false,
    reason: 'it gave no answer within 0.05 s',
  });
  await expect(checkInEngine('dml', AbortSignal.abort(), engines)).rejects.toThrow('cancelled');
});

test('doctor: what is needed and here, what is missing and not needed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatescope-doctor-'));
  const { XDG_STATE_HOME: before } = process.env;
  process.env.XDG_STATE_HOME = join(folder, 'state');
  const { code, stdout, stderr } = await here(['doctor', '--json'], { spawn: quick });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const findings = JSON.parse(stdout) as { what: string; state: string; detail: string }[];
  const states = Object.fromEntries(findings.map(({ what, state }) => [what, state]));
  expect(states).toMatchObject({
    Node: 'ok',
    commander: 'ok',
    SQLite: 'ok',
    state: 'ok',
    mnist: 'ok',
    'device cpu': 'ok',
    'device webgpu': 'absent',
  });
  expect(findings.find(({ what }) => what === 'state')!.detail).toBe(join(folder, 'state', 'gatescope', 'runs'));

  const broken: SpawnEngine = (events) => ({
    ...quick(events),
    send: () => setImmediate(() => events.onEnd('exit code 1', 'no such library')),
  });
  const ended = await here(['doctor'], { spawn: broken });
  expect(ended.code).toBe(2);
  expect(ended.stdout).toMatch(/^device cpu +broken +its driver crashed the process \(exit code 1\)/m);
  expect(ended.stderr).toMatch(/^gatescope: doctor: installation must be whole, got \[device cpu\]\n$/);
  if (before === undefined) delete process.env.XDG_STATE_HOME;
  else process.env.XDG_STATE_HOME = before;
  rmSync(folder, { recursive: true });
});
