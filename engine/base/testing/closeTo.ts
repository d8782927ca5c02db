/** The one comparison of numbers in tests: relative and absolute tolerance; a failure prints the largest error and where it is. */

export interface Tolerance {
  /** Times the largest magnitude expected: rounding of sums is relative to their terms, not to a result that happens to cancel. */
  readonly relative: number;
  readonly absolute: number;
}

/** Equal to the bit, NaN included; for whole numbers, truth values and proofs of sameness. */
export const EXACT: Tolerance = { relative: 0, absolute: 0 };

/** Throws unless |actual − expected| ≤ absolute + relative · max|expected| everywhere; NaN and infinities must be met by themselves. */
export function expectClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: Tolerance,
  what: string,
  shape?: readonly number[],
): void {
  if (actual.length !== expected.length) throw new Error(`${what}: ${actual.length} elements where ${expected.length} are expected`);
  let largest = 0;
  for (let i = 0; i < expected.length; i++) if (Number.isFinite(expected[i])) largest = Math.max(largest, Math.abs(expected[i]));
  const allowed = tolerance.absolute + tolerance.relative * largest;
  let worst = -1;
  let worstError = 0;
  for (let i = 0; i < expected.length; i++) {
    const error = Object.is(actual[i], expected[i]) || actual[i] === expected[i] ? 0 : Math.abs(actual[i] - expected[i]);
    if (worst < 0 || Number.isNaN(error) || error > worstError) [worst, worstError] = [i, error];
    if (Number.isNaN(error)) break;
  }
  if (worst < 0 || worstError <= allowed) return;
  throw new Error(
    `${what}: largest error ${worstError.toExponential(2)} at [${indices(worst, shape).join(', ')}]: ${actual[worst]} where ${expected[worst]} is expected; ` +
      `allowed ${allowed.toExponential(2)} (${tolerance.absolute} + ${tolerance.relative} of ${largest.toPrecision(3)})`,
  );
}

/** The row-major position `flat` as one index for each axis. */
function indices(flat: number, shape: readonly number[] = []): number[] {
  if (shape.length === 0) return [flat];
  const found: number[] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    found.unshift(flat % shape[axis]);
    flat = Math.floor(flat / shape[axis]);
  }
  return found;
}
