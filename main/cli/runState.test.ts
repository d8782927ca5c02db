/** Where runs keep their state, and which of them share it. */
import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fill, Folder } from '../store/testing/sessions.ts';
import { defaultState, stateFile, temporarySession } from './runState.ts';

test('state is kept where the system says, if it says so absolutely', () => {
  expect(defaultState({ XDG_STATE_HOME: '/state' })).toBe(join('/state', 'gatescope', 'runs'));
  for (const given of [{}, { XDG_STATE_HOME: '' }, { XDG_STATE_HOME: 'here' }])
    expect(defaultState(given)).toMatch(/.+\.local.state.gatescope.runs$/);
});

test('the state of a run is its own: by protocol, options, and the data as they are', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatescope-data-'));
  const images = join(folder, 'images.npz');
  const of = (options: unknown, source = 'mnist', protocol = 'dopamine') => stateFile('/state', protocol, { options, source }, source);
  const files = [of({ seeds: [0] }), of({ seeds: [1] }), of({ seeds: [0] }, 'mnist', 'other'), of({ seeds: [0] }, images)];
  writeFileSync(images, 'one');
  utimesSync(images, 1, 1);
  files.push(of({ seeds: [0] }, images));
  utimesSync(images, 2, 2);
  files.push(of({ seeds: [0] }, images));
  writeFileSync(images, 'more');
  utimesSync(images, 2, 2);
  files.push(of({ seeds: [0] }, images));
  expect(new Set(files).size).toBe(files.length);
  expect(of({ seeds: [0] }, images)).toBe(files.at(-1));
  for (const file of files) expect(file).toMatch(/^.state.[0-9a-f]{24}\.gatescope$/);
  writeFileSync(join(folder, 'notes.txt'), 'something else');
  expect(of({ seeds: [0] }, images)).toBe(files.at(-1));
  rmSync(folder, { recursive: true });
});

test('the session of a run stays while it is needed, goes when it is not, and is made anew if it is damaged', () => {
  using folder = new Folder();
  const path = folder.at('run.gatescope');
  const problems: string[] = [];
  const open = () => temporarySession(path, ({ message }) => problems.push(message));
  open().close(); // nothing was done
  expect(folder.files()).toEqual([]);
  const interrupted = open();
  fill(interrupted.session);
  interrupted.close();
  const resumed = open();
  expect(resumed.session.results()).toHaveLength(1);
  resumed.close();
  expect(problems).toEqual([]);
  writeFileSync(path, readFileSync(path).fill(1, 4096));
  const anew = open();
  expect(problems).toEqual([expect.stringContaining('must be whole')]);
  expect(anew.session.results()).toEqual([]);
  fill(anew.session);
  anew.finished();
  anew.close();
  expect(folder.files()).toEqual([]);
});
