/** Where runs keep their state, and which of them share it. */
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { defaultState, stateFile } from './runState.ts';

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
