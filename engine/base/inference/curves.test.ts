/** Logistic thresholds, coalitions and the normal's functions: closed forms, a grid search, NumPy and Python's own statistics. */
import { describe, expect, it } from 'vitest';
import { pythonWith } from '../../export/testing/python.ts';
import { UserError } from '../errors.ts';
import { Random } from '../random.ts';
import { erf, erfc, normalQuantile, normalShare } from '../special.ts';
import { expectClose } from '../testing/closeTo.ts';
import { pearsonMatrix, splitInTwo } from './coalitions.ts';
import { fitLogistic, type Dose } from './logistic.ts';

const likelihood = (doses: readonly Dose[], threshold: number, slope: number) =>
  doses.reduce((sum, { dose, trials, hits }) => {
    const p = 1 / (1 + Math.exp(-slope * (dose - threshold)));
    return sum + (hits ? hits * Math.log(p) : 0) + (trials > hits ? (trials - hits) * Math.log(1 - p) : 0);
  }, 0);

describe('fitLogistic', () => {
  it('goes through two doses exactly', () => {
    // Shares ¼ and ¾: logits ∓ ln 3.
    const { state, threshold, slope, gap } = fitLogistic([
      { dose: 1, trials: 40, hits: 10 },
      { dose: 3, trials: 40, hits: 30 },
    ]);
    expect(state).toBe('fitted');
    expect(threshold).toBeCloseTo(2, 10);
    expect(slope).toBeCloseTo(Math.log(3), 10);
    expect(gap).toEqual([threshold, threshold]);
  });

  it('is where the likelihood is largest, and its interval where it has fallen by 1.92: a grid of both parameters', () => {
    const doses = [9, 8, 8, 5, 4, 4, 1, 0].map((hits, i) => ({ dose: i * 5, trials: 9, hits }));
    const { threshold, slope, low, high } = fitLogistic(doses);
    expect(slope).toBeLessThan(0);
    const top = likelihood(doses, threshold, slope);
    const profile = (at: number) => Math.max(...Array.from({ length: 4000 }, (_, i) => likelihood(doses, at, -0.0005 * (i + 1))));
    for (const off of [-0.5, -0.01, 0.01, 0.5]) {
      expect(likelihood(doses, threshold + off, slope)).toBeLessThan(top);
      expect(likelihood(doses, threshold, slope * (1 + off / 5))).toBeLessThan(top);
      expect(profile(threshold + off)).toBeLessThan(top);
    }
    for (const end of [low, high]) expect(top - profile(end)).toBeCloseTo(1.959964 ** 2 / 2, 3);
    expect(low).toBeLessThan(threshold);
    expect(high).toBeGreaterThan(threshold);
    const wider = fitLogistic(doses, { level: 0.99 });
    expect(wider.low < low && wider.high > high).toBe(true);
  });

  it('does not care for units, direction, order or grouping', () => {
    const doses = [0, 1, 3, 4, 6].map((hits, i) => ({ dose: i, trials: 6, hits }));
    const found = fitLogistic(doses);
    const moved = fitLogistic(doses.map((point) => ({ ...point, dose: 1000 - 50 * point.dose })).reverse());
    expect(moved.threshold).toBeCloseTo(1000 - 50 * found.threshold, 6);
    expect(moved.slope).toBeCloseTo(-found.slope / 50, 10);
    expect([moved.low, moved.high].map((end) => (1000 - end) / 50)).toEqual([expect.closeTo(found.high, 6), expect.closeTo(found.low, 6)]);
    const single = doses.flatMap(({ dose, trials, hits }) =>
      Array.from({ length: trials }, (_, i) => ({ dose, trials: 1, hits: Number(i < hits) })),
    );
    expect(fitLogistic(single)).toEqual(found);
  });

  it('says so where outcomes are perfectly separated, with the gap and an interval around it', () => {
    const doses = [0, 0, 8, 8].map((hits, i) => ({ dose: [0, 1, 3, 4][i], trials: 8, hits }));
    const { state, threshold, slope, gap, low, high } = fitLogistic(doses);
    expect({ state, threshold, slope, gap }).toEqual({ state: 'separated', threshold: 2, slope: Infinity, gap: [1, 3] });
    // A threshold beyond a dose of the gap makes each of its eight trials at most as likely as not: 8 ln 2 > 1.92.
    expect([low, high]).toEqual([expect.closeTo(1, 9), expect.closeTo(3, 9)]);
    // Two trials are not enough for that: 2 ln 2 < 1.92, and the interval reaches beyond.
    const pairs = doses.map((point) => ({ ...point, trials: 2, hits: point.hits / 4 }));
    const beyond = fitLogistic(pairs);
    expect(beyond.low).toBeGreaterThan(0);
    expect(beyond.low).toBeLessThan(0.99);
    expect(beyond.high).toBeCloseTo(4 - beyond.low, 8);
    const profile = Math.max(...Array.from({ length: 20_000 }, (_, i) => likelihood(pairs, beyond.low, 0.001 * (i + 1))));
    expect(-profile).toBeCloseTo(1.959964 ** 2 / 2, 3);
    const few = fitLogistic(doses.map((point) => ({ ...point, trials: 1, hits: Number(point.hits > 0) })));
    expect([few.state, few.threshold]).toEqual(['separated', 2]);
    // Four trials in all: a slope of 0 has a likelihood of 2⁻⁴, which the level does not exclude (2 · 4 ln 2 = 5.5 > 3.84 does).
    expect(few.low).toBeGreaterThan(-Infinity);
    const two = fitLogistic([doses[0], doses[3]].map((point) => ({ ...point, trials: 1, hits: Number(point.hits > 0) })));
    expect([two.low, two.high]).toEqual([-Infinity, Infinity]); // 2 · 2 ln 2 = 2.8
    expect(fitLogistic(doses.map((point) => ({ ...point, hits: point.trials - point.hits }))).slope).toBe(-Infinity);
  });

  it('puts the threshold on the one dose where outcomes are mixed', () => {
    const doses = [0, 0, 6, 8].map((hits, i) => ({ dose: i, trials: 8, hits }));
    const { state, threshold, gap, low, high } = fitLogistic(doses);
    expect([state, threshold, gap]).toEqual(['separated', 2, [2, 2]]);
    expect(low).toBeLessThan(2);
    expect(low).toBeGreaterThan(1);
    // Six of eight at the dose itself: that the threshold lies above it is 1.05 less likely in logarithm, within 1.92.
    expect(high).toBeGreaterThan(2);
    const sure = fitLogistic([0, 0, 39, 40].map((hits, i) => ({ dose: i, trials: 40, hits })));
    expect(sure.high).toBeCloseTo(2, 9);
  });

  it('has no threshold where the outcome never changes or has no trend', () => {
    const never = fitLogistic([1, 2].map((dose) => ({ dose, trials: 5, hits: 0 })));
    expect(never).toEqual({ state: 'constant', threshold: NaN, slope: 0, low: -Infinity, high: Infinity, gap: [NaN, NaN] });
    expect(fitLogistic([1, 2].map((dose) => ({ dose, trials: 5, hits: 5 }))).state).toBe('constant');
    expect(fitLogistic([1, 2, 3].map((dose) => ({ dose, trials: 4, hits: 1 }))).state).toBe('flat');
    const weak = fitLogistic([2, 1, 3].map((hits, dose) => ({ dose, trials: 5, hits })));
    expect([weak.state, weak.low, weak.high]).toEqual(['fitted', -Infinity, Infinity]);
  });

  it('holds the true threshold about as often as it says', () => {
    const random = new Random(31);
    let held = 0;
    for (let run = 0; run < 300; run++) {
      const doses = Array.from({ length: 9 }, (_, dose) => {
        let hits = 0;
        for (let trial = 0; trial < 8; trial++) hits += Number(random.uniform() < 1 / (1 + Math.exp(-1.2 * (dose - 4.3))));
        return { dose, trials: 8, hits };
      });
      const { low, high } = fitLogistic(doses);
      held += Number(low <= 4.3 && high >= 4.3);
    }
    // 95 % ± three standard errors of 300 runs, and a point for the few trials.
    expect(Math.abs(held / 300 - 0.95)).toBeLessThan(0.048);
  });

  it.each([
    ['fitLogistic: doses must be at least 2 different ones with trials, got 1', [{ dose: 1, trials: 2, hits: 1 }]],
    ['fitLogistic: doses[0] must be finite, got NaN', [{ dose: NaN, trials: 2, hits: 1 }]],
    ['fitLogistic: hits[0] must be an integer in [0, 2], got 3', [{ dose: 1, trials: 2, hits: 3 }]],
    ['fitLogistic: trials[0] must be an integer of at least 0, got 1.5', [{ dose: 1, trials: 1.5, hits: 1 }]],
  ])('%s', (message, doses) => {
    expect(() => fitLogistic(doses)).toThrow(UserError);
    expect(() => fitLogistic(doses)).toThrow(message);
  });
});

