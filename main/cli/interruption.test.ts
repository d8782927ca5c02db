/** The command interrupted, killed and started twice: nothing is lost, nothing is left, and the report is that of an undisturbed run. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { childrenOf, command, complaints, entry, isRunning, start } from './testing/command.ts';

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'gatescope-interruption-'))));
afterAll(() => rmSync(folder, { recursive: true }));

/** A foundation, two adapters and the test images: some four seconds. */
const run = (state: string) => ['run', 'dopamine', '--seeds', '1', '--adapters', 'dopamine,full', '--json', '--state', join(folder, state)];
/** Without an adapter, some two. */
const short = (state: string) => [
  'run',
  'dopamine',
  '--seeds',
  '1',
  '--adapters',
  '',
  '--cores',
  '2',
  '--json',
  '--state',
  join(folder, state),
];

/** Results that a run keeps in its state folder, with what tells whether they were written again. */
function kept(state: string): Record<string, string> {
  if (!existsSync(join(folder, state))) return {};
  const files = readdirSync(join(folder, state), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.result'));
  return Object.fromEntries(
    files.flatMap((name) => {
      const found = statSync(join(folder, state, name), { throwIfNoEntry: false }); // it may just have been cleared
      return found ? [[name, `${found.ino} ${found.mtimeMs}`]] : [];
    }),
  );
}
const patience = { timeout: 30_000, interval: 10 };
const foundation = (state: string) => expect.poll(() => Object.keys(kept(state)).length, patience).toBe(1);
const gone = (pids: readonly number[]) => expect.poll(() => pids.filter(isRunning), { timeout: 3000, interval: 20 }).toEqual([]);

describe.skipIf(process.platform !== 'linux')('a run', () => {
  test('that is killed, doubled and interrupted ends as an undisturbed one, with nothing finished done again', async () => {
    // The command itself is killed: its engines end by themselves, what is finished stays.
    const killed = start(run('state'));
    await foundation('state');
    const orphans = childrenOf(killed.pid);
    expect(orphans.length).toBeGreaterThan(0);
    killed.kill('SIGKILL');
    expect(await killed.ended).toMatchObject({ signal: 'SIGKILL', stdout: '' });
    await gone(orphans);
    const finished = kept('state');
    expect(Object.keys(finished)).toHaveLength(1);

    // The next takes over its lock. Meanwhile, a second one is told so.
    const interrupted = start(run('state'), { group: true });
    await expect.poll(() => childrenOf(interrupted.pid).length, patience).toBeGreaterThan(0);
    const second = await command(...run('state'));
    expect(second).toMatchObject({ code: 2, stdout: '' });
    expect(second.stderr).toMatch(
      new RegExp(`^gatescope: run: --state must not be in use \\(process ${interrupted.pid} has it open\\), got ".*"\n$`),
    );

    // Ctrl-C goes to the whole group.
    const engines = childrenOf(interrupted.pid);
    const asked = performance.now();
    process.kill(-interrupted.pid, 'SIGINT');
    const { code, stdout, stderr } = await interrupted.ended;
    expect(performance.now() - asked).toBeLessThan(2000); // a second of patience with engines, and a busy machine
    expect({ code, stdout, stderr }).toEqual({
      code: 130,
      stdout: '',
      stderr: 'gatescope: interrupted; the same command goes on from where it was\n',
    });
    expect(engines.filter(isRunning)).toEqual([]);
    expect(kept('state')).toMatchObject(finished);

    const last = start(run('state'));
    const seen: Record<string, string> = {};
    const watch = setInterval(() => Object.assign(seen, kept('state')), 5);
    const resumed = await last.ended;
    clearInterval(watch);
    expect(seen).toMatchObject(finished); // the foundation was not written again
    expect(resumed).toMatchObject({ code: 0, stderr: '' });
    expect(readdirSync(join(folder, 'state'))).toEqual([]);

    const undisturbed = await command(...run('other'));
    expect(resumed.stdout).toBe(undisturbed.stdout);
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
    const { pid, kill, ended } = start(short('twice'));
    await expect.poll(() => childrenOf(pid).length, patience).toBeGreaterThan(0);
    await new Promise((resolve) => setTimeout(resolve, 600)); // in the middle of turning 60 000 images
    const engines = childrenOf(pid);
    const asked = performance.now();
    kill('SIGINT');
    await new Promise((resolve) => setTimeout(resolve, 30));
    kill('SIGINT');
    expect(await ended).toMatchObject({ code: 130, stdout: '', stderr: '' }); // no time for a word
    expect(performance.now() - asked).toBeLessThan(1000); // less than engines are given
    await gone(engines);
  });

  test('whose report cannot be written keeps what it computed, and one core gives the same bytes', async () => {
    let begun = performance.now();
    const full = spawnSync('sh', ['-c', '"$0" "$@" > /dev/full', process.execPath, entry, ...short('unwritten')], { encoding: 'utf8' });
    const whole = performance.now() - begun;
    expect(full.status).toBe(2);
    expect(complaints(full.stderr)).toBe('gatescope: output must take what is written, got "ENOSPC"\n');
    const before = kept('unwritten');
    expect(Object.keys(before)).toHaveLength(2);

    const unread = start(short('unwritten'));
    unread.child.stdout.destroy();
    expect(await unread.ended).toMatchObject({ code: 2, stderr: 'gatescope: output must be read to its end, got "EPIPE"\n' });
    expect(kept('unwritten')).toEqual(before);

    begun = performance.now();
    const read = await command(...short('unwritten'));
    expect(read).toMatchObject({ code: 0, stderr: '' });
    expect(performance.now() - begun).toBeLessThan(whole / 2); // nothing was left to compute
    expect(readdirSync(join(folder, 'unwritten'))).toEqual([]);
    expect((await command(...short('one core'), '--cores', '1')).stdout).toBe(read.stdout);
  });
});

describe.skipIf(!canMount())('a disk', () => {
  /** The command with a tmpfs as its state folder, in a mount namespace of its own. */
  const on = (options: string) => {
    const args = short('disk');
    execFileSync('mkdir', ['-p', join(folder, 'disk')]);
    const script = `mount -t tmpfs -o ${options} tmpfs "${join(folder, 'disk')}" && exec "$0" "$@"`;
    const { stderr, ...rest } = spawnSync('unshare', ['-m', 'sh', '-c', script, process.execPath, entry, ...args], { encoding: 'utf8' });
    return { ...rest, stderr: complaints(stderr) };
  };

  test('that is full costs the state but not the report, and is told', () => {
    const { status, stdout, stderr } = on('size=64k');
    expect(status).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ protocol: 'dopamine' });
    expect(stderr).toMatch(/^gatescope: job store: folder must have space left on its disk \(ENOSPC.*\), got ".*"\n$/);
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
