/** What both sides must agree on before, and while, they are timed. Each check returns nothing or throws with the numbers. */
import { AGREEMENT_STEPS } from './exchange.ts';
import { BenchFailure } from './failure.ts';
import type { ProtocolResult, Ready, RoundAnswer } from './side.ts';
import { worstDeviation } from './statistics.ts';
import type { Suite } from './suites.ts';

/** Float32 in another order of summation; engine-notes §4 measured 2.4e-7 over 20 Adam steps, so this leaves room for other shapes. */
export const LOSS_TOLERANCE = 1e-4;
/** Of the largest effect (patched − clean) in the sweep. */
export const EFFECT_TOLERANCE = 1e-4;
/** After a whole round the roundings have grown apart: this only shows that the timed steps were real steps. */
const LAST_TOLERANCE = 0.05;
/** Percentage points between two runs with their own random numbers; at 45° five torch seeds (0–4) span 0.6 frozen, 0.1 soft and hard, 0.3 LoRA. */
const ACCURACY_TOLERANCE = 1.5;

/** The largest deviation found, in units of the tolerance's scale. */
export function checkReady(suite: Suite, ours: Ready, rival: Ready): number {
  if (suite.unit === 'sweep') {
    const [all, b] = [series(suite, 'figures', 'ours', ours), series(suite, 'figures', 'the rival', rival)];
    const [ownBaseline, baseline] = [series(suite, 'baseline', 'ours', ours), series(suite, 'baseline', 'the rival', rival)];
    const a = ofCells(all, baseline.length, rival.cells);
    // The largest may not be among a few cells: then it is the one we found among all.
    const largest = rival.cells ? largestEffect(all, ownBaseline) : largestEffect(b, baseline);
    return within(suite, 'figure', EFFECT_TOLERANCE, 'of the largest effect', a, b, () => largest);
  }
  const [a, b] = [series(suite, 'losses', 'ours', ours), series(suite, 'losses', 'the rival', rival)];
  for (const losses of [a, b])
    if (losses.length !== AGREEMENT_STEPS)
      throw new BenchFailure(`${suite.name}: both sides must give ${AGREEMENT_STEPS} losses, got ${losses.length}`);
  return within(suite, 'loss of step', LOSS_TOLERANCE, 'relative', a, b, (index) => Math.abs(b[index]));
}

export function checkRound(suite: Suite, ours: RoundAnswer, rival: RoundAnswer): void {
  if (suite.unit === 'step') {
    const [a, b] = [ours.last ?? NaN, rival.last ?? NaN];
    if (!(Math.abs(a - b) <= LAST_TOLERANCE * Math.max(Math.abs(b), LAST_TOLERANCE)))
      throw new BenchFailure(
        `${suite.name}: after ${suite.work} steps the losses must be within ${LAST_TOLERANCE}, got ours ${a}, rival ${b}`,
      );
  }
  if (suite.unit === 'protocol') {
    const [a, b] = [rotatedAccuracies(ours.result), rotatedAccuracies(rival.result)];
    for (const name of Object.keys(b))
      if (!(Math.abs(a[name] - b[name]) <= ACCURACY_TOLERANCE))
        throw new BenchFailure(
          `${suite.name}: ${name} at 45° must be within ${ACCURACY_TOLERANCE} points, got ours ${a[name]}, rival ${b[name]}`,
        );
  }
}

/** At 0° the adapters are left free: LoRA falls to 72–78 there, depending on the seed. */
function rotatedAccuracies(result: ProtocolResult | undefined): Record<string, number> {
  const accuracies: Record<string, number> = { frozen: result?.frozen['45'] ?? NaN };
  for (const [name, { soft, hard }] of Object.entries(result?.adapters ?? {})) {
    accuracies[`${name} soft`] = soft['45'];
    if (hard !== undefined) accuracies[`${name} hard`] = hard['45'];
  }
  return accuracies;
}

function largestEffect(figures: number[], baseline: number[]): number {
  return figures.reduce((most, figure, index) => Math.max(most, Math.abs(figure - baseline[index % baseline.length])), 0);
}

/** The figures of some cells; of all where none are named. */
function ofCells(figures: number[], each: number, cells: number[] | undefined): number[] {
  return cells === undefined ? figures : cells.flatMap((cell) => figures.slice(cell * each, (cell + 1) * each));
}

function series(suite: Suite, key: 'losses' | 'figures' | 'baseline', who: string, ready: Ready): number[] {
  const values = ready[key];
  if (values === undefined || values.length === 0)
    throw new BenchFailure(`${suite.name}: ${who} must give ${key} in its first line, got none`);
  return values;
}

function within(
  suite: Suite,
  what: string,
  tolerance: number,
  unit: string,
  a: number[],
  b: number[],
  scale: (index: number) => number,
): number {
  if (a.length !== b.length)
    throw new BenchFailure(`${suite.name}: both sides must give as many figures, got ours ${a.length}, rival ${b.length}`);
  const { worst, at, ours, rival } = worstDeviation(a, b, scale);
  if (worst <= tolerance) return worst;
  throw new BenchFailure(
    `${suite.name}: ${what} ${at} must agree within ${tolerance} ${unit}, got ours ${ours}, rival ${rival} (${worst.toExponential(2)}); nothing was timed`,
  );
}
