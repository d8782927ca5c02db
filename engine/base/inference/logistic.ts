/**
 * The dose at which an outcome becomes as likely as not: a logistic curve P(outcome | α) = 1 / (1 + exp(−slope · (α − threshold))), fitted by
 * maximum likelihood, with a profile-likelihood interval of the threshold α½ (D. Venzon and S. Moolgavkar, Applied Statistics 37, 1988).
 *
 * The interval is made of likelihoods, not of a standard error, because outcomes of one topic are often perfectly separated: all on one side of
 * some dose, none on the other. Then no finite slope is best and a standard error does not exist, but the likelihood of every threshold does.
 */
import { UserError } from '../errors.ts';
import { normalQuantile } from '../special.ts';

/** Trials at one dose, and in how many of them the outcome was there. */
export interface Dose {
  readonly dose: number;
  readonly trials: number;
  readonly hits: number;
}

export interface LogisticFit {
  /**
   * `fitted`: both outcomes overlap, threshold and slope are the most likely ones.
   * `separated`: the outcome is always on one side of the threshold and never on the other (it may be mixed at the one dose between): the slope is
   * ±Infinity, every threshold in `gap` is equally likely, and the middle of it is given.
   * `constant`: the outcome always or never came: there is no threshold, and nothing but more doses can tell.
   * `flat`: the outcome comes and goes with no trend at all (slope 0): there is no threshold either.
   */
  readonly state: 'fitted' | 'separated' | 'constant' | 'flat';
  /** In the units of the dose; NaN where there is none. */
  readonly threshold: number;
  /** Per unit of dose; positive where the outcome comes with more of it. */
  readonly slope: number;
  /** Thresholds that the level does not exclude; −Infinity and Infinity where a slope of 0 is not excluded either. */
  readonly low: number;
  readonly high: number;
  /** The doses between which a separated threshold lies; [threshold, threshold] otherwise. */
  readonly gap: readonly [number, number];
}

/** @param level of the interval, 0.95 unless told @throws UserError for fewer than two doses, or more hits than trials */
export function fitLogistic(doses: readonly Dose[], { level = 0.95 }: { level?: number } = {}): LogisticFit {
  if (!(level > 0 && level < 1)) throw new UserError('fitLogistic: level', 'must be in (0, 1)', level);
  const points = gathered(doses);
  const trials = points.reduce((sum, point) => sum + point.trials, 0);
  const hits = points.reduce((sum, point) => sum + point.hits, 0);
  if (hits === 0 || hits === trials)
    return { state: 'constant', threshold: NaN, slope: 0, low: -Infinity, high: Infinity, gap: [NaN, NaN] };

  const gap = separation(points);
  const best = gap ? undefined : mostLikely(points);
  if (best && best.slope === 0) return { state: 'flat', threshold: NaN, slope: 0, low: -Infinity, high: Infinity, gap: [NaN, NaN] };
  const threshold = gap ? (gap.low + gap.high) / 2 : best!.threshold;
  const slope = gap ? gap.sign * Infinity : best!.slope;
  const top = gap ? gap.likelihood : best!.likelihood;

  // −2 ln of the likelihood ratio is χ² with one degree of freedom: the square of a standard normal.
  const least = top - normalQuantile((1 + level) / 2) ** 2 / 2;
  const flat = logLikelihood(points, () => Math.log(hits / (trials - hits)));
  const ends = gap ? ([gap.low, gap.high] as const) : ([threshold, threshold] as const);
  // Thresholds ever further away come ever closer to no slope at all.
  const [low, high] = flat >= least ? [-Infinity, Infinity] : ([-1, 1] as const).map((side, i) => bound(points, ends[i], side, least));
  return { state: gap ? 'separated' : 'fitted', threshold, slope, low, high, gap: [...ends] };
}

/** One point for each dose, in ascending order; doses without trials are left out. */
function gathered(doses: readonly Dose[]): Dose[] {
  const byDose = new Map<number, { dose: number; trials: number; hits: number }>();
  doses.forEach(({ dose, trials, hits }, i) => {
    if (!Number.isFinite(dose)) throw new UserError(`fitLogistic: doses[${i}]`, 'must be finite', dose);
    if (!Number.isInteger(trials) || trials < 0)
      throw new UserError(`fitLogistic: trials[${i}]`, 'must be an integer of at least 0', trials);
    if (!Number.isInteger(hits) || hits < 0 || hits > trials)
      throw new UserError(`fitLogistic: hits[${i}]`, `must be an integer in [0, ${trials}]`, hits);
    if (trials === 0) return;
    const point = byDose.get(dose + 0);
    if (!point) byDose.set(dose + 0, { dose, trials, hits });
    else {
      point.trials += trials;
      point.hits += hits;
    }
  });
  if (byDose.size < 2) throw new UserError('fitLogistic: doses', 'must be at least 2 different ones with trials', byDose.size);
  return [...byDose.values()].sort((a, b) => a.dose - b.dose);
}

