import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { sessionsIn } from './sessionArguments.ts';

test('session files are told from flags, programs and folders, and found from where they were named', () => {
  const words = ['/opt/run.gatescope', '.', '--log=a.gatescope', 'a.gatescope', '/b/C.GATESCOPE', 'notes.txt', '-x.gatescope'];
  expect(sessionsIn(words, '/home/user')).toEqual([resolve('/home/user', 'a.gatescope'), resolve('/b/C.GATESCOPE')]);
});
