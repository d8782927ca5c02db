/** Curves of runs as the five charts of Train draw them: which are strong, what is smoothed, where a schedule goes on. */
import { firstAtLeast, indexAt, smoothed } from '../../marks/decimate.ts';
import { extremesOf } from '../../marks/extremes.ts';
import type { SeriesColour } from '../../marks/colour.ts';
import type { Curve } from '../../state/liveSeries.svelte.ts';
import type { RunView } from './rows.ts';

export type Strength = 'strong' | 'plain' | 'faint';

/** A run with its curves, as far as they are here. */
export interface ChartRun {
  readonly row: RunView;
  readonly strength: Strength;
  readonly curves: readonly Curve[];
}

export interface ChartLine {
  readonly id: string;
  readonly name: string;
  readonly seed: number;
  readonly colour: SeriesColour;
  readonly strength: Strength;
  readonly isFoundation: boolean;
  /** Still runs: ends in a haloed dot with its value. */
  readonly live: boolean;
  readonly at: ArrayLike<number>;
  readonly values: ArrayLike<number>;
  /** Under a smoothed line: what was measured. */
  readonly raw?: { readonly at: ArrayLike<number>; readonly values: ArrayLike<number> };
  /** Where it will go, as its schedule says. */
  readonly future?: { readonly at: readonly number[]; readonly values: readonly number[] };
}

/** A line for every run that has such a series. @param window points that a smoothed line is a mean of; 1: as it is */
export function linesOf(runs: readonly ChartRun[], series: string, window = 1): ChartLine[] {
  return runs.flatMap(({ row, strength, curves }) => {
    const curve = curves.find(({ name }) => name === series);
    if (!curve || curve.at.length === 0) return [];
    const { at, values } = curve;
    const smooth = window > 1 && values.length > window ? smoothedOnce(values, window) : undefined;
    return [
      {
        id: row.key,
        name: row.name,
        seed: row.seed,
        colour: row.colour,
        strength,
        isFoundation: row.adapter === undefined,
        live: row.state === 'running' || row.state === 'paused',
        at,
        values: smooth ?? values,
        ...(smooth && strength === 'strong' && { raw: { at, values } }),
        ...(series === 'temperature' && futureOf(row, at.length > 0 ? Number(at[at.length - 1]) : 0)),
      },
    ];
  });
}

/** Of arrays that never change, for as long as they are there. */
const known = new WeakMap<object, { readonly window: number; readonly values: Float64Array }>();

function smoothedOnce(values: ArrayLike<number>, window: number): Float64Array {
  const before = known.get(values);
  if (before?.window === window) return before.values;
  const made = smoothed(values, window);
  known.set(values, { window, values: made });
  return made;
}

/** An odd number of points that spans about a twenty-fifth of a run. */
export function windowFor(points: number): number {
  const size = Math.floor(points / 25);
  return size < 3 ? 1 : size + (size % 2 === 0 ? 1 : 0);
}

const FUTURE_POINTS = 24;

/** How the temperature goes on (engine/gates/anneal.ts). */
function futureOf(row: RunView, from: number): { future: { at: number[]; values: number[] } } | undefined {
  if (row.state !== 'running' && row.state !== 'paused') return undefined;
  const parameters = row.work?.kind === 'train' ? row.work.parameters : {};
  const { kind = 'constant', start, end } = (parameters.temperature ?? {}) as { kind?: string; start?: number; end?: number };
  if (start === undefined || !(row.steps > from)) return undefined;
  const last = end ?? start;
  const at = Array.from({ length: FUTURE_POINTS + 1 }, (_entry, i) => from + ((row.steps - from) * i) / FUTURE_POINTS);
  const values = at.map((step) => {
    const share = step / row.steps;
    if (kind === 'geometric') return start * (last / start) ** share;
    return kind === 'linear' ? start + (last - start) * share : start;
  });
  return { future: { at, values } };
}

/** Least and greatest of what is in sight of lines that count, with a little room; faint ones count only where there is nothing else. */
export function extentOf(
  lines: readonly Pick<ChartLine, 'at' | 'values' | 'strength' | 'isFoundation'>[],
  [from, to]: readonly [number, number],
  options: { readonly faint?: boolean; readonly cut?: number } = {},
): [number, number] | undefined {
  // Foundations begin far from where their modes move: they may leave the picture.
  const modes = lines.filter(({ isFoundation }) => !isFoundation);
  const wanted = modes.length > 0 ? modes : lines;
  const counted = options.faint ? wanted : wanted.filter(({ strength }) => strength !== 'faint');
  const seen = counted.length > 0 ? counted : wanted;
  let [least, most] = [Infinity, -Infinity];
  // What rises or falls steeply at first may begin out of sight.
  const begin = from + (options.cut ?? 0) * (to - from);
  for (const { at, values } of seen) {
    const [first, last] = [firstAtLeast(at, begin, 0, at.length), indexAt(at, to)];
    if (last < first) continue;
    const extremes = extremesOf(values);
    extremes.find(first, last + 1);
    least = Math.min(least, values[extremes.least]);
    most = Math.max(most, values[extremes.most]);
  }
  return least > most ? undefined : [least, most];
}

const SAMPLES = 400;

/** Standard deviation of what was measured around what is drawn, where lines are smoothed; 0 where none is. */
export function noiseOf(lines: readonly Pick<ChartLine, 'values' | 'raw'>[]): number {
  let most = 0;
  for (const { values, raw } of lines) {
    if (!raw) continue;
    const stride = Math.max(1, Math.floor(values.length / SAMPLES));
    let [sum, n] = [0, 0];
    for (let i = 0; i < values.length; i += stride, n++) sum += (raw.values[i] - values[i]) ** 2;
    most = Math.max(most, Math.sqrt(sum / Math.max(1, n)));
  }
  return most;
}

/** How many steps the longest of these runs has: what the charts begin with. */
export function stepsOf(runs: readonly ChartRun[]): number {
  let most = 0;
  for (const { row, curves } of runs) {
    if (Number.isFinite(row.steps)) most = Math.max(most, row.steps);
    for (const { at } of curves) if (at.length > 0) most = Math.max(most, Number(at[at.length - 1]));
  }
  return most;
}
