/** The Dopamine protocol, as nothing disturbs it and as everything does: the same bytes, and a session that opens every time. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Random } from '../../engine/base/random.ts';
import { Session } from '../store/session.ts';
import { childrenOf, command, isRunning, start } from './testing/command.ts';
import { finishedIn, keptIn, keptInState } from './testing/kept.ts';

let folder: string;
let undisturbed: string;
/** Each kind of adapter on two seeds. */
const protocol = ['run', 'dopamine', '--seeds', '0,5', '--adapters', 'dopamine,lora-r4,full', '--parts', '', '--json'];
const run = (state: string, cores: number) => [...protocol, '--cores', String(cores), '--state', join(folder, state)];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gatescope-full-'));
  const { code, stdout } = await command(...run('undisturbed', 2));
  expect(code).toBe(0);
  undisturbed = stdout;
});
afterAll(() => rmSync(folder, { recursive: true }));

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const resultsIn = (state: string) => Object.keys(keptInState(join(folder, state))).length;
const gone = (pids: readonly number[]) => expect.poll(() => pids.filter(isRunning), { timeout: 60_000 }).toEqual([]);

describe.skipIf(process.platform !== 'linux')('a run', () => {
  test.each([1, 4])('on %d cores', async (cores) => {
    expect(await command(...run(`cores${cores}`, cores))).toMatchObject({ code: 0, stdout: undisturbed });
  });

  test('whose engines are killed, once after every result', async () => {
    const { pid, child, ended } = start(run('killed', 2));
    const random = new Random(2);
    let kills = 0;
    for (let seen = -1; child.exitCode === null && child.signalCode === null; await pause(50)) {
      const found = resultsIn('killed');
      if (found <= seen) continue;
      seen = found;
      await pause(200 + 1200 * random.uniform());
      const engines = childrenOf(pid);
      if (engines.length === 0) continue;
      // The one that has been at work the longest: an engine that dies again and again before it has stored anything ends its job.
      process.kill(Math.min(...engines), 'SIGKILL');
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
      // Before it is at work, a signal ends it like any other program.
      while (child.exitCode === null && childrenOf(pid).length === 0) await pause(20);
      // Sometimes at any moment, sometimes once it is further than last time, so that it ends at all.
      await pause(1500 * random.uniform());
      if (go % 2 === 1) while (child.exitCode === null && resultsIn(signal) <= before) await pause(50);
      const engines = childrenOf(pid);
      if (child.exitCode === null) process.kill(pid, signal);
      const { code, stdout } = await ended;
      await gone(engines);
      if (code !== 0) {
        expect(code).toBe(signal === 'SIGKILL' || signal === 'SIGHUP' ? null : 130);
        expect(['', undisturbed]).toContain(stdout); // it may have been ended between its report and its end
        if (go < 40) continue;
      }
      expect(stdout).toBe(undisturbed);
      break;
    }
    expect(readdirSync(join(folder, signal))).toEqual([]);
  });
});

describe.skipIf(process.platform !== 'linux')('a session', () => {
  /** Training and analyses, some of which take a moment and some long. */
  const errand = (seed: number, session: string) => [
    ...['run', 'dopamine', '--seeds', String(seed), '--adapters', 'dopamine,lora-r4', '--parts', 'neurons,retention,angles', '--json'],
    ...['--session', join(folder, session)],
  ];
  const digests = (session: string) => Object.entries(keptIn(join(folder, session))).map(([key, row]) => [key, row.slice(0, 64)]);

  test('whose writer is killed at 50 random moments opens every time, has lost nothing, and ends with the same bits', async () => {
    const random = new Random(50);
    let kills = 0;
    for (let seed = 0; kills < 50; seed++) {
      const session = `killed-${seed}`;
      const path = join(folder, session);
      let known: Record<string, string> = {};
      let stdout = '';
      for (let over = false; !over;) {
        const { pid, child, ended } = start(errand(seed, session));
        // A whole go may last longer than the longest of these moments, so that something is gained each time.
        const moment = kills < 50 ? 500 + 8000 * random.uniform() ** 2 : Infinity;
        const begun = performance.now();
        while (child.exitCode === null && performance.now() - begun < moment) {
          await pause(100);
          known = { ...known, ...keptIn(path) };
        }
        const engines = childrenOf(pid);
        if (child.exitCode === null) child.kill('SIGKILL');
        const end = await ended;
        await gone(engines);
        over = end.code === 0;
        if (over) stdout = end.stdout;
        else kills++;
        if (!over && end.signal !== 'SIGKILL') throw new Error(`it ended by itself: ${end.stderr}`);
        if (!existsSync(path)) continue; // killed before it had made it
        using reader = Session.open(path, 'read');
        expect(reader.check()).toEqual([]);
        expect(finishedIn(reader)).toMatchObject(known);
        known = finishedIn(reader);
      }
      expect(await command(...errand(seed, `whole-${seed}`))).toMatchObject({ code: 0, stdout });
      expect(digests(session).sort()).toEqual(digests(`whole-${seed}`).sort());
      // A writer that closes while somebody reads leaves its log to the next one, and the looks above are readers.
      Session.open(path, 'write').close();
      expect(readdirSync(folder).filter((name) => name.startsWith(`${session}-`) || name === session)).toEqual([session]);
    }
    expect(kills).toBe(50);
  });
});
