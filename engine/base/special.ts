/** Special functions on numbers, to double precision. */

/** The error function: its Maclaurin series within |x| < 3, the continued fraction of erfc beyond (Abramowitz and Stegun 7.1.5, 7.1.14). */
export function erf(x: number): number {
  const a = Math.abs(x);
  if (Number.isNaN(x)) return NaN;
  if (a > 6) return Math.sign(x);
  if (a < 3) {
    let term = a;
    let sum = a;
    for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum) && n < 200; n++) {
      term *= (-a * a) / n;
      sum += term / (2 * n + 1);
    }
    return Math.sign(x) * ((2 / Math.sqrt(Math.PI)) * sum);
  }
  return Math.sign(x) * (1 - farErfc(a));
}

/** 1 − erf(x), with its own digits where erf is 1 to double precision. */
export function erfc(x: number): number {
  return x < 2 ? 1 - erf(x) : farErfc(x);
}

/** For a of at least 2, where its terms shrink fast. */
function farErfc(a: number): number {
  let fraction = 0;
  for (let n = a < 3 ? 120 : 60; n > 0; n--) fraction = n / 2 / (a + fraction);
  return Math.exp(-a * a) / (Math.sqrt(Math.PI) * (a + fraction));
}

/** The share of a standard normal below x. */
export function normalShare(x: number): number {
  return erfc(-x / Math.SQRT2) / 2;
}

/**
 * The standard normal's quantile: the x with {@link normalShare}(x) = p, ±Infinity at 0 and 1, NaN outside. Found in the lower tail, where shares
 * keep their digits: a guess from the tail (Abramowitz and Stegun 26.2.23, good to 4.5e-4), then Halley's steps.
 */
export function normalQuantile(p: number): number {
  if (!(p >= 0 && p <= 1)) return NaN;
  if (p === 0) return -Infinity;
  if (p === 1) return Infinity;
  if (p > 0.5) return -normalQuantile(1 - p);
  const t = Math.sqrt(-2 * Math.log(p));
  let x = (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))) - t;
  for (let step = 0; step < 3; step++) {
    const off = ((normalShare(x) - p) / Math.exp((-x * x) / 2)) * Math.sqrt(2 * Math.PI);
    x -= off / (1 + (x * off) / 2);
  }
  return x;
}
