/** Who may write to a session when, and what becomes of it when a writer dies in the middle. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { linkSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { analysis, fill, Folder } from './testing/sessions.ts';

let folder: Folder;
beforeEach(() => void (folder = new Folder()));
afterEach(() => folder[Symbol.dispose]());

const holder = fileURLToPath(new URL('testing/holder.ts', import.meta.url));

describe('one writer', () => {
  const inUse = /^session: file must not be in use \(somebody else is writing to it; it can be opened to read\), got ".*study\.gatescope"$/;

  test('under one name: a hard link would have a lock and a log of its own', () => {
    folder.session().close();
    linkSync(folder.at('study.gatescope'), folder.at('other'));
    for (const name of ['study.gatescope', 'other'])
      expect(() => folder.session('write', name)).toThrow('must have no other name (a hard link leads to it as well) to be written to');
    folder.session('read', 'other').close();
  });

  test('at a time in one process, by whatever name, with readers beside it', () => {
    const session = folder.session();
    symlinkSync(session.path, folder.at('link'));
    expect(() => folder.session('write')).toThrow(inUse);
    expect(() => folder.session('create')).toThrow(inUse);
    expect(() => folder.session('write', 'link')).toThrow(inUse);
    const reader = folder.session('read', 'link');
    expect(reader.results()).toEqual([]);
    session.saveAnalysis(analysis());
    expect(reader.results()).toHaveLength(1); // at once
    const another = folder.session('read');
    another.close();
    expect(() => folder.session('write')).toThrow(inUse); // a reader that closed has not taken the lock with it
    reader.close();
    session.close();
    folder.session('write').saveAnalysis(analysis(1));
  });

  test.skipIf(process.platform !== 'linux')('keeps its locks while others in its process look at the file', () => {
    const session = folder.session();
    fill(session);
    const inode = statSync(session.path).ino;
    const locks = () =>
      readFileSync('/proc/locks', 'utf8')
        .split('\n')
        .filter((line) => line.includes(` ${process.pid} `) && line.includes(`:${inode} `)).length;
    expect(locks()).toBe(1);
    // Without it, whoever else leaves would take himself for the last one, and the log with him.
    folder.session('read').close();
    expect(locks()).toBe(1);
  });

  test('at a time on the machine; a killed one holds nobody up', async () => {
    const path = folder.filled();
    const hold = async (mode: string) => {
      const child = spawn(process.execPath, [holder, path, mode], { stdio: ['ignore', 'pipe', 'inherit'] });
      return { child, said: String((await once(child.stdout, 'data'))[0]).trim() };
    };
    const { child, said } = await hold('write');
    expect(said).toBe('open');
    expect(() => folder.session('write')).toThrow(inUse);
    folder.session('read').close();
    expect((await hold('write')).said).toMatch(inUse);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(folder.files()).toContain('study.gatescope-lock');
    const session = folder.session('write');
    expect((await hold('write')).said).toMatch(inUse);
    session.close();
    expect(folder.files()).toEqual(['study.gatescope']);
  });

  test('leaves what a reader still looks at in the log, which the next one takes in', () => {
    const session = folder.session();
    const reader = folder.session('read');
    fill(session);
    session.close();
    expect(reader.results()).toHaveLength(1);
    expect(folder.files()).toContain('study.gatescope-wal');
    reader.close();
    expect(folder.session('read').results()).toHaveLength(1);
  });

  test('does not take a lock file with something in it for its own', () => {
    const path = folder.filled();
    writeFileSync(`${path}-lock`, 'somebody else');
    expect(() => folder.session('write')).toThrow(/must have ".*study\.gatescope-lock" to itself \(something else is in there\)/);
    expect(readFileSync(`${path}-lock`, 'utf8')).toBe('somebody else');
    writeFileSync(`${path}-lock`, ''); // left over
    folder.session('write');
  });
});

test('a file whose last change was cut short is taken back to what it was, to read and to write', async () => {
  const path = folder.filled();
  const before = readFileSync(path);
  for (const mode of ['read', 'write'] as const) {
    const child = spawn(process.execPath, [holder, path, 'journal'], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(readFileSync(path).equals(before)).toBe(false);
    expect(folder.files()).toContain('study.gatescope-journal');
    const session = folder.session(mode);
    expect(session.results()).toHaveLength(1);
    expect(session.check()).toEqual([]);
    session.close();
    expect(folder.files()).toEqual(['study.gatescope']);
  }
});
