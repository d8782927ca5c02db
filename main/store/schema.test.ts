/** Schemas come and go: every migration runs, what was there is kept beside, and what is newer than us is only read. */
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { DamagedSession } from './problems.ts';
import { migrations, type Migration } from './schema.ts';
import { refusal } from './testing/refusal.ts';
import { fill, Folder } from './testing/sessions.ts';

let folder: Folder;
beforeEach(() => void (folder = new Folder()));
afterEach(() => folder[Symbol.dispose]());

describe('the schema', () => {
  const second: Migration = (execute) => execute('CREATE TABLE more (x TEXT NOT NULL) STRICT');
  const third: Migration = (execute) => execute(`ALTER TABLE notes ADD COLUMN colour TEXT; INSERT INTO more VALUES ('third')`);

  test('every migration is called, once and in order, and the new file is as a migrated one', () => {
    const order: number[] = [];
    const watched = [...migrations, second, third].map((step, i) => vi.fn<Migration>((execute) => void (order.push(i), step(execute))));
    folder.session('create', 'new.gatescope', { migrations: watched }).close();
    const made = order.splice(0);
    expect(made).toEqual(expect.arrayContaining(watched.map((_step, i) => i)));
    folder.filled();
    const migrated = folder.session('write', undefined, { migrations: watched });
    for (const step of watched) expect(step).toHaveBeenCalled();
    expect(migrated.info.schema).toBe(4);
    migrated.close();
    expect(schemaOf(folder.at('study.gatescope'))).toEqual(schemaOf(folder.at('new.gatescope')));
  });

  test('of an older file is brought up to date after a copy was put beside it', () => {
    const path = folder.filled();
    const before = folder.session('read').results();
    const steps = { migrations: [...migrations, second] };
    expect(() => folder.session('read', undefined, steps)).toThrow(/must be opened to writing once \(its schema is 2, ours 3\)/);
    const session = folder.session('write', undefined, steps);
    expect(session.notice).toBe(`${path} was brought up to date; as it was, it is kept in ${folder.at('study.schema-2.gatescope')}`);
    expect(session.results()).toEqual(before);
    session.close();
    const kept = folder.session('write', 'study.schema-2.gatescope');
    expect(kept.info.schema).toBe(2);
    expect(kept.results()).toEqual(before);
    kept.close();
    // The name is taken: another one is found.
    folder.session('write', 'study.schema-2.gatescope', steps).close();
    expect(folder.files()).toEqual(['study.gatescope', 'study.schema-2.gatescope', 'study.schema-2.schema-2.gatescope']);
    expect(folder.session('write', undefined, steps).notice).toBeUndefined();
  });

  test('is as it was if a migration fails, and the copy is there', () => {
    const path = folder.filled();
    const failing: Migration = (execute) => {
      second(execute);
      throw new Error('no');
    };
    expect(() => folder.session('write', undefined, { migrations: [...migrations, failing] })).toThrow('no');
    expect(folder.files()).toEqual(['study.gatescope', 'study.schema-2.gatescope']);
    expect(schemaOf(path)).toEqual(schemaOf(folder.at('study.schema-2.gatescope')));
    expect(folder.session('write').results()).toHaveLength(1);
  });

  test('of a newer file can be read as far as it is known, with a word about it, and not written to', () => {
    const session = folder.session('create', undefined, { migrations: [...migrations, second, third] });
    fill(session);
    session.close();
    const error = refusal(folder, 'study.gatescope', 'write');
    expect(error.message).toMatch(
      /must not be of a newer version of this program to be written to \(schema 4, ours is 2\); it can be opened to read/,
    );
    expect(error).not.toBeInstanceOf(DamagedSession);
    const reader = folder.session('read');
    expect(reader.notice).toMatch(
      /study\.gatescope was made by a newer version of this program \(schema 4, ours is 2\): it can be read, not written to$/,
    );
    expect(reader.results()).toHaveLength(1);
    expect(reader.writable).toBe(false);
    expect(() => reader.rename('x')).toThrow('must be open to writing');
  });

  test('of a newer file that no longer has what we look for, is said to be newer', () => {
    folder.session('create', undefined, { migrations: [...migrations, (execute) => execute('DROP TABLE layout')] }).close();
    expect(() => folder.session('read').layout('x')).toThrow(
      /must be read by the newer version of this program that made it \(no such table: layout\)/,
    );
  });

  function schemaOf(path: string): unknown[] {
    const database = new Database(path, { readonly: true });
    try {
      return [...database.prepare('SELECT type, name, sql FROM sqlite_schema ORDER BY name').all(), database.pragma('user_version')];
    } finally {
      database.close();
    }
  }
});
