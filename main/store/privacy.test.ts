/** What of a text is a path, and what only looks like one. */
import { expect, test } from 'vitest';
import { withoutLongPaths, withoutPaths, withoutPathsIn } from './privacy.ts';

test.each([
  ['/home/somebody/study', 'study'],
  ['/home/somebody/secret place/of mine', 'of mine'],
  ['/home/somebody/folder/', ''],
  ['could not read /home/somebody/secret place/digits: no such file', 'could not read digits: no such file'],
  ["open '/home/a/x' failed, see '/var/log/y'", "open 'x' failed, see 'y'"],
  ['from /home/a/x to /home/b/y', 'from x to y'],
  ['{"file":"/home/a/x","also":"/home/b/y"}', '{"file":"x","also":"y"}'],
  ["/home/o'brien/x", 'x'],
  ['file=/home/a/x', 'file=x'],
  ['file:///home/a/x', 'x'],
  ['file:///C:/Users/a/x', 'x'],
  ['at C:\\Users\\some body\\x.npz, line 3', 'at x.npz, line 3'],
  ['C:\\\\Users\\\\a\\\\x', 'x'],
  ['\\\\server\\share\\x', 'x'],
  ['/Users/größe/x', 'x'],
])('%s', (text, without) => {
  expect(withoutLongPaths(text)).toBe(without);
});

test.each(['km/s/h', '3/4', '/s', 'of https://example.org/a/b', './data/x', '~/data/x', '../../x', 'a / b / c', 'x = 1/(2/3)', 'L0/U17'])(
  '%s stays',
  (text) => expect(withoutLongPaths(text)).toBe(text),
);

test('a path of one part is one only where it stands alone, and a place is meant', () => {
  expect(withoutPaths('/data')).toBe('data');
  expect(withoutPaths('C:\\data')).toBe('data');
  expect(withoutPaths('in /data')).toBe('in /data');
  expect(withoutLongPaths('/data')).toBe('/data');
});

test('names that become the same stay apart, and none becomes a mark', () => {
  const json = JSON.stringify({ '/home/a/x': 1, x: 2, '/home/b/x': 3, '/home/b/$tensor': '/home/c/y', $$z: ['/home/d/w'] });
  expect(JSON.parse(withoutPathsIn(json, withoutPaths))).toEqual({ 'x (2)': 1, x: 2, 'x (3)': 3, $$tensor: 'y', $$z: ['w'] });
});
