/** The measures of units that can be drawn: by colour, size, order, or along an axis, in one way each. Numbers are unitTable.ts's. */
import { quantileSorted } from 'd3';
import { change, decimal, degrees, percent, THIN } from '../../../words/numbers.ts';
import type { UnitTable } from './unitTable.ts';

export const measureIds = ['gain', 'threshold', 'fires', 'base', 'mode', 'change', 'contribution', 'shut', 'necessity', 'index'] as const;
export type MeasureId = (typeof measureIds)[number];

/** In titles of figures. */
export const measureNames: Readonly<Record<MeasureId, string>> = {
  gain: 'gain',
  threshold: 'threshold',
  fires: 'firing',
  base: 'firing in base',
  mode: 'firing in mode',
  change: 'change in firing',
  contribution: 'contribution',
  shut: 'effect of shutting',
  necessity: 'necessity',
  index: 'index',
};

export interface UnitMeasure {
  readonly id: MeasureId;
  /** `Fires at 45°, %`: at an axis. */
  readonly title: string;
  /** By unit; NaN where a unit has no such number. */
  readonly values: ArrayLike<number>;
  readonly scale: 'diverging' | 'sequential';
  /** What a diverging scale is about. */
  readonly centre: number;
  /** Distance from the centre at which colours end; of a sequential scale the largest value. */
  readonly reach: number;
  readonly write: (value: number) => string;
  /** Before the least number of a legend: `γ `. */
  readonly symbol: string;
}

/** Where the network stands: on the path from base (0) to mode (1), by the path that interpolation documents. */
export interface Standing {
  readonly share: number;
  readonly base: boolean;
  readonly angle: number;
  /** Of gates, by hidden layer. */
  readonly temperature: readonly number[];
}

/** For a select: those without numbers are named, and cannot be chosen. */
export function measureOptions(
  measures: readonly UnitMeasure[],
  angle: number,
): { readonly value: MeasureId; readonly label: string; readonly disabled: boolean }[] {
  return measureIds.map((value) => ({ value, label: labelOf(value, angle), disabled: !measures.some(({ id }) => id === value) }));
}

const labelOf = (id: MeasureId, angle: number): string =>
  ({
    gain: 'gain',
    threshold: 'threshold',
    fires: `fires at ${degrees(angle)}`,
    base: 'fires in base',
    mode: 'fires in mode',
    change: 'change in firing',
    contribution: 'contribution',
    shut: 'effect of shutting',
    necessity: 'necessity',
    index: 'index',
  })[id];

/** @returns those that there are numbers for */
export function measuresOf(table: UnitTable, standing: Standing): readonly UnitMeasure[] {
  const at = degrees(standing.angle);
  const { base, mode } = table;
  const whole = (value: number): string => decimal(value, 0);
  const rows: (Omit<UnitMeasure, 'values' | 'reach'> & { readonly values: ArrayLike<number> | undefined; readonly reach?: number })[] = [
    {
      id: 'gain',
      title: 'Gain γ',
      symbol: 'γ ',
      values: gainsAt(table, standing),
      scale: 'diverging',
      centre: 1,
      write: two,
    },
    {
      id: 'threshold',
      title: 'Threshold τ, activation units',
      symbol: 'τ ',
      values: thresholdsAt(table, standing),
      scale: 'diverging',
      centre: 0,
      write: two,
    },
    {
      id: 'fires',
      title: `Fires at ${at}, % of images`,
      symbol: '',
      values: standing.base ? base : mode,
      scale: 'sequential',
      centre: 0,
      write: percent,
    },
    {
      id: 'base',
      title: `Fires in base at ${at}, % of images`,
      symbol: '',
      values: base,
      scale: 'sequential',
      centre: 0,
      write: percent,
    },
    {
      id: 'mode',
      title: `Fires in mode at ${at}, % of images`,
      symbol: '',
      values: mode,
      scale: 'sequential',
      centre: 0,
      write: percent,
    },
    {
      id: 'change',
      title: `Change in firing at ${at}, points`,
      symbol: '',
      values: base && mode && Float64Array.from(mode, (value, i) => value - base[i]),
      scale: 'diverging',
      centre: 0,
      write: (value) => `${change(value)}${THIN}points`,
    },
    {
      id: 'contribution',
      title: 'Largest contribution to a logit, logits',
      symbol: '',
      values: table.contribution,
      scale: 'diverging',
      centre: 0,
      write: (value) => `${change(value, 2)}${THIN}logits`,
    },
    {
      id: 'shut',
      title: 'Accuracy if held shut, points',
      symbol: '',
      values: table.shut,
      scale: 'diverging',
      centre: 0,
      write: (value) => `${change(value, 2)}${THIN}points`,
    },
    {
      id: 'necessity',
      title: 'Necessity, logits of the margin',
      symbol: '',
      values: table.necessity,
      scale: 'diverging',
      centre: 0,
      write: (value) => `${change(value, 2)}${THIN}logits`,
    },
    {
      id: 'index',
      title: 'Index in its layer',
      symbol: '',
      values: Float64Array.from(table.labels, (_label, i) => i - table.layers[table.layerOf[i]].begin),
      scale: 'sequential',
      centre: 0,
      write: whole,
    },
  ];
  return rows.flatMap(({ values, reach, ...row }) =>
    values && hasNumbers(values) ? [{ ...row, values, reach: reach ?? reachOf(values, row.centre, row.scale) }] : [],
  );
}

