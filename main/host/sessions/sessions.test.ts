/** The session browser through a host: what is listed, in which state, and what a person does to sessions. */
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, test, vi } from 'vitest';
import { UserError } from '../../../engine/base/errors.ts';
import { Session } from '../../store/session.ts';
import { fill } from '../../store/testing/sessions.ts';
import { HostFixture, type Api } from '../testing/window.ts';
import { until } from '../testing/until.ts';

/** A closed session with something in it. */
function put(path: string): string {
  mkdirSync(dirname(path), { recursive: true });
  using session = Session.open(path, 'create');
  fill(session);
  return session.path;
}

const states = async (api: Api): Promise<Record<string, string>> =>
  Object.fromEntries((await api.sessions({})).map(({ path, state }) => [path, state]));

test('every state a file can be in', async () => {
  await using fixture = new HostFixture();
  const { api } = fixture.window();
  const at = (name: string) => fixture.at('sessions', name);
  const ready = put(at('ready.gatescope'));
  const locked = put(at('locked.gatescope'));
  const below = put(at('folder/below.gatescope'));
  writeFileSync(at('damaged.gatescope'), readFileSync(ready).subarray(0, 5000));
  writeFileSync(at('other.txt'), 'x');
  const moved = put(fixture.at('elsewhere', 'moved.gatescope'));
  await api.openSession({ path: moved });
  await api.closeSession({});
  await fixture.host.release(moved, 'test');
  rmSync(moved);
  using writer = Session.open(locked, 'write');
  expect(await states(api)).toEqual({
    [moved]: 'missing',
    [ready]: 'ready',
    [writer.path]: 'locked',
    [below]: 'ready',
    [at('damaged.gatescope')]: 'damaged',
  });
  const entries = await api.sessions({});
  expect(entries.find(({ path }) => path === ready)).toMatchObject({
    name: 'ready',
    inside: { models: 2, runs: 2, results: 1, notes: 1, actions: 1 },
    shipped: false,
  });
  expect(entries.find(({ state }) => state === 'damaged')!.problem).toContain('must be whole');
  await api.forgetSession({ path: moved });
  expect(Object.keys(await states(api))).not.toContain(moved);
  await expect(api.openSession({ path: at('damaged.gatescope') })).rejects.toThrow(/must be whole .* nothing was written to it/);
});

test('one that somebody else writes to is opened to be read, and says so', async () => {
  await using fixture = new HostFixture();
  const { api } = fixture.window();
  const path = put(fixture.at('sessions', 'study.gatescope'));
  using writer = Session.open(path, 'write');
  const snapshot = await api.openSession({ path });
  expect(snapshot).toMatchObject({ path: writer.path, writable: false });
  expect(snapshot.notice).toContain('opened to be read: to be written to, it must not be in use');
  await expect(api.run({ kind: 'train', parameters: {} })).rejects.toThrow('must be open to writing to compute anything new');
  await api.setView({ name: 'a', value: 1 });
  expect((await api.snapshot({})).views).toMatchObject({ a: 1 });
  await expect(api.addNote({ subject: { kind: 'session', key: '' }, text: 'x' })).rejects.toThrow('must be open to writing');
});

