/** Files whole or not at all, on disks that do their part and on those that do not. */
import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { UserError } from '../../engine/base/errors.ts';
import { Session } from '../store/session.ts';
import { writeFiles } from './writeFiles.ts';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'gatescope-files-'))));
afterEach(() => rmSync(folder, { recursive: true }));

const two = () => ['mode.py', 'mode.npz'].map((name) => ({ path: join(folder, name), content: `of ${name}` }));
const there = () => Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
const failing = (code: string, message: string, name: string) => (path: string, content: Uint8Array | string) => {
  if (content === `of ${name}`) throw Object.assign(new Error(`${code}: ${message}, write`), { code });
  writeFileSync(path, content);
};

test('both are there, with their absolute paths told', () => {
  expect(writeFiles(two(), 'export: --output', { force: false })).toEqual(two().map(({ path }) => path));
  expect(there()).toEqual({ 'mode.py': 'of mode.py', 'mode.npz': 'of mode.npz' });
});

test.each(['mode.py', 'mode.npz'])('where %s is there already nothing is written, unless by force', (name) => {
  writeFileSync(join(folder, name), 'mine');
  expect(() => writeFiles(two(), 'export: --output', { force: false })).toThrow(
    `export: --output must not be there yet, unless --force is given, got ${JSON.stringify(join(folder, name))}`,
  );
  expect(there()).toEqual({ [name]: 'mine' });
  writeFiles(two(), 'export: --output', { force: true });
  expect(there()).toEqual({ 'mode.py': 'of mode.py', 'mode.npz': 'of mode.npz' });
});

test('by force too, a link stays one, and neither a session nor a pipe is replaced', () => {
  const at = (name: string) => join(folder, name);
  const force = (name: string) => writeFiles([{ path: at(name), content: 'new' }], 'export: --output', { force: true });
  writeFileSync(at('target'), 'old');
  symlinkSync(at('target'), at('link'));
  force('link');
  expect([lstatSync(at('link')).isSymbolicLink(), readFileSync(at('target'), 'utf8')]).toEqual([true, 'new']);
  Session.open(at('session'), 'create').close();
  const before = readFileSync(at('session'));
  expect(() => force('session')).toThrow('export: --output must not be a session or another database, got');
  expect(readFileSync(at('session'))).toEqual(before);
  if (process.platform === 'win32') return;
  execFileSync('mkfifo', [at('pipe')]);
  expect(() => force('pipe')).toThrow('export: --output must be a regular file, not a device or a pipe, got');
  expect(statSync(at('pipe')).isFIFO()).toBe(true);
});

test.each([
  ['ENOSPC', 'no space left on device', 'must have space left on its disk (ENOSPC: no space left on device)'],
  ['EROFS', 'read-only file system', 'must not be on a read-only file system (EROFS: read-only file system)'],
  ['EACCES', 'permission denied', 'must be open to this user (EACCES: permission denied)'],
])('%s is told, and what is there stays', (code, message, rule) => {
  writeFileSync(join(folder, 'mode.py'), 'mine');
  for (const name of ['mode.py', 'mode.npz']) {
    const write = failing(code, message, name);
    let caught: unknown;
    try {
      writeFiles(two(), 'export: --output', { force: true, write });
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(UserError);
    expect((caught as UserError).message).toBe(`export: --output ${rule}, got ${JSON.stringify(join(folder, name))}`);
    expect(there()).toEqual({ 'mode.py': 'mine' });
  }
});

test('a folder in its place, or none to put it in', () => {
  mkdirSync(join(folder, 'mode.npz'));
  expect(() => writeFiles(two(), 'export: --output', { force: true })).toThrow('export: --output must be a file, not a folder, got ');
  expect(readdirSync(folder)).toEqual(['mode.npz']);
  expect(() => writeFiles([{ path: join(folder, 'mode.npz', 'x', 'y'), content: '' }], 'export: --output', { force: true })).toThrow(
    'export: --output must be in a folder that is there',
  );
  const nowhere = [{ path: join(folder, 'none', 'x.csv'), content: '' }];
  expect(() => writeFiles(nowhere, 'export: --output', { force: false })).toThrow('export: --output must be in a folder that is there');
});

test('a bug stays one', () => {
  const bug = new TypeError('a bug');
  const write = () => {
    throw bug;
  };
  expect(() => writeFiles(two(), 'export: --output', { force: false, write })).toThrow(bug);
});