const two = (value: number): string => decimal(value, 2);

/** 1 + t·(γ − 1) */
function gainsAt({ gain, threshold, labels }: UnitTable, { share, base }: Standing): ArrayLike<number> | undefined {
  if (!gain) return threshold && new Float64Array(labels.length).fill(1);
  const t = base ? 0 : share;
  return t === 1 ? gain : gain.map((value) => 1 + t * (value - 1));
}

/** τ + T·ln t: −∞ in the base, where there is no such number. */
function thresholdsAt({ threshold, layerOf }: UnitTable, { share, base, temperature }: Standing): ArrayLike<number> | undefined {
  if (!threshold || base || share === 0) return undefined;
  return share === 1 ? threshold : threshold.map((value, i) => value + (temperature[layerOf[i]] ?? 0) * Math.log(share));
}

function hasNumbers(values: ArrayLike<number>): boolean {
  for (let i = 0; i < values.length; i++) if (Number.isFinite(values[i])) return true;
  return false;
}

/** Far enough for 19 of 20, to one figure: a single giant must not make all others pale. */
function reachOf(values: ArrayLike<number>, centre: number, scale: 'diverging' | 'sequential'): number {
  const distances = Float64Array.from(values, (value) => Math.abs(value - centre))
    .filter(Number.isFinite)
    .sort();
  const wanted = scale === 'sequential' ? distances[distances.length - 1] : quantileSorted(Array.from(distances), 0.95)!;
  if (!(wanted > 0)) return 1;
  const step = 10 ** Math.floor(Math.log10(wanted));
  return Number((Math.ceil(wanted / step - 1e-9) * step).toPrecision(12));
}

/** In [−1, 1] about the centre, or in [0, 1]: what colours are made of. */
export const strengthOf = ({ values, centre, reach }: UnitMeasure, i: number): number => (values[i] - centre) / reach;

/** What size a mark has of the largest: area is the measure. NaN is drawn in the middle. */
export function sizeOf(measure: UnitMeasure | undefined, i: number): number {
  const strength = measure ? Math.abs(strengthOf(measure, i)) : NaN;
  return Number.isNaN(strength) ? 0.6 : Math.sqrt(Math.min(1, strength));
}

/** Ends of the scale in words: `γ 0.4`, `1.6`. */
export function legendEnds({ scale, centre, reach, symbol, id }: UnitMeasure): { readonly least: string; readonly most: string } {
  const digits = Math.max(0, Math.min(3, 1 - Math.floor(Math.log10(reach))));
  const short = (value: number): string =>
    decimal(value, Math.min(digits, 2))
      .replace(/(\.\d*?)0+$/, '$1')
      .replace(/\.$/, '');
  const percents = ['fires', 'base', 'mode'].includes(id);
  if (scale === 'sequential') return { least: '0', most: percents ? `${short(reach)}${THIN}%` : short(reach) };
  const sign = centre === 0 ? '+' : '';
  return { least: `${symbol}${short(centre - reach)}`, most: `${sign}${short(centre + reach)}` };
}
