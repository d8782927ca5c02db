/** How a person wants the views of units shown: what each keeps in the session, and what it starts from. */
import type { ClassOrder } from './classes/classOrder.ts';
import type { FieldGrouping } from './units/fieldGroups.ts';
import type { MeasureId } from './units/measures.ts';

export interface FieldChoices {
  readonly group: FieldGrouping;
  readonly sort: MeasureId;
  readonly size: MeasureId;
  readonly colour: MeasureId;
}

export const plainChoices: FieldChoices = { group: 'category', sort: 'gain', size: 'fires', colour: 'gain' };

export interface ScatterAxes {
  readonly x: MeasureId;
  readonly y: MeasureId;
}

export const plainAxes: ScatterAxes = { x: 'threshold', y: 'gain' };

export interface ClassChoices {
  /** `L1`, or `all`; absent: the last. */
  readonly layer?: string | undefined;
  readonly order: ClassOrder;
}

export const plainClassChoices: ClassChoices = { order: 'class' };
