/** The command interrupted, killed and started twice: nothing is lost, nothing is left, and the report is that of an undisturbed run. */
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { childrenOf, command, complaints, entry, isRunning, start } from './testing/command.ts';
import { keptIn, keptInState } from './testing/kept.ts';

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'gatescope-interruption-'))));
afterAll(() => rmSync(folder, { recursive: true }));

const protocol = (adapters: string) => ['run', 'dopamine', '--seeds', '1', '--adapters', adapters, '--parts', '', '--json'];
/** A foundation, an adapter and the test images, in a session. */
const run = (session: string) => [...protocol('dopamine'), '--session', join(folder, session)];
/** Without an adapter, and with what it keeps in a folder for state. */
const short = (state: string) => [...protocol(''), '--cores', '2', '--state', join(folder, state)];
const kept = (session: string) => keptIn(join(folder, session));

/** Long enough for a machine with much else to do: nothing here is about time. */
const patience = { timeout: 120_000, interval: 50 };
const timeout = 300_000;
/** Resolves once a training is stored. */
const foundation = (session: string) => expect.poll(() => Object.keys(kept(session)).length, patience).toBe(1);
const gone = (pids: readonly number[]) => expect.poll(() => pids.filter(isRunning), patience).toEqual([]);

describe.skipIf(process.platform !== 'linux')('a run', { timeout }, () => {
  test('that is killed, doubled and interrupted ends as an undisturbed one, with nothing finished done again', async () => {
    // The command itself is killed: its engines end by themselves, what is finished stays.
    const killed = start(run('session'));
    await foundation('session');
    const orphans = childrenOf(killed.pid);
    expect(orphans.length).toBeGreaterThan(0);
    killed.kill('SIGKILL');
    expect(await killed.ended).toMatchObject({ signal: 'SIGKILL', stdout: '' });
    await gone(orphans);
    const finished = kept('session');
    expect(Object.keys(finished)).toHaveLength(1);

    // The next takes over its lock. Meanwhile, a second one is told so.
    const interrupted = start(run('session'), { group: true });
    await expect.poll(() => childrenOf(interrupted.pid).length, patience).toBeGreaterThan(0);
    const second = await command(...run('session'));
    expect(second).toMatchObject({ code: 2, stdout: '' });
    expect(second.stderr).toMatch(
      /^gatescope: session: file must not be in use \(somebody else is writing to it; .*\), got ".*session"\n$/,
    );

    // Ctrl-C goes to the whole group.
    const engines = childrenOf(interrupted.pid);
    process.kill(-interrupted.pid, 'SIGINT');
    const { code, stdout, stderr } = await interrupted.ended;
    expect({ code, stdout, stderr }).toEqual({
      code: 130,
      stdout: '',
      stderr: 'gatescope: interrupted; the same command goes on from where it was\n',
    });
    expect(engines.filter(isRunning)).toEqual([]);
    expect(kept('session')).toMatchObject(finished);

    const resumed = await command(...run('session'));
    expect(resumed).toMatchObject({ code: 0, stderr: '' });
    const all = kept('session');
    expect(all).toMatchObject(finished); // the foundation was not stored again
    expect(readdirSync(folder)).toEqual(['session']);
    expect(await command(...run('session'))).toMatchObject({ code: 0, stdout: resumed.stdout });
    expect(kept('session')).toEqual(all); // nor anything else

    const undisturbed = await command(...run('other'));
    expect(resumed.stdout).toBe(undisturbed.stdout);
    const digests = (session: string) => Object.entries(kept(session)).map(([key, digest]) => [key, digest.slice(0, 64)]);
    expect(digests('session')).toEqual(digests('other'));
    const report = JSON.parse(resumed.stdout) as { seeds: unknown[]; claims: unknown[] };
    const accuracy = { 0: expect.any(Number) as number, 45: expect.any(Number) as number };
    expect(report).toMatchObject({
      protocol: 'dopamine',
      seeds: [{ seed: 1, frozen: accuracy, adapters: { dopamine: { parameters: 768, soft: accuracy, hard: accuracy } } }],
    });
    for (const claim of report.claims) expect(Object.keys(claim as object)).toEqual(['claim', 'measured', 'status']);
    expect(resumed.stdout).toMatch(/^[^\n]+\n$/);
  });

  test('that is interrupted twice ends at once, whatever its engines do', async () => {
    const { pid, child, kill, ended } = start(short('twice'));
    await expect.poll(() => childrenOf(pid).length, patience).toBeGreaterThan(0);
    const engines = childrenOf(pid);
    // They cannot even hear of the first, so that only the second can end it without a word. Two signals, since two of one may count as one.
    for (const engine of engines) process.kill(engine, 'SIGSTOP');
    const exit = once(child, 'exit');
    kill('SIGINT');
    kill('SIGTERM');
    expect(await exit).toEqual([130, null]);
    for (const engine of engines) process.kill(engine, 'SIGCONT'); // they hold our end of its stderr
    expect(await ended).toMatchObject({ code: 130, stdout: '', stderr: '' });
    await gone(engines);
  });

  test('whose report cannot be written keeps what it computed, and one core gives the same bytes', async () => {
    const full = spawnSync('sh', ['-c', '"$0" "$@" > /dev/full', process.execPath, entry, ...short('unwritten')], { encoding: 'utf8' });
    expect(full.status).toBe(2);
    expect(complaints(full.stderr)).toBe('gatescope: output must take what is written, got "ENOSPC"\n');
    const state = join(folder, 'unwritten');
    const before = keptInState(state);
    expect(Object.keys(before)).toHaveLength(3); // the foundation, its accuracy, the report

    const unread = start(short('unwritten'));
    unread.child.stdout.destroy();
    expect(await unread.ended).toMatchObject({ code: 2, stderr: 'gatescope: output must be read to its end, got "EPIPE"\n' });
    expect(keptInState(state)).toEqual(before); // nothing was left to compute

    const read = await command(...short('unwritten'));
    expect(read).toMatchObject({ code: 0, stderr: '' });
    expect(readdirSync(state)).toEqual([]);
    expect((await command(...short('one core'), '--cores', '1')).stdout).toBe(read.stdout);
  });
});

describe.skipIf(!canMount())('a disk', { timeout }, () => {
  /** The command with a tmpfs as its state folder, in a mount namespace of its own. */
  const on = (options: string) => {
    const args = short('disk');
    execFileSync('mkdir', ['-p', join(folder, 'disk')]);
    const script = `mount -t tmpfs -o ${options} tmpfs "${join(folder, 'disk')}" && exec "$0" "$@"`;
    const { stderr, ...rest } = spawnSync('unshare', ['-m', 'sh', '-c', script, process.execPath, entry, ...args], { encoding: 'utf8' });
    return { ...rest, stderr: complaints(stderr) };
  };

  test('that is full costs the state but not the report, and is told', () => {
    const { status, stdout, stderr } = on('size=700k');
    expect(status).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ protocol: 'dopamine' });
    expect(stderr).toMatch(/^gatescope: session: file must have space left on its disk \(.*\), got ".*"\n$/);
  });

  test('that is read-only is told at once', () => {
    const { status, stdout, stderr } = on('ro');
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/^gatescope: run: --state must not be on a read-only file system \(EROFS.*\), got ".*"\n$/);
  });
});

function canMount(): boolean {
  return spawnSync('unshare', ['-m', 'sh', '-c', 'mount -t tmpfs tmpfs "$0"', tmpdir()]).status === 0;
}
