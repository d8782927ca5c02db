/** Opening a session file: what is refused and in which words, and that nothing refused is touched. */
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DamagedSession } from './problems.ts';
import { Session } from './session.ts';
import { bytesOf } from './tensors.ts';
import { damageTest } from './testing/damage.ts';
import { refusal } from './testing/refusal.ts';
import { analysis, fill, Folder, training } from './testing/sessions.ts';

let folder: Folder;
beforeEach(() => void (folder = new Folder()));
afterEach(() => folder[Symbol.dispose]());

describe('what is no session is refused, named, and left as it is', () => {
  const cases: [string, (path: string) => void, RegExp][] = [
    ['missing', () => undefined, /must be there, got "/],
    ['empty', (path) => writeFileSync(path, ''), /must be a session \(it is empty\)/],
    ['short', (path) => writeFileSync(path, 'SQLite format 3'), /must be a session \(it is no SQLite file\)/],
    ['text', (path) => writeFileSync(path, 'x'.repeat(5000)), /must be a session \(it is no SQLite file\)/],
    ['a folder', (path) => mkdirSync(path), /must be a file, not a folder/],
    ['a device', (path) => symlinkSync('/dev/null', path), /must be a file/],
    ['a link to itself', (path) => symlinkSync(path, path), /must not be a link to itself/],
    ["another application's", (path) => makeDatabase(path, 'PRAGMA application_id = 5'), /it belongs to another application, 0x5\)/],
    [
      "another application's, in use",
      (path) => makeDatabase(path, 'PRAGMA journal_mode = WAL'),
      /it belongs to another application, 0x0\)/,
    ],
    ['cut short', (path) => truncateSync(closedAt(path), 20_000), /must be whole \(20000 of \d+ bytes are there\); nothing was written/],
    ['cut to its header', (path) => truncateSync(closedAt(path), 150), /must be whole \(150 of \d+ bytes/],
    ['of schema 0', (path) => change(path, 'PRAGMA user_version = 0'), /must be whole \(its schema is 0\)/],
    ['without a table', (path) => change(path, 'DROP TABLE layout'), /its table layout is not there/],
    ['with another table', (path) => change(path, 'ALTER TABLE layout ADD COLUMN more TEXT'), /its table layout is not as we make it/],
    ['without an index', (path) => change(path, 'DROP INDEX notes_by_subject'), /its index notes_by_subject is not there/],
    [
      'with a trigger',
      (path) => change(path, 'CREATE TRIGGER evil AFTER INSERT ON notes BEGIN DELETE FROM results; END'),
      /it has a trigger evil, which none of ours has/,
    ],
    ['with no session in it', (path) => change(path, 'DELETE FROM session'), /it holds 0 sessions/],
    [
      'with a broken reference',
      (path) => change(path, `PRAGMA foreign_keys = OFF; DELETE FROM models`),
      /refers to models that are not there/,
    ],
    ['with a page of zeros', (path) => zeroPage(path), /must be whole \(/],
  ];
  const closedAt = (path: string) => folder.filled(basename(path));
  const change = (path: string, sql: string) => makeDatabase(closedAt(path), sql);
  const zeroPage = (path: string) => {
    const bytes = readFileSync(closedAt(path));
    writeFileSync(path, bytes.fill(0, 4096 * 5, 4096 * 6));
  };
  function makeDatabase(path: string, sql: string): void {
    const database = new Database(path);
    database.exec('CREATE TABLE IF NOT EXISTS notes (id INTEGER)');
    database.exec(sql);
    database.close();
  }

  test.each(cases)('%s', (name, make, rule) => {
    const path = folder.at(name === 'a folder' ? 'folder' : 'file.gatescope');
    make(path);
    for (const mode of ['read', 'write'] as const) {
      if (name === 'a device' || name === 'a link to itself') {
        expect(() => Session.open(path, mode)).toThrow(rule);
        continue;
      }
      const error = refusal(folder, basename(path), mode);
      expect(error.message).toMatch(rule);
      expect(error.message).toMatch(/^session: file must /);
      expect(error.message).toContain(path);
      expect(error instanceof DamagedSession).toBe(!['missing', 'empty', 'a folder'].includes(name));
    }
  });

  test('names that are none', () => {
    for (const path of ['', ' ', `${folder.at('a')} `, `${folder.at('a')}\0b`])
      expect(() => Session.open(path, 'read')).toThrow('session: file must have a name, without blanks at its ends');
    expect(() => Session.open(folder.at('no/such/folder/x'), 'create')).toThrow(/session: file must be in a folder that is there/);
    expect(() => folder.session('create', 'x'.repeat(300))).toThrow(/session: file must have a shorter name/);
    expect(() => Session.open(join(folder.filled(), 'below'), 'create')).toThrow(/session: file must be in a folder/);
  });
});

test('create refuses what is there, whatever it is', () => {
  const path = folder.filled();
  const before = readFileSync(path);
  expect(() => folder.session('create')).toThrow(/^session: file must not be there yet, got ".*study\.gatescope"$/);
  expect(readFileSync(path).equals(before)).toBe(true);
  writeFileSync(folder.at('other'), '');
  expect(() => folder.session('create', 'other')).toThrow('must not be there yet');
  expect(folder.files()).toEqual(['other', 'study.gatescope']);
});

test('a name with signs that mean something elsewhere is a name', () => {
  const name = "what? 100% #1 'quoted' & Überraschung.gatescope";
  const session = folder.session('create', name);
  fill(session);
  session.close();
  expect(folder.session('read', name).info.name).toBe(name.slice(0, -'.gatescope'.length));
});

test('a copy of the closed file is the whole session', () => {
  const session = folder.session();
  fill(session);
  expect(folder.files()).toEqual(['study.gatescope', 'study.gatescope-lock', 'study.gatescope-shm', 'study.gatescope-wal']);
  session.close();
  expect(folder.files()).toEqual(['study.gatescope']);
  copyFileSync(session.path, folder.at('copy'));
  expect(folder.session('read', 'copy').results()).toEqual(folder.session('read').results());
});

test('a damaged file with a log beside it is not touched, nor is the log', () => {
  const session = folder.session();
  fill(session);
  for (const suffix of ['', '-wal']) copyFileSync(session.path + suffix, folder.at(`damaged${suffix}`));
  session.rename('changed since');
  const bytes = readFileSync(folder.at('damaged'));
  writeFileSync(folder.at('damaged'), bytes.fill(1, 4096)); // some of it is in the log as well, and whole there
  const log = readFileSync(folder.at('damaged-wal'));
  for (const mode of ['read', 'write'] as const) {
    expect(() => folder.session(mode, 'damaged')).toThrow(DamagedSession);
    expect(readFileSync(folder.at('damaged')).equals(bytes)).toBe(true);
    expect(readFileSync(folder.at('damaged-wal')).equals(log)).toBe(true);
  }
});

describe('a number that is not what was stored', () => {
  /** A session in which one bit of an array's bytes was turned over. */
  function changed(array: Float32Array | Float64Array): Session {
    const bytes = readFileSync(folder.filled());
    const at = bytes.indexOf(Buffer.from(bytesOf(array)));
    expect(at).toBeGreaterThan(0);
    bytes[at] ^= 1;
    writeFileSync(folder.at('changed'), bytes);
    return folder.session('read', 'changed');
  }

  test('of findings is found by check, and when it is read', () => {
    expect(folder.session('read', basename(folder.filled('whole'))).check()).toEqual([]);
    const session = changed(new Float64Array([Math.PI]));
    const problems = session.check();
    expect(problems.length).toBeGreaterThan(0);
    for (const problem of problems)
      expect(problem).toMatch(/^session: file must be whole \(the bytes of array [0-9a-f]{12} are not its own\), got /);
    expect(() => session.result(analysis().key)).toThrow(DamagedSession);
  });

  test('of a checkpoint too', () => {
    const session = changed(new Float32Array([1, -0, NaN, Infinity]));
    const { key } = training(0, 'unfinished');
    const message = `session: file must be whole (the bytes of checkpoint ${key.slice(0, 12)} are not its own)`;
    expect(session.check()).toEqual([expect.stringContaining(message)]);
    expect(() => session.loadCheckpoint(key)).toThrow(message);
  });
});

damageTest('a damaged file is refused or opens, and is never changed', 60);