/** Two groups that follow a shared signal, with its sign and against it. */
function opponents(seed: number, pairs: number, signs: readonly number[], noise: number) {
  const random = new Random(seed);
  const data = new Float64Array(pairs * signs.length);
  for (let pair = 0; pair < pairs; pair++) {
    const signal = random.normal();
    signs.forEach((sign, cell) => (data[pair * signs.length + cell] = 10 * cell + sign * signal + noise * random.normal()));
  }
  return { data, pairs, cells: signs.length };
}

describe('coalitions', () => {
  const numpy = pythonWith('numpy');

  it('correlations are closed forms', () => {
    const { matrix } = pearsonMatrix({ data: Float64Array.of(1, 2, 5, 2, 4, 5, 3, 6, 5, 4, 8, 5, 5, 9, 5), pairs: 5, cells: 3 });
    // Σ(x − 3)(y − 5.8) = 18, Σ(x − 3)² = 10, Σ(y − 5.8)² = 32.8; the third cell never varies.
    expect(matrix[1]).toBeCloseTo(18 / Math.sqrt(328), 14);
    expect([...matrix].map(Number.isNaN)).toEqual([false, false, true, false, false, true, true, true, true]);
    expect([matrix[0], matrix[4]]).toEqual([1, 1]);
  });

  it.skipIf(typeof numpy === 'string')(`correlations are NumPy's (${typeof numpy === 'string' ? numpy : 'found'})`, () => {
    if (typeof numpy === 'string') return;
    const { data, pairs, cells } = opponents(5, 40, [1, -1, 1, 1, -1, 1], 0.8);
    const printed = numpy.run(
      'import json, sys, numpy as np\nprint(json.dumps(np.corrcoef(np.array(json.loads(sys.argv[1])).reshape(40, 6).T).ravel().tolist()))',
      [JSON.stringify([...data])],
    );
    expectClose(
      pearsonMatrix({ data, pairs, cells }).matrix,
      JSON.parse(printed) as number[],
      { relative: 1e-13, absolute: 0 },
      'correlations',
    );
  });

  it('planted opponents are parted as by trying every split', () => {
    for (let seed = 0; seed < 20; seed++) {
      const random = new Random(seed);
      const signs = [1, -1, ...Array.from({ length: 6 }, () => (random.uniform() < 0.5 ? 1 : -1))];
      const correlations = pearsonMatrix(opponents(seed, 60, signs, 0.7));
      const { coalition, within, across } = splitInTwo(correlations);
      expect([...coalition]).toEqual(signs.map((sign) => (sign > 0 ? 0 : 1)));
      const score = (mask: number) => {
        let sum = 0;
        for (let i = 0; i < 8; i++)
          for (let j = 0; j < i; j++) sum += (((mask >> i) ^ (mask >> j)) & 1 ? -1 : 1) * correlations.matrix[i * 8 + j];
        return sum;
      };
      const best = [...Array(128).keys()].map((mask) => 2 * mask).reduce((one, other) => (score(other) > score(one) ? other : one));
      expect([...coalition]).toEqual([...Array(8).keys()].map((i) => (best >> i) & 1));
      expect(across).toBeLessThan(-0.3);
      for (const value of within) expect(Number.isNaN(value) || value > 0.3).toBe(true);
    }
  });

  it('a cell without correlations is in neither', () => {
    const { data, pairs, cells } = opponents(1, 20, [1, 1, -1], 0.1);
    for (let pair = 0; pair < pairs; pair++) data[pair * cells] = 0.1;
    const correlations = pearsonMatrix({ data, pairs, cells });
    const { coalition, within } = splitInTwo(correlations);
    expect([...coalition]).toEqual([-1, 0, 1]);
    expect(within).toEqual([NaN, NaN]);
    expect(() => splitInTwo(pearsonMatrix({ data, pairs, cells }, [0, 1]))).toThrow('splitInTwo: cells must be at least 2');
    expect(() => pearsonMatrix({ data: data.subarray(0, 6), pairs: 2, cells: 3 })).toThrow(
      'pearsonMatrix: pairs must be at least 3, got 2',
    );
  });
});

