/** Which models stand on one foundation: differences are taken between models that share every frozen bit. */
import type { ClassifierModel } from '../models/classifier.ts';
import { sameTensors } from '../models/modes.ts';
import type { LabelledModel } from './analysis.ts';

export interface Foundation {
  /** `0°, 45°, seed 3` */
  readonly label: string;
  /** Without an adapter. */
  readonly model: ClassifierModel;
}

export function withoutAdapter({ adapter: _adapter, ...foundation }: ClassifierModel): ClassifierModel {
  return foundation;
}

/** The same weights to the bit, and the same images seen and held out. */
export const sameFoundation = (a: ClassifierModel, b: ClassifierModel): boolean =>
  a.seed === b.seed && a.widths.join() === b.widths.join() && a.angles.join() === b.angles.join() && sameTensors(a.base, b.base);

/** Distinct foundations in the order of the models, and for each model the index of its own. */
export function foundationsOf(models: readonly LabelledModel[]): { foundations: Foundation[]; of: number[] } {
  const foundations: Foundation[] = [];
  const named = new Map<string, number>();
  const of = models.map(({ model }) => {
    const known = foundations.findIndex((foundation) => sameFoundation(foundation.model, model));
    if (known >= 0) return known;
    const name = `${model.angles.map((angle) => `${angle}°`).join(', ')}, seed ${model.seed}`;
    const times = (named.get(name) ?? 0) + 1;
    named.set(name, times);
    return foundations.push({ label: times === 1 ? name : `${name} (${times})`, model: withoutAdapter(model) }) - 1;
  });
  return { foundations, of };
}