test('renamed, noted, duplicated: open or not', async () => {
  await using fixture = new HostFixture();
  const { api, events } = fixture.window();
  const path = put(fixture.at('sessions', 'study.gatescope'));
  const entry = async (wanted = path) => (await api.sessions({})).find((one) => one.path === wanted);
  await api.renameSession({ path, name: 'A study' });
  await api.noteSession({ path, text: 'of gates' });
  expect(await entry()).toMatchObject({ name: 'A study', note: 'of gates' });
  const opened = await api.openSession({ path });
  expect(opened.history.undo).toEqual({ label: 'Add a note' });
  await api.noteSession({ path, text: 'of many gates' });
  await api.renameSession({ path, name: 'Another' });
  expect(await entry()).toMatchObject({ name: 'Another', note: 'of many gates' });
  await api.undo({});
  expect((await api.snapshot({})).name).toBe('A study');
  await api.noteSession({ path, text: ' ' });
  expect(await entry()).toMatchObject({ note: '' });
  const copy = await api.duplicateSession({ path });
  expect(copy.path).toBe(fixture.at('sessions', 'study copy.gatescope'));
  expect(await entry(copy.path)).toMatchObject({ name: 'A study copy', state: 'ready' });
  expect((await api.duplicateSession({ path })).path).toBe(fixture.at('sessions', 'study copy 2.gatescope'));
  await until(() => events.some(({ type }) => type === 'sessions'));
  await api.saveAs({ path: fixture.at('saved') });
  await api.shareCopy({ path: fixture.at('share.gatescope') });
  using share = Session.open(fixture.at('share.gatescope'), 'read');
  expect(share.info.weights).toBe(false);
  using saved = Session.open(fixture.at('saved.gatescope'), 'read');
  expect(saved.info.weights).toBe(true);
  await expect(api.saveAs({ path: fixture.at('saved') })).rejects.toThrow('must not be there yet');
  await expect(api.saveAs({ path: fixture.at('saved'), replace: true })).rejects.toThrow('must not be there yet');
});

test('thrown away and taken back: to where it was, or beside what is there by now', async () => {
  await using fixture = new HostFixture();
  const { api } = fixture.window();
  const path = put(fixture.at('elsewhere', 'study.gatescope'));
  await api.openSession({ path });
  await expect(api.trashSession({ path })).rejects.toThrow('trashSession: path must not be open');
  await api.closeSession({});
  await api.trashSession({ path });
  const trashed = fixture.at('sessions', '.trash', 'study.gatescope');
  expect(existsSync(path)).toBe(false);
  expect(await states(api)).toEqual({ [trashed]: 'trashed' });
  await api.restoreSession({ path });
  expect(await states(api)).toEqual({});
  expect(existsSync(path)).toBe(true);
  await api.trashSession({ path });
  put(path);
  await api.trashSession({ path });
  put(path);
  expect(Object.values(await states(api))).toEqual(['trashed', 'trashed']);
  await api.restoreSession({ path: trashed });
  expect(existsSync(fixture.at('elsewhere', 'study 2.gatescope'))).toBe(true);
  await expect(api.restoreSession({ path: trashed })).rejects.toThrow('restoreSession: path must be that of a session in the trash');
  using writer = Session.open(path, 'write');
  await expect(api.trashSession({ path: writer.path })).rejects.toThrow('must not be in use');
  expect(existsSync(path)).toBe(true);
});

test('saved in the place of another, which is in the trash then; of one that is in use not', async () => {
  await using fixture = new HostFixture();
  const { api } = fixture.window();
  const own = put(fixture.at('sessions', 'own.gatescope'));
  const other = fixture.at('elsewhere', 'other.gatescope');
  mkdirSync(dirname(other));
  Session.open(other, 'create', { name: 'before' }).close();
  const { uuid } = await api.openSession({ path: own });
  expect(await api.saveAs({ path: other, replace: true })).toEqual({ path: other });
  const trashed = fixture.at('sessions', '.trash', 'other.gatescope');
  expect(await states(api)).toEqual({ [own]: 'ready', [trashed]: 'trashed' });
  {
    using saved = Session.open(other, 'read');
    expect([saved.info.name, saved.results()]).toEqual(['own', [expect.anything()]]);
    using before = Session.open(trashed, 'read');
    expect(before.info.name).toBe('before');
  }
  await expect(api.saveAs({ path: own, replace: true })).rejects.toThrow('saveAs: path must not be open');
  {
    using _writer = Session.open(other, 'write');
    await expect(api.shareCopy({ path: other, replace: true })).rejects.toThrow('must not be in use');
  }
  // Nothing can be written: what was there is there again.
  const full = vi.spyOn(Session.prototype, 'saveAs').mockRejectedValueOnce(new UserError('session: file', 'must have room', other));
  await expect(api.saveAs({ path: other, replace: true })).rejects.toThrow('must have room');
  full.mockRestore();
  using again = Session.open(other, 'read');
  expect([again.info.name, (await api.snapshot({})).uuid]).toEqual(['own', uuid]);
});

