/** The numbers that the bench of the window reports, against closed forms and brute force. */
import { expect, test } from 'vitest';
import { random } from '../random.ts';
import { lineThrough, quantileInterval, summary } from './figure.ts';

const numbers = random(3);
const uniform = Array.from({ length: 401 }, () => numbers.integer(1_000_000) / 1_000_000);

test('a line is found again, and its residuals are orthogonal to it', () => {
  const x = [0, 50, 100, 150, 200];
  const exact = lineThrough(
    x,
    x.map((at) => 12 - 0.25 * at),
  );
  expect(exact.slope).toBeCloseTo(-0.25, 12);
  expect(exact.at0).toBeCloseTo(12, 12);

  const y = [3, -1, 4, 1, 5];
  const { slope, at0 } = lineThrough(x, y);
  const residuals = y.map((value, i) => value - at0 - slope * x[i]);
  expect(residuals.reduce((sum, value) => sum + value, 0)).toBeCloseTo(0, 10);
  expect(residuals.reduce((sum, value, i) => sum + value * x[i], 0)).toBeCloseTo(0, 8);
  expect(() => lineThrough([1], [1])).toThrow('must be of one length above 1');
});

test('a summary has the middle, the tail and the worst, and intervals around them', () => {
  const found = summary(uniform);
  const sorted = uniform.toSorted((a, b) => a - b);
  expect(found.median).toBe(sorted[200]);
  expect(found.p95.estimate).toBeCloseTo(sorted[380], 12); // 0.95 · 400
  expect(found.worst).toBe(sorted[400]);
  expect(found.lo).toBeLessThan(found.median);
  expect(found.hi).toBeGreaterThan(found.median);
});

test('an interval of a quantile is as wide as the binomial says', () => {
  // Of n uniform numbers the p-quantile has the deviation √(p (1 − p) / n).
  for (const p of [0.5, 0.95]) {
    const { estimate, lo, hi } = quantileInterval(uniform, p);
    const expected = 2 * 1.96 * Math.sqrt((p * (1 - p)) / uniform.length);
    expect(Math.abs(estimate - p)).toBeLessThan(expected);
    expect(hi - lo).toBeGreaterThan(expected / 2);
    expect(hi - lo).toBeLessThan(expected * 2);
  }
});
