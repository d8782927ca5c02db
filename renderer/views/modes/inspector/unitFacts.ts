/** What findings say about one unit, ready to be written: none of it computed here but bounds of intervals from standard errors. */
import type { Findings } from '../../../../engine/base/findings.ts';
import type { UnitVectors } from '../../../../main/host/hostApi.ts';
import { along, names, placeIn, placeOn, read } from '../adapters/reading.ts';

/** As `categories` names them. */
export type Category = 'boosted' | 'reused' | 'attenuated' | 'silenced' | 'dead';

export function categoryOf(categories: Findings, unit: string, angle: number): Category | undefined {
  const place = read(categories, 'category', { unit, angle });
  return categories.axes.category?.values[place] as Category | undefined;
}

/** Threshold and gain; undefined where the adapter has no unit of that name. */
export function vectorsOf(
  { units, threshold, gain, contextual }: UnitVectors,
  unit: string,
): { threshold: number; gain: number; contextual: boolean } | undefined {
  const at = placeIn(units, unit);
  return at === undefined ? undefined : { threshold: threshold[at], gain: gain[at], contextual };
}

/** An estimate with what it is uncertain by. */
export interface Estimated {
  readonly value: number;
  /** NaN where nothing is known of it. */
  readonly low: number;
  readonly high: number;
  /** It was proved to be 0, and so not run. */
  readonly proved: boolean;
}

/** Two-sided 95 % of a normal distribution: these are means over many images. */
const NORMAL = 1.959963984540054;

function estimated(findings: Findings, measure: string, error: string, state: string, at: Readonly<Record<string, string>>): Estimated {
  const value = read(findings, measure, at);
  const half = NORMAL * read(findings, error, at);
  return { value, low: value - half, high: value + half, proved: read(findings, state, at) === 0 };
}

/** Change of the margin when the unit is held, in logits; and of accuracy in points and of answers as a share, which come without interval. */
export interface Effect {
  readonly margin: Estimated;
  readonly accuracy: number;
  readonly flips: number;
}

/** @returns undefined where it cannot be held so: nothing to open without gates */
export function effectOf(contributions: Findings, unit: string, forced: 'open' | 'shut'): Effect | undefined {
  if (placeOn(contributions, 'forced', forced) === undefined || placeOn(contributions, 'unit', unit) === undefined) return undefined;
  const at = { unit, forced };
  return {
    margin: estimated(contributions, 'margin', 'marginError', 'state', at),
    accuracy: read(contributions, 'accuracy', at),
    flips: read(contributions, 'flips', at),
  };
}

export interface Swapped {
  readonly logits: Estimated;
  /** Of the mean gap between the two angles; NaN where that gap may be 0. */
  readonly share: number;
  readonly flips: number;
}

export const swapped = (interchange: Findings, unit: string, which: 'necessity' | 'sufficiency'): Swapped => ({
  logits: estimated(interchange, which, `${which}Error`, `${which}State`, { unit }),
  share: read(interchange, `${which}Share`, { unit }),
  flips: read(interchange, `${which}Flips`, { unit }),
});

/** What a unit of the last hidden layer adds to each logit: over all images, and of each class. */
export interface Added {
  readonly logits: readonly string[];
  readonly overall: readonly number[];
  readonly byClass: (name: string) => readonly number[];
}

/** @returns undefined for units of earlier layers */
export function addedBy(contributions: Findings, unit: string): Added | undefined {
  if (placeOn(contributions, 'lastUnit', unit) === undefined) return undefined;
  return {
    logits: names(contributions, 'logit'),
    overall: along(contributions, 'contributionOverall', 'logit', { lastUnit: unit }),
    byClass: (name) => along(contributions, 'contribution', 'logit', { lastUnit: unit, class: name }),
  };
}

/** Row by row; undefined if the findings are of other units. */
export function fieldOf(receptiveFields: Findings, unit: string): { pixels: Float32Array; rows: number; columns: number } | undefined {
  const at = placeOn(receptiveFields, 'unit', unit);
  if (at === undefined) return undefined;
  const [rows, columns] = [receptiveFields.axes.y.values.length, receptiveFields.axes.x.values.length];
  return {
    pixels: Float32Array.from(receptiveFields.measures.field.data).subarray(at * rows * columns, (at + 1) * rows * columns),
    rows,
    columns,
  };
}

/** Test images on which it gives most, and what it gives there. */
export function topOf(topImages: Findings, unit: string, most: number): { image: number; output: number }[] {
  const [images, outputs] = ['image', 'output'].map((measure) => along(topImages, measure, 'rank', { unit }));
  return images.flatMap((image, i) => (image >= 0 ? [{ image, output: outputs[i] }] : [])).slice(0, most);
}

/** An image whose answer is another while units are held. */
export interface ChangedAnswer {
  readonly image: number;
  readonly from: number;
  readonly to: number;
  readonly label: number;
}

export interface ForcedEffect {
  readonly change: Estimated;
  readonly accuracy: number;
  readonly accuracyForced: number;
  /** Images whose answer changes, of how many. */
  readonly changed: number;
  readonly images: number;
  /** The first of them. */
  readonly listed: readonly ChangedAnswer[];
}

export function forcedEffect(forced: Findings, angle: number): ForcedEffect | undefined {
  if (placeOn(forced, 'angle', angle) === undefined) return undefined;
  const one = (measure: string): number => read(forced, measure, { angle });
  const [images, from, to, label] = ['changedImage', 'from', 'to', 'label'].map((measure) => along(forced, measure, 'rank', { angle }));
  return {
    change: { value: one('change'), low: one('changeLow'), high: one('changeHigh'), proved: false },
    accuracy: one('accuracy'),
    accuracyForced: one('accuracyForced'),
    changed: one('changed'),
    images: Number(forced.facts.images),
    listed: images.flatMap((image, i) => (image >= 0 ? [{ image, from: from[i], to: to[i], label: label[i] }] : [])),
  };
}

/** Of several units: the mean of what there is a number for; NaN if there is none. */
export function meanOf(units: readonly string[], of: (unit: string) => number): number {
  const values = units.map(of).filter(Number.isFinite);
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
