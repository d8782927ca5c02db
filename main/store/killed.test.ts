/** `kill -9` of a process that writes to a session, at random moments: the file opens, nothing reported is lost, and the work goes on to the same bits. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { Random } from '../../engine/base/random.ts';
import { Folder } from './testing/sessions.ts';
import type { Session } from './session.ts';

const writer = fileURLToPath(new URL('testing/writer.ts', import.meta.url));
const ROUNDS = 8;

interface Said {
  readonly key?: string;
  readonly digest?: string;
  readonly checkpoint?: string;
  readonly step?: number;
  readonly end?: boolean;
}

/**
 * Runs the writer until it ends, or is killed: once it has said so many lines and was answered, after some milliseconds. However fast it is,
 * it is then at most one line further, and waits.
 */
async function write(path: string, kill?: { lines: number; milliseconds: number }): Promise<Said[]> {
  const child = spawn(process.execPath, [writer, path, String(ROUNDS)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exit = once(child, 'exit');
  child.stdin.on('error', () => undefined); // it may be gone by the time it is answered
  const said: Said[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(JSON.parse(line) as Said);
    if (kill && said.length > kill.lines) continue;
    child.stdin.write('\n');
    if (said.length === kill?.lines) setTimeout(() => child.kill('SIGKILL'), kill.milliseconds);
  }
  await exit;
  return said;
}

const digests = (session: Session) => [...session.runs(), ...session.results()].map(({ key, digest }) => [key, digest]);

test('eight times', { timeout: 300_000 }, async () => {
  using folder = new Folder();
  await write(folder.at('undisturbed'));
  const expected = digests(folder.session('read', 'undisturbed'));

  const random = new Random(7);
  const reported = new Map<string, string>();
  const steps = new Map<string, number>();
  let kills = 0;
  for (let over = false; !over;) {
    const said = await write(
      folder.at('killed'),
      kills < 8 ? { lines: 1 + random.integer(12), milliseconds: 12 * random.uniform() } : undefined,
    );
    for (const { key, digest, checkpoint, step } of said) {
      if (key !== undefined) reported.set(key, digest!);
      if (checkpoint !== undefined) steps.set(checkpoint, step!);
    }
    over = said.at(-1)?.end === true;
    if (!over) kills++;

    const session = folder.session('read', 'killed');
    expect(session.check()).toEqual([]);
    const stored = new Map(digests(session) as [string, string][]);
    for (const [key, digest] of reported) expect(stored.get(key)).toBe(digest);
    for (const [key, step] of steps) {
      const state = session.loadCheckpoint(key)?.value as { step: number } | undefined;
      if (!reported.has(key) && stored.get(key) === undefined) expect(state?.step).toBeGreaterThanOrEqual(step);
    }
    session.close();
  }
  expect(kills).toBeGreaterThan(4);
  const session = folder.session('read', 'killed');
  expect(digests(session)).toEqual(expected);
  session.close();
  expect(folder.files()).toEqual(['killed', 'undisturbed']);
});
