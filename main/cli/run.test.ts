/** What the options of `run` mean, and which runs share their state. */
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../engine/base/errors.ts';
import { adaptersOf, coresOf, seedsOf } from './run.ts';
import { defaultState, stateFolder } from './runState.ts';

describe('seedsOf', () => {
  test.each([
    ['0', [0]],
    ['0-4', [0, 1, 2, 3, 4]],
    ['1,3,5', [1, 3, 5]],
    [' 7 , 2 - 3 ', [7, 2, 3]],
    ['3-3', [3]],
    ['0-2,1-3,0', [0, 1, 2, 3]],
    ['007', [7]],
    ['9007199254740991', [Number.MAX_SAFE_INTEGER]],
  ])('%j', (text, seeds) => expect(seedsOf(text)).toEqual(seeds));

  test.each([
    '',
    ',',
    '1,',
    'x',
    '-1',
    '1.5',
    '1e3',
    '3-1',
    '0-1000',
    '1-2-3',
    '--',
    '٣',
    '9007199254740992',
    '9007199254740990-9007199254740999',
  ])('refuses %j and quotes it', (text) => {
    expect(() => seedsOf(text)).toThrow(UserError);
    expect(() => seedsOf(text)).toThrow(/^run: --seeds must be /);
    expect(() => seedsOf(text)).toThrow(`, got ${JSON.stringify(text)}`);
  });

  test('reads back what numbers are written as, and gives each once', () => {
    const numbers = fc.uniqueArray(fc.nat(), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(numbers, (seeds) => void expect(seedsOf([...seeds, ...seeds].join(','))).toEqual(seeds)),
      { seed: 1 },
    );
  });
});

test('adaptersOf takes none for nothing, and passes on what is not one', () => {
  expect(['', ' ', 'dopamine', 'dopamine, lora-r4', 'full,'].map(adaptersOf)).toEqual([
    [],
    [],
    ['dopamine'],
    ['dopamine', 'lora-r4'],
    ['full', ''],
  ]);
});

test('coresOf takes 1 to 256, written as such', () => {
  expect(['1', '2', '256'].map(coresOf)).toEqual([1, 2, 256]);
  for (const text of ['0', '257', '-1', '1.5', '2.0', '1e2', '0x2', '', ' 2', 'two', '99999999999999999999'])
    expect(() => coresOf(text), text).toThrow(`run: --cores must be an integer in [1, 256], got ${JSON.stringify(text)}`);
});

test('state is kept where the system says, if it says so absolutely', () => {
  expect(defaultState({ XDG_STATE_HOME: '/state' })).toBe(join('/state', 'gatescope', 'runs'));
  for (const given of [{}, { XDG_STATE_HOME: '' }, { XDG_STATE_HOME: 'here' }])
    expect(defaultState(given)).toMatch(/.+\.local.state.gatescope.runs$/);
});

test('the state of a run is its own: by protocol, options, and the data as they are', () => {
  const data = mkdtempSync(join(tmpdir(), 'gatescope-data-'));
  const images = join(data, 'train-images-idx3-ubyte');
  const of = (options: unknown, folder?: string, protocol = 'dopamine') => stateFolder('/state', protocol, { options, folder }, folder);
  const folders = [of({ seeds: [0] }), of({ seeds: [1] }), of({ seeds: [0] }, undefined, 'other'), of({ seeds: [0] }, data)];
  writeFileSync(images, 'one');
  utimesSync(images, 1, 1);
  folders.push(of({ seeds: [0] }, data));
  utimesSync(images, 2, 2);
  folders.push(of({ seeds: [0] }, data));
  writeFileSync(images, 'more');
  utimesSync(images, 2, 2);
  folders.push(of({ seeds: [0] }, data));
  expect(new Set(folders).size).toBe(folders.length);
  expect(of({ seeds: [0] }, data)).toBe(folders.at(-1));
  writeFileSync(join(data, 'notes.txt'), 'something else');
  expect(of({ seeds: [0] }, data)).toBe(folders.at(-1));
  rmSync(data, { recursive: true });
});