/** The doses between which all outcomes change, and the likelihood that an infinite slope reaches. */
function separation(points: readonly Dose[]): { low: number; high: number; sign: number; likelihood: number } | undefined {
  const missed = points.filter(({ hits, trials }) => hits < trials).map(({ dose }) => dose);
  const hit = points.filter(({ hits }) => hits > 0).map(({ dose }) => dose);
  // Only the mixed dose between, if there is one, has a likelihood below 1.
  const likelihood = points.reduce((sum, { hits, trials }) => sum + term(hits, trials, Math.log(hits / (trials - hits))), 0);
  if (missed.at(-1)! <= hit[0]) return { low: missed.at(-1)!, high: hit[0], sign: 1, likelihood };
  if (hit.at(-1)! <= missed[0]) return { low: hit.at(-1)!, high: missed[0], sign: -1, likelihood };
  return undefined;
}

/** Newton's steps on (intercept, slope) about the mean dose, halved until the likelihood, which is concave, does not fall. */
function mostLikely(points: readonly Dose[]): { threshold: number; slope: number; likelihood: number } {
  const trials = points.reduce((sum, point) => sum + point.trials, 0);
  const hits = points.reduce((sum, point) => sum + point.hits, 0);
  const centre = points.reduce((sum, point) => sum + point.trials * point.dose, 0) / trials;
  const spread = points.at(-1)!.dose - points[0].dose;
  const scaled = points.map((point) => ({ ...point, dose: (point.dose - centre) / spread }));
  let [a, b] = [Math.log(hits / (trials - hits)), 0];
  const at = (intercept: number, slope: number) => logLikelihood(scaled, (dose) => intercept + slope * dose);
  let likelihood = at(a, b);
  for (let step = 0; step < 100; step++) {
    let [ga, gb, haa, hab, hbb] = [0, 0, 0, 0, 0];
    for (const { dose, trials: n, hits: y } of scaled) {
      const p = share(a + b * dose);
      const weight = n * p * (1 - p);
      ga += y - n * p;
      gb += (y - n * p) * dose;
      haa += weight;
      hab += weight * dose;
      hbb += weight * dose * dose;
    }
    const determinant = haa * hbb - hab * hab;
    const [da, db] = [(hbb * ga - hab * gb) / determinant, (haa * gb - hab * ga) / determinant];
    let size = 1;
    while (size > 1e-10 && !(at(a + size * da, b + size * db) >= likelihood)) size /= 2;
    if (size <= 1e-10) break;
    [a, b] = [a + size * da, b + size * db];
    likelihood = at(a, b);
    if (Math.hypot(da, db) < 1e-13 * (1 + Math.hypot(a, b))) break;
  }
  // A slope of rounding: outcomes balanced to the last digit.
  if (Math.abs(b) < 1e-12) return { threshold: NaN, slope: 0, likelihood };
  return { threshold: centre - (a / b) * spread, slope: b / spread, likelihood };
}

/** Where the profile falls below `least`, going from the most likely threshold to one side: doubling steps, then halving the last. */
function bound(points: readonly Dose[], from: number, side: 1 | -1, least: number): number {
  let inside = from;
  let step = (points.at(-1)!.dose - points[0].dose) / 16;
  let outside = from + side * step;
  while (profile(points, outside) >= least) {
    inside = outside;
    step *= 2;
    outside = from + side * step;
    if (!Number.isFinite(outside)) return outside;
  }
  for (let halving = 0; halving < 60; halving++) {
    const middle = (inside + outside) / 2;
    if (profile(points, middle) >= least) inside = middle;
    else outside = middle;
  }
  return inside;
}

/** The largest likelihood that any slope reaches with this threshold; concave in the slope, so its derivative is halved in. */
function profile(points: readonly Dose[], threshold: number): number {
  const scale = 1 / Math.max(...points.map(({ dose }) => Math.abs(dose - threshold)));
  const rising = (slope: number) =>
    points.reduce(
      (sum, { dose, trials, hits }) => sum + (hits - trials * share(slope * (dose - threshold))) * (dose - threshold) * scale,
      0,
    );
  const at0 = rising(0);
  if (at0 === 0) return logLikelihood(points, () => 0);
  const sign = Math.sign(at0);
  let low = 0;
  let high = scale;
  // Beyond 1e12 a step over the smallest distance that doubles tell apart is as good as infinite.
  while (sign * rising(sign * high) > 0 && high < 1e12 * scale) {
    low = high;
    high *= 2;
  }
  for (let halving = 0; halving < 50; halving++) {
    const middle = (low + high) / 2;
    if (sign * rising(sign * middle) > 0) low = middle;
    else high = middle;
  }
  return logLikelihood(points, (dose) => sign * low * (dose - threshold));
}

function logLikelihood(points: readonly Dose[], logit: (dose: number) => number): number {
  return points.reduce((sum, { dose, trials, hits }) => sum + term(hits, trials, logit(dose)), 0);
}

/** hits · ln p + misses · ln(1 − p) for p of a logit; 0 · ln 0 is 0. */
function term(hits: number, trials: number, logit: number): number {
  const misses = trials - hits;
  return (hits > 0 ? -hits * softplus(-logit) : 0) - (misses > 0 ? misses * softplus(logit) : 0);
}

function softplus(x: number): number {
  return x > 0 ? x + Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x));
}

function share(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}
