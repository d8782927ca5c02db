/** The whole protocol, each kind of adapter on two seeds, as nothing disturbs it and as everything does: the same bytes. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Random } from '../../engine/base/random.ts';
import { childrenOf, command, isRunning, start } from './testing/command.ts';

let folder: string;
let undisturbed: string;
const run = (state: string, cores: number) => [
  'run',
  'dopamine',
  '--seeds',
  '0,5',
  '--adapters',
  'dopamine,lora-r4,full',
  '--json',
  '--cores',
  String(cores),
  '--state',
  join(folder, state),
];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gatescope-full-'));
  const { code, stdout } = await command(...run('undisturbed', 2));
  expect(code).toBe(0);
  undisturbed = stdout;
});
afterAll(() => rmSync(folder, { recursive: true }));

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const resultsIn = (state: string) =>
  existsSync(join(folder, state))
    ? readdirSync(join(folder, state), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.result')).length
    : 0;

describe.skipIf(process.platform !== 'linux')('a run', () => {
  test.each([1, 4])('on %d cores', async (cores) => {
    expect(await command(...run(`cores${cores}`, cores))).toMatchObject({ code: 0, stdout: undisturbed });
  });

  test('whose engines are killed, once after every result', async () => {
    const { pid, child, ended } = start(run('killed', 2));
    const random = new Random(2);
    let kills = 0;
    for (let seen = -1; child.exitCode === null && child.signalCode === null; await pause(20)) {
      const found = resultsIn('killed');
      if (found <= seen) continue;
      seen = found;
      await pause(200 + 1200 * random.uniform());
      const engines = childrenOf(pid);
      if (engines.length === 0) continue;
      process.kill(engines[random.integer(engines.length)], 'SIGKILL');
      kills++;
    }
    expect(await ended).toMatchObject({ code: 0, stdout: undisturbed });
    expect(kills).toBeGreaterThan(3);
  });

  test.each(['SIGKILL', 'SIGINT', 'SIGTERM', 'SIGHUP'] as const)('that %s ends again and again', async (signal) => {
    const random = new Random(3);
    for (let go = 0; ; go++) {
      const { pid, child, ended } = start(run(signal, 2));
      const before = resultsIn(signal);
      // Sometimes at any moment, sometimes once it is further than last time, so that it ends at all.
      await pause(1500 * random.uniform());
      if (go % 2 === 1) while (child.exitCode === null && resultsIn(signal) <= before) await pause(20);
      const engines = childrenOf(pid);
      if (child.exitCode === null) process.kill(pid, signal);
      const { code, stdout } = await ended;
      await expect.poll(() => engines.filter(isRunning), { timeout: 3000 }).toEqual([]);
      if (code !== 0) {
        expect({ code, stdout }).toEqual({ code: signal === 'SIGKILL' || signal === 'SIGHUP' ? null : 130, stdout: '' });
        if (go < 40) continue;
      }
      expect(stdout).toBe(undisturbed);
      break;
    }
    expect(readdirSync(join(folder, signal))).toEqual([]);
  });
});
