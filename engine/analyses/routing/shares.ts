/**
 * Effects of interventions pair by pair, as measures of findings: mean effect over mean gap with a bootstrap interval, a sign-flip max-T p over the
 * declared family, the state of every cell, and the effects themselves so that a cell opens to its pairs. What the cells are is the caller's.
 *
 * The denominator is the mean gap over the same pairs (trap T12); one whose interval contains 0 divides nothing, and the facts say its number.
 */
import type { Findings, Measure } from '../../base/findings.ts';
import { ratioIntervals } from '../../base/inference/ratioInterval.ts';
import { signFlipMaxT } from '../../base/inference/signFlip.ts';
import type { Random } from '../../base/random.ts';
import { bootstrapInterval, type Interval } from '../../base/statistics.ts';

const RESAMPLES = 2000;
const PERMUTATIONS = 10_000;

/** The gap between two arms, held to be a denominator. */
export interface Gap extends Interval {
  /** M(sensitive) − M(control) of every pair. */
  readonly pairs: Float64Array;
  /** Whether its interval leaves 0 out. */
  readonly divides: boolean;
}

/** @param name says which random numbers the interval is drawn from */
export function gapOf(sensitive: ArrayLike<number>, control: ArrayLike<number>, random: Random, name = 'gap'): Gap {
  const pairs = Float64Array.from(sensitive, (metric, pair) => metric - control[pair]);
  const interval = pairs.length > 1 ? bootstrapInterval(pairs, { random: random.fork(name), resamples: RESAMPLES }) : alone(pairs[0]);
  return { ...interval, pairs, divides: interval.low > 0 || interval.high < 0 };
}

/** One pair says nothing of others. */
const alone = (estimate: number): Interval => ({ estimate, low: -Infinity, high: Infinity });

/** The gap as facts; a refused denominator is named as such, with its number. */
export function gapFacts(gap: Gap, definition = 'M(sensitive) − M(control)'): Findings['facts'] {
  const numbers = `mean ${definition} = ${gap.estimate.toPrecision(4)} logits, 95 % interval [${gap.low.toPrecision(4)}, ${gap.high.toPrecision(4)}]`;
  return {
    gap: gap.estimate,
    'gap.low': gap.low,
    'gap.high': gap.high,
    denominator: gap.divides
      ? `${numbers}, ${RESAMPLES} bootstrap samples of pairs`
      : `refused: ${numbers}, contains 0, so there are no shares`,
  };
}

export interface Cells {
  /** Names of the measures begin with it. */
  readonly name: string;
  readonly axes: readonly string[];
  /** What one effect is, in one clause. */
  readonly definition: string;
  /** Of the effects; logits unless told. */
  readonly unit?: string;
  /** What the mean effect is divided by, in words; the mean gap unless told. */
  readonly over?: string;
  /** Effects in logits, or `unit`, [cells, pairs]; NaN throughout for a cell that is not there. */
  readonly effects: Float64Array;
  readonly cells: number;
}

/**
 * `name` (share of the gap), `nameLow`, `nameHigh`, `nameP`, `nameEffect` (logits), `nameState`, `namePairs` [.., pair] (logits). The family of the
 * test is every cell that was measured.
 */
export function shareMeasures(
  { name, axes, definition, effects, cells, unit = 'logits', over = 'the mean gap; NaN where the gap is refused' }: Cells,
  gap: Gap,
  seed: Random,
): Findings['measures'] {
  const pairs = effects.length / cells;
  const column = (cell: number) => effects.subarray(cell * pairs, (cell + 1) * pairs);
  const family = Array.from({ length: cells }, (_entry, cell) => cell).filter((cell) => column(cell).every(Number.isFinite));
  const given = { data: effects, pairs, cells, outermost: 'cells' } as const;
  const none = () => new Float64Array(cells).fill(NaN);
  const random = seed.fork(name);
  const shares =
    gap.divides && pairs > 1 && family.length > 0
      ? ratioIntervals(given, gap.pairs, { random: random.fork('interval'), resamples: RESAMPLES, family })
      : { estimate: none(), low: none(), high: none() };
  const { pValues } =
    family.length > 0
      ? signFlipMaxT(given, { random: random.fork('sign flips'), permutations: PERMUTATIONS, family })
      : { pValues: none() };
  const state = Float64Array.from({ length: cells }, (_entry, cell) =>
    family.includes(cell) ? 1 : column(cell).every(Number.isNaN) ? 0 : -1,
  );
  const mean = Float64Array.from({ length: cells }, (_entry, cell) => column(cell).reduce((sum, value) => sum + value, 0) / pairs);
  const measure = (unit: string, definition: string, data: Measure['data'], own = axes): Measure => ({ axes: own, unit, definition, data });
  return {
    [name]: measure('share', `mean over pairs of ${definition}, divided by ${over}`, shares.estimate),
    [`${name}Low`]: measure(
      'share',
      `lower end of the 95 % interval of ${name}: ${RESAMPLES} bootstrap samples of pairs, effects and gaps together`,
      shares.low,
    ),
    [`${name}High`]: measure('share', `upper end of the 95 % interval of ${name}`, shares.high),
    [`${name}P`]: measure(
      '',
      `sign-flip max-T p over the family of ${family.length} cells of ${name}, ${PERMUTATIONS} relabellings`,
      pValues,
    ),
    [`${name}Effect`]: measure(unit, `mean over pairs of ${definition}`, mean),
    [`${name}State`]: measure('', '1: measured; 0: not there; −1: failed, a metric is not a finite number', state),
    [`${name}Pairs`]: measure(unit, `${definition}, pair by pair`, Float32Array.from(effects), [...axes, 'pair']),
  };
}

/** The pairs as an axis. */
export const pairAxis = (pairs: number) => ({ values: Array.from({ length: pairs }, (_entry, pair) => pair) });
