/** Hidden units: what they are called, which of them are active, and how often they were. */
import { UserError } from '../base/errors.ts';
import type { Findings } from '../base/findings.ts';
import type { Value } from '../graph/value.ts';
import { adapterOf } from '../models/adapters/index.ts';
import type { ClassifierModel } from '../models/classifier.ts';
import { and, cast, concat, equal, greater, matmul, not, oneHot, sum } from '../ops/index.ts';
import type { ImageSet } from '../tasks/dataReference.ts';
import type { Form, Forward, Outputs, Passes, Taps } from './forward.ts';

/** `L0U17` */
export const unitLabel = (layer: number, unit: number): string => `L${layer}U${unit}`;

/** Every hidden unit, layer by layer. */
export const unitLabels = ({ widths }: ClassifierModel): string[] =>
  widths.slice(1, -1).flatMap((width, layer) => Array.from({ length: width }, (_entry, unit) => unitLabel(layer, unit)));

/** Which units are of which layer: `L0`, `L1`, …, and `all` of them. */
export function layersOf({ widths }: ClassifierModel): { label: string; begin: number; end: number }[] {
  let end = 0;
  const layers = widths.slice(1, -1).map((width, layer) => ({ label: `L${layer}`, begin: end, end: (end += width) }));
  return [...layers, { label: 'all', begin: 0, end }];
}

/** @throws UserError for a model without hidden layers: it has no units to speak of */
export function requireUnits(id: string, label: string, { widths }: ClassifierModel): void {
  if (widths.length < 3) throw new UserError(`${id}: ${label}`, 'must have hidden layers', widths);
}

export const ACTIVE_IN_BASE = 'active in the base: a > 0, a being the activation after the ReLU';

/** When a unit of the mode is active, by what the adapter is. */
export function activeInMode({ adapter }: ClassifierModel): string {
  const family = adapter && adapterOf(adapter.id).family;
  if (family?.input === 'activation') return 'active in the mode: a > τ and a > 0 (soft: a decision above ½)';
  if (family) return 'active in the mode: its gate, which stands in the place of the ReLU, is open (soft: a decision above ½)';
  return 'active in the mode: what it gives the next layer is not 0 (no gates)';
}

/** 1 where a unit is active, else 0: float32 [rows, units] over all hidden layers. */
export function activity({ layers }: Taps, { adapter }: ClassifierModel, form: Form): Value {
  const family = form === 'base' || !adapter ? undefined : adapterOf(adapter.id).family;
  const active = layers.map(({ post, out, logit }) => {
    if (form === 'base') return greater(post, 0);
    if (!family) return not(equal(out, 0));
    return family.input === 'activation' ? and(greater(logit!, 0), greater(post, 0)) : greater(logit!, 0);
  });
  return cast(concat(active, 1), 'float32');
}

/** Sums over rows, so that no [rows, units] leaves the run: firings by class [classes, units] and outputs [units]. */
export const firingSums =
  (model: ClassifierModel, form: Form) =>
  (taps: Taps): Outputs => {
    const classes = oneHot(taps.labels, model.widths[model.widths.length - 1]);
    return {
      outputs: {
        firings: matmul(classes, activity(taps, model, form), { transposeA: true }),
        given: sum(
          concat(
            taps.layers.map(({ out }) => out),
            1,
          ),
          { axes: [0] },
        ),
      },
    };
  };

export interface Firing {
  /** Images, in all and of each class. */
  readonly count: number;
  readonly ofClass: Int32Array;
  /** On how many images of each class each unit is active: [classes, units]; and of all: [units]. */
  readonly byClass: Float64Array;
  readonly total: Float64Array;
  /** What each unit gives the next layer, summed over the images: [units]. */
  readonly given: Float64Array;
}

/** How often each unit fires on the images of a set. @param forward built with {@link firingSums} */
export async function firingOf(forward: Forward, set: ImageSet, angle: number, passes: Passes, stage: string): Promise<Firing> {
  const ofClass = new Int32Array(set.classes.length);
  for (const label of set.labels) ofClass[label] += 1;
  let byClass = new Float64Array();
  let given = new Float64Array();
  await passes.over(stage, set, (begin, end) => {
    const results = forward.run(set, begin, end, angle);
    const units = results.given.data.length;
    if (begin === 0) [byClass, given] = [new Float64Array(set.classes.length * units), new Float64Array(units)];
    byClass.forEach((_sum, i) => (byClass[i] += results.firings.data[i]));
    given.forEach((_sum, i) => (given[i] += results.given.data[i]));
  });
  const units = given.length;
  const total = Float64Array.from({ length: units }, (_entry, unit) => {
    let sum = 0;
    for (let c = 0; c < set.classes.length; c++) sum += byClass[c * units + unit];
    return sum;
  });
  return { count: set.count, ofClass, byClass, total, given };
}

/** Percent of units active, averaged over units and images: per layer, then of all. */
export const activeShares = (model: ClassifierModel, { total, count }: Firing): number[] =>
  layersOf(model).map(({ begin, end }) => (100 * total.subarray(begin, end).reduce((a, b) => a + b, 0)) / (count * (end - begin)));

/** What analyses of units say of the model itself. */
export const unitFacts = (label: string, model: ClassifierModel): Findings['facts'] => ({
  model: label,
  adapter: model.adapter?.id ?? 'none',
  widths: model.widths.join('-'),
  activeInBase: ACTIVE_IN_BASE,
  activeInMode: activeInMode(model),
});
