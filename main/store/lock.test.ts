/** One writer at a time, also while writers come and go: each takes the lock's file with it, and nobody may hold one that is gone. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { isLocked, lockSession } from './lock.ts';
import { Folder } from './testing/sessions.ts';

const counter = fileURLToPath(new URL('testing/counter.ts', import.meta.url));

test('four processes that count in one session lose no count', { timeout: 300_000 }, async () => {
  using folder = new Folder();
  folder.session().close();
  const path = folder.at('study.gatescope');
  const processes = Array.from({ length: 4 }, () => spawn(process.execPath, [counter, path, '15'], { stdio: 'inherit' }));
  for (const ended of await Promise.all(processes.map((child) => once(child, 'exit')))) expect(ended).toEqual([0, null]);
  expect(folder.session('read').layout('count')).toBe(60);
  expect(folder.files()).toEqual(['study.gatescope']);
});

test('the lock is for the path, whether there is a file or not, and is free again at once', () => {
  using folder = new Folder();
  const path = folder.at('none yet');
  expect(isLocked(path)).toBe(false);
  const release = lockSession(path);
  expect(isLocked(path)).toBe(true);
  expect(() => lockSession(path)).toThrow('must not be in use');
  lockSession(folder.at('another'))();
  release();
  expect(isLocked(path)).toBe(false);
  lockSession(path)();
  expect(folder.files()).toEqual([]);
});
