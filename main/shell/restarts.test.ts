import { expect, test } from 'vitest';
import { Restarts } from './restarts.ts';

test('at once, then later, then not at all; a person may start anew', () => {
  const restarts = new Restarts();
  expect([0, 10_000, 20_000].map((now) => restarts.afterDeath(now))).toEqual([0, 1000, undefined]);
  restarts.forget();
  expect(restarts.afterDeath(20_500)).toBe(0);
});

test('deaths of more than a minute ago are forgotten', () => {
  const restarts = new Restarts();
  expect([0, 30_000, 60_000, 91_000, 200_000].map((now) => restarts.afterDeath(now))).toEqual([0, 1000, 1000, 1000, 0]);
});