test('what was thrown away comes back also where the sessions folder is reached by a link', async () => {
  await using real = new HostFixture();
  await using fixture = new HostFixture();
  mkdirSync(real.at('sessions'));
  symlinkSync(real.at('sessions'), fixture.at('link'));
  await using linked = new HostFixture({ sessionsFolder: fixture.at('link') }, fixture.folder);
  const { api } = linked.window();
  const path = put(real.at('sessions', 'study.gatescope'));
  await api.trashSession({ path: fixture.at('link', 'study.gatescope') });
  const [entry] = await api.sessions({});
  expect(entry.state).toBe('trashed');
  await api.restoreSession({ path: entry.path });
  expect(await states(api)).toEqual({ [path]: 'ready' });
});

test('nothing comes back to outside the root, whatever the index of the trash says', async () => {
  await using outside = new HostFixture();
  await using fixture = new HostFixture();
  const root = fixture.at('root');
  const path = put(fixture.at('root', 'study.gatescope'));
  await using served = new HostFixture({ root, served: true, sessionsFolder: root }, fixture.folder);
  const { api } = served.window();
  await api.trashSession({ path });
  const index = fixture.at('root', '.trash', 'index.json');
  writeFileSync(index, readFileSync(index, 'utf8').replace(path, outside.at('study.gatescope')));
  await api.restoreSession({ path: fixture.at('root', '.trash', 'study.gatescope') });
  expect(existsSync(outside.at('study.gatescope'))).toBe(false);
  expect(await states(api)).toEqual({ [path]: 'ready' });
});

test('a name is one line: others are refused, and what a file calls itself is made one', async () => {
  await using fixture = new HostFixture();
  const { api } = fixture.window();
  const path = put(fixture.at('sessions', 'study.gatescope'));
  for (const name of ['a\0b', 'a\nb', 'a\x9bb'])
    await expect(api.renameSession({ path, name })).rejects.toThrow('must be without control characters');
  {
    using session = Session.open(path, 'write');
    session.rename('a\0b\nc\x1b');
  }
  expect((await api.sessions({})).map(({ name }) => name)).toEqual(['a b c']);
  expect((await api.openSession({ path })).name).toBe('a b c');
});

test('a preview says what is in it and whether it is whole to the last number', async () => {
  await using fixture = new HostFixture();
  const { api } = fixture.window();
  const path = put(fixture.at('sessions', 'study.gatescope'));
  const { entry, problems, computedOn } = await api.preview({ path });
  expect([entry.name, problems, computedOn]).toEqual(['study', [], '']);
  const bytes = readFileSync(path);
  const at = bytes.indexOf('"definition":"mean"');
  bytes.write('"definition":"lean"', at);
  writeFileSync(path, bytes);
  expect((await api.preview({ path })).problems).toEqual([expect.stringMatching(/result [0-9a-f]{12} is not what its digest stands for/)]);
});

test('new sessions have names of their own, in the sessions folder or where they are told', async () => {
  await using fixture = new HostFixture();
  const { api } = fixture.window();
  const names = [];
  for (const given of [{}, {}, { name: 'a/b: "c"' }, { path: fixture.at('own.gatescope') }]) names.push(await api.createSession(given));
  expect(names.map(({ path, name }) => [path.slice(fixture.folder.length + 1), name])).toEqual([
    ['sessions/Untitled.gatescope', 'Untitled'],
    ['sessions/Untitled 2.gatescope', 'Untitled 2'],
    ['sessions/a-b- -c-.gatescope', 'a/b: "c"'],
    ['own.gatescope', 'own'],
  ]);
  await expect(api.createSession({ path: fixture.at('own.gatescope') })).rejects.toThrow('must not be there yet');
  const listing = await api.browse({ folder: fixture.folder, kind: 'session' });
  expect(listing.entries.map(({ name, folder, fits }) => [name, folder, fits])).toEqual([
    ['sessions', true, false],
    ['user', true, false],
    ['own.gatescope', false, true],
  ]);
  const second = fixture.window();
  await second.api.openSession({ path: names[0].path });
  await second.api.setView({ name: 'a', value: 1 });
  await expect(api.openSession({ path: names[0].path })).resolves.toMatchObject({ writable: true, views: { a: 1 } });
  await api.setView({ name: 'a', value: 2 });
  await until(() => second.events.findLast((event) => event.type === 'session')?.snapshot.views.a === 2);
});

