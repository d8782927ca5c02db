/** A sweep of sites as a command prints it: every cell with its effect, interval, p and state; and its plan, before it begins. */
import { stateOf, type SweptState } from '../../engine/analyses/routing/siteSweep.ts';
import type { Findings } from '../../engine/base/findings.ts';
import type { SweepPlan } from '../../engine/jobs/planSweep.ts';
import { bytesText } from './list.ts';
import { probability, share } from './policyTable.ts';
import { durationText } from './progressLine.ts';
import { aligned, figure } from './table.ts';

export interface SweptCell {
  readonly cell: string;
  /** In logits; null where there is none, as are the others. */
  readonly effect: number | null;
  readonly interval: readonly [low: number | null, high: number | null];
  /** Of the mean gap; null where the interval of the gap contains 0. */
  readonly share: number | null;
  readonly shareInterval: readonly [low: number | null, high: number | null];
  /** Corrected over all cells that were run. */
  readonly p: number | null;
  readonly state: SweptState;
  /** How far the place was moved: L2 norm, mean over pairs. */
  readonly moved: number | null;
}

export function cellsOf({ axes, measures }: Findings): SweptCell[] {
  const of = (name: string, i: number): number | null => {
    const value = measures[name].data[i];
    return Number.isFinite(value) ? value : null;
  };
  return axes.cell.values.map((cell, i) => ({
    cell: String(cell),
    effect: of('effect', i),
    interval: [of('effectLow', i), of('effectHigh', i)],
    share: of('share', i),
    shareInterval: [of('shareLow', i), of('shareHigh', i)],
    p: of('p', i),
    state: stateOf(measures.state.data[i]),
    moved: of('moved', i),
  }));
}

/** Two lines and, where cells cannot be cut, a third that says why. */
export function planText(plan: SweepPlan): string {
  const { cells, family, pairs, length, naiveForwards, forwards, runs, proved, whole, reason, seconds, bytes } = plan;
  return [
    `plan: ${cells} cells on ${pairs} pairs of ${length} tokens; p counts a family of ${family}; ${proved} proved to be zero`,
    `      ${forwards} forwards and ${runs} partial runs for ${naiveForwards} forwards, about ${durationText(seconds.planned)} for ${durationText(seconds.naive)} on one thread; effects ${bytesText(bytes.effects)}, memory ${bytesText(bytes.memory)} a thread`,
    ...(whole > 0 ? [`      ${whole} cells are run whole: ${reason}`] : []),
  ].join('\n');
}

/** Cells in order of the size of their effects, all of them; then what they rest on. */
export function sweepText(findings: Findings): string {
  const cells = cellsOf(findings).toSorted((a, b) => Math.abs(b.effect ?? -1) - Math.abs(a.effect ?? -1));
  const number = (value: number | null) => (value === null ? '–' : figure(value));
  const rows = cells.map(({ cell, effect, interval, share: part, p, state }) => [
    cell,
    number(effect),
    `[${interval.map(number).join(', ')}]`,
    share(part ?? NaN),
    probability(p ?? NaN),
    state,
  ]);
  const facts = Object.entries(findings.facts).map(([name, value]) => [name, typeof value === 'number' ? figure(value) : String(value)]);
  return `${aligned([['cell', 'effect', '95 % interval', 'of the gap', 'p', 'state'], ...rows])}\n\n${aligned(facts)}\n`;
}