describe('the normal distribution', () => {
  const python = pythonWith('statistics');
  const shares = [1e-300, 1e-20, 1e-9, 1e-4, 0.0127, 0.025, 0.2, 0.4999, 0.5, 0.7, 0.975, 0.9999];

  it('has the constants of every table', () => {
    expect(normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 14);
    expect(normalQuantile(0.8)).toBeCloseTo(0.8416212335729143, 14);
    expect([0, 1, 0.5].map(normalQuantile)).toEqual([-Infinity, Infinity, expect.closeTo(0, 15)]);
    expect(normalQuantile(1.1)).toBeNaN();
    for (const p of shares) expect(Math.abs(normalShare(normalQuantile(p)) / p - 1)).toBeLessThan(1e-11);
    for (const x of [-2, 0, 0.5, 1.9, 2.1, 2.9, 3.1]) expect(erf(x) + erfc(x)).toBeCloseTo(1, 13); // erf sums an alternating series below 3
  });

  it.skipIf(typeof python === 'string')(`agrees with Python (${typeof python === 'string' ? python : 'found'})`, () => {
    if (typeof python === 'string') return;
    const points = [-3, -1, 0, 0.3, 1.99, 2, 2.5, 2.99, 3, 5, 9, 20];
    const printed = python.run(
      'import json, math, statistics, sys\np, x = json.loads(sys.argv[1])\nprint(json.dumps([[statistics.NormalDist().inv_cdf(v) for v in p], [math.erfc(v) for v in x]]))',
      [JSON.stringify([shares, points])],
    );
    const [quantiles, tails] = JSON.parse(printed) as [number[], number[]];
    quantiles.forEach((value, i) => expect(Math.abs(normalQuantile(shares[i]) - value)).toBeLessThan(1e-13 + 1e-13 * Math.abs(value)));
    tails.forEach((value, i) => expect(Math.abs(erfc(points[i]) / value - 1)).toBeLessThan(1e-12));
  });
});