test('under a root nothing else is in reach, by whatever name', async () => {
  await using outside = new HostFixture();
  const secret = put(outside.at('secret.gatescope'));
  const images = outside.images();
  await using fixture = new HostFixture();
  const root = fixture.at('root');
  mkdirSync(root);
  await using served = new HostFixture({ root, served: true, sessionsFolder: root }, fixture.folder);
  const { api } = served.window();
  symlinkSync(outside.folder, fixture.at('root', 'link'));
  symlinkSync(secret, fixture.at('root', 'file.gatescope'));
  symlinkSync(outside.at('not-there-yet.gatescope'), fixture.at('root', 'dangling.gatescope'));
  const own = put(fixture.at('root', 'own.gatescope'));
  const outsiders = [
    secret,
    `${root}/link/secret.gatescope`,
    `${root}/../../x.gatescope`,
    `${root}/file.gatescope`,
    `${root}/dangling.gatescope`,
  ];
  await api.openSession({ path: own });
  for (const path of outsiders) {
    const asks: Promise<unknown>[] = [
      api.openSession({ path }),
      api.preview({ path }),
      api.createSession({ path }),
      api.renameSession({ path, name: 'x' }),
      api.noteSession({ path, text: 'x' }),
      api.duplicateSession({ path }),
      api.trashSession({ path }),
      api.restoreSession({ path }),
      api.saveAs({ path }),
      api.shareCopy({ path }),
    ];
    for (const ask of asks) await expect(ask, path).rejects.toBeInstanceOf(UserError);
  }
  await expect(api.browse({ folder: outside.folder, kind: 'images' })).rejects.toThrow(`must lie below ${root}`);
  await expect(api.browse({ folder: `${root}/link`, kind: 'images' })).rejects.toThrow('must lie below');
  expect((await api.browse({ folder: root, kind: 'session' })).parent).toBe(undefined);
  for (const source of [images, `${root}/link/own.npz`]) {
    await expect(api.run({ kind: 'train', parameters: { data: { source } } })).rejects.toThrow('train: data.source must lie below');
    await expect(api.drawImages({ data: { source }, part: 'test', indices: [0], angle: 0 })).rejects.toThrow('must lie below');
    await expect(api.run({ kind: 'protocol', protocol: 'dopamine', options: { data: { source } } })).rejects.toThrow('must lie below');
  }
  expect((await api.sessions({})).map(({ path }) => path)).toEqual([own]);
  expect((await api.about({})).root).toBe(root);
  // Relative paths begin at the root.
  expect((await api.openSession({ path: 'own.gatescope' })).path).toBe(own);
});

test('the demonstration is listed, opened to be read, and duplicated to be worked on', async () => {
  await using fixture = new HostFixture();
  const demonstration = put(fixture.at('program', 'demonstration.gatescope'));
  await using host = new HostFixture({ demonstration }, fixture.folder);
  const { api } = host.window();
  expect(await api.sessions({})).toMatchObject([{ path: demonstration, shipped: true, state: 'ready' }]);
  const { writable, notice } = await api.openSession({ path: demonstration });
  expect([writable, notice]).toEqual([false, 'This is the demonstration: it can be explored, and duplicated to be worked on']);
  const { path } = await api.duplicateSession({ path: demonstration });
  expect(path).toBe(fixture.at('sessions', 'demonstration.gatescope'));
  expect(await api.openSession({ path })).toMatchObject({ writable: true });
});
