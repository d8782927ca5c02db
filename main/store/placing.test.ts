/** Files are put in their places beside anybody else's, whatever these are called. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { writeFiles } from '../export/writeFiles.ts';
import { Connection } from './connection.ts';
import { makeInPlace, makeInPlaceLater, replaceInPlace } from './placing.ts';
import { migrations } from './schema.ts';
import { fill, Folder } from './testing/sessions.ts';

let folder: Folder;
beforeEach(() => void (folder = new Folder()));
afterEach(() => {
  vi.restoreAllMocks();
  folder[Symbol.dispose]();
});

/** Everything that could be taken for a draft or a file of SQLite's, of somebody who wants to keep it. @returns a check that it is there */
function neighbours(name: string, suffixes = ['-new', '-new-wal', '.draft', '-draft', '.new', '.tmp', '~']): () => void {
  const paths = [...suffixes.map((suffix) => folder.at(name + suffix)), folder.at(`.${name}.draft`), folder.at(`.${name}.1-2.draft`)];
  for (const path of paths) writeFileSync(path, `mine: ${path}`);
  return () => {
    for (const path of paths) expect(readFileSync(path, 'utf8')).toBe(`mine: ${path}`);
    expect(folder.files().filter((file) => /\.[0-9a-f-]{36}\.draft/.test(file))).toEqual([]);
  };
}

const sidecars = ['-wal', '-shm', '-journal'];

describe('what is there survives', () => {
  test('a new session, copies and a backup', async () => {
    const survived = ['study', 'copy', 'share', 'study.schema-2'].map((name) => neighbours(name));
    const session = folder.session('create', 'study');
    fill(session);
    await session.saveAs(folder.at('copy'));
    await session.shareCopy(folder.at('share'));
    session.close();
    const more = [...migrations, (execute: (sql: string) => void) => execute('CREATE TABLE more (x TEXT) STRICT')];
    folder.session('write', 'study', { migrations: more }).close();
    expect(folder.files()).toEqual(expect.arrayContaining(['study', 'copy', 'share', 'study.schema-2']));
    for (const check of survived) check();
  });

  test('a name as long as names can be is taken, and a longer one refused in words', () => {
    folder.session('create', 'x'.repeat(240)).close();
    expect(() => folder.session('create', 'x'.repeat(253))).toThrow('must have a shorter name');
    expect(folder.files()).toEqual(['x'.repeat(240)]);
  });

  test('sessions by each other: one called as a draft might be', () => {
    folder.filled('study-new');
    folder.filled('study');
    expect(folder.session('read', 'study-new').check()).toEqual([]);
    expect(folder.files()).toEqual(['study', 'study-new']);
  });

  test.each([false, true])('exports, with --force: %s', (force) => {
    const survived = neighbours('x.csv', [...sidecars, '-new', '.tmp', '~']);
    if (force) writeFileSync(folder.at('x.csv'), 'before');
    writeFiles([{ path: folder.at('x.csv'), content: 'after' }], 'export: --output', { force });
    expect(readFileSync(folder.at('x.csv'), 'utf8')).toBe('after');
    survived();
  });

  test.each(sidecars)('what SQLite would take for its own, %s, keeps a session from having the name', async (suffix) => {
    const survived = neighbours('study', [suffix]);
    const rule = `session: file must have ${JSON.stringify(folder.at(`study${suffix}`))} to itself (something is there), got `;
    const before = folder.files();
    expect(() => folder.session('create', 'study')).toThrow(rule);
    expect(folder.files()).toEqual(before);
    const other = folder.session('create', 'other');
    await expect(other.saveAs(folder.at('study'))).rejects.toThrow(rule);
    expect(() => folder.session('create', `other${suffix}`)).toThrow(/must not (end in|be there)/);
    survived();
  });
});

describe('what fails leaves nothing but what was there', () => {
  const failing = (draft: string) => {
    writeFileSync(draft, 'half');
    for (const suffix of sidecars) writeFileSync(draft + suffix, 'half');
    throw new Error('no');
  };

  test('made, made later, and replaced', async () => {
    const survived = neighbours('x');
    const before = folder.files();
    expect(() => makeInPlace(folder.at('x'), failing)).toThrow('no');
    await expect(makeInPlaceLater(folder.at('x'), async (draft) => failing(draft))).rejects.toThrow('no');
    expect(folder.files()).toEqual(before);
    writeFileSync(folder.at('x'), 'whole');
    expect(() => replaceInPlace(folder.at('x'), failing)).toThrow('no');
    expect(readFileSync(folder.at('x'), 'utf8')).toBe('whole');
    survived();
  });

  test('what came to the place meanwhile stays', () => {
    expect(() =>
      makeInPlace(folder.at('x'), (draft) => {
        writeFileSync(draft, 'ours');
        mkdirSync(folder.at('x'));
      }),
    ).toThrow('session: file must not be there yet');
    expect(folder.files()).toEqual(['x']);
  });
});

describe('letting go', () => {
  test('a session that is discarded is gone before its lock is', () => {
    const session = folder.session();
    fill(session);
    session.discard();
    session.discard();
    session.close();
    expect(folder.files()).toEqual([]);
    folder.session('create').close();
    expect(() => folder.session('read').discard()).toThrow('must be open to writing for this');
    expect(folder.files()).toEqual(['study.gatescope']);
  });

  test('the lock is let go of even if the file cannot be', () => {
    const session = folder.session();
    vi.spyOn(Connection.prototype, 'close').mockImplementationOnce(() => {
      throw new Error('no');
    });
    expect(() => session.close()).toThrow('no');
    folder.session('write').close();
  });

  test('a connection that cannot be set up is closed', () => {
    const path = folder.filled();
    const closed = vi.spyOn(Database.prototype, 'close');
    vi.spyOn(Connection.prototype, 'pragma').mockImplementationOnce(() => {
      throw new Error('no');
    });
    expect(() => new Connection(path, 'read')).toThrow('no');
    expect(closed).toHaveBeenCalledOnce();
  });

  test('a damaged session is made anew under the same lock, if that is asked for', () => {
    const path = folder.filled();
    writeFileSync(path, readFileSync(path).fill(1, 4096));
    const heard: string[] = [];
    const session = folder.session('write', undefined, {
      remake: ({ message }) => {
        heard.push(message);
        expect(() => folder.session('write')).toThrow('must not be in use');
      },
    });
    expect(heard).toEqual([expect.stringContaining('nothing was written to it')]);
    expect(session.runs()).toEqual([]);
    expect(session.check()).toEqual([]);
  });
});
