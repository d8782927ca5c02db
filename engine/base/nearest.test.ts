/** Edit distances by hand, and what is too far to be meant. */
import { expect, test } from 'vitest';
import { editDistance, nearest } from './nearest.ts';

test.each([
  ['', '', 0],
  ['', 'abc', 3],
  ['kitten', 'sitting', 3],
  ['flaw', 'lawn', 2],
  ['dopamine', 'dopamine', 0],
])('from %j to %j: %d', (a, b, edits) => {
  expect(editDistance(a, b)).toBe(edits);
  expect(editDistance(b, a)).toBe(edits);
});

test('the nearest is named unless it is another word altogether', () => {
  const names = ['firing', 'categories', 'overlap'];
  expect(nearest('fireing', names)).toBe('firing');
  expect(nearest('Overlaps', names)).toBe('overlap');
  expect(nearest('xyzzy', names)).toBeUndefined();
  expect(nearest('firing', [])).toBeUndefined();
});
