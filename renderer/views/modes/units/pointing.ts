/** Pointing at units, by pointer and by arrows, in one way for every figure that has a mark for each. */
import { tip } from '../../../controls/tip.svelte.ts';
import type { FigureKeys } from '../../../marks/Figure.svelte';
import { neighbour } from '../../../marks/points.ts';
import { unitSentence, unitTip } from './describe.ts';
import type { UnitMeasure } from './measures.ts';
import type { UnitTable } from './unitTable.ts';

/** What a figure shows of the window's one selection, and whom it tells: by place of the unit. */
export interface Pointing {
  readonly selected: number | undefined;
  readonly hovered: number | undefined;
  readonly pinned: readonly number[];
  readonly onHover: (unit: number | undefined) => void;
  readonly onSelect: (unit: number | undefined) => void;
  readonly onPin: (unit: number) => void;
}

export interface PointedUnits {
  readonly table: UnitTable;
  readonly measures: readonly UnitMeasure[];
}

/** Hover and its tooltip. */
export function hoverUnit({ table, measures }: PointedUnits, { onHover }: Pointing, unit: number | undefined, event: PointerEvent): void {
  onHover(unit);
  if (unit === undefined) tip.hide();
  else tip.show(unitTip(table, measures, unit, { x: event.clientX, y: event.clientY }));
}

/** A click selects, with Ctrl or Cmd it pins; beside every mark it selects nothing. */
export function clickUnit({ onSelect, onPin }: Pointing, unit: number | undefined, event: MouseEvent): void {
  if (unit !== undefined && (event.ctrlKey || event.metaKey)) onPin(unit);
  else onSelect(unit);
}

export function unhover({ onHover }: Pointing): void {
  onHover(undefined);
  tip.hide();
}

/** An arrow of the keyboard, or the first and last. */
export type Step = Parameters<typeof neighbour>[2] | 'home' | 'end';

/** Arrows go from mark to mark, Home and End to the first and last, Enter selects. @param at where marks are */
export function unitKeys(
  units: PointedUnits,
  pointing: Pointing,
  at: { readonly x: ArrayLike<number>; readonly y: ArrayLike<number> },
  leave?: () => boolean,
): FigureKeys {
  const { table, measures } = units;
  const shown = (i: number): boolean => Number.isFinite(at.x[i]) && Number.isFinite(at.y[i]);
  const all = (): number[] => Array.from(table.labels, (_label, i) => i).filter(shown);
  const from = pointing.hovered ?? pointing.selected;
  return {
    move(direction: Step) {
      const next =
        direction === 'home'
          ? all()[0]
          : direction === 'end'
            ? all().at(-1)
            : from === undefined || !shown(from)
              ? all()[0]
              : neighbour(at, from, direction);
      if (next === undefined) return undefined;
      pointing.onHover(next);
      return unitSentence(table, measures, next);
    },
    select() {
      if (from === undefined) return undefined;
      pointing.onSelect(from);
      return `Selected ${unitSentence(table, measures, from)}`;
    },
    ...(leave && { leave }),
  };
}
