/** How a unit looks, in every figure alike: its shape by its category, its colour by a measure. */
import { divergingDot, sequential } from '../../../marks/colour.ts';
import type { PointShape } from '../../../marks/points.ts';
import { strengthOf, type UnitMeasure } from './measures.ts';
import { categoryOrder, type UnitTable } from './unitTable.ts';

/** Boosted, reused and attenuated are dots, silenced a cross, dead a ring; without categories all are dots. */
export function shapesOf({ category, labels }: UnitTable): readonly PointShape[] {
  if (!category) return labels.map(() => 'dot');
  return Array.from(category, (place) => {
    const name = categoryOrder[place];
    return name === 'silenced' ? 'cross' : name === 'dead' ? 'ring' : 'dot';
  });
}

/** More are drawn on a canvas, which has no patterns: as elements they would be too slow for a brush. */
export const isMany = ({ labels }: UnitTable): boolean => labels.length > 1000;

/** Steps that a scale has on either side: more cannot be told apart in a dot. */
const STEPS = 50;

/**
 * As CSS has it: crosses and rings in ink, since they have no amount.
 *
 * @param missing of a dot that has no such number
 */
export function coloursOf(table: UnitTable, measure: UnitMeasure | undefined, missing: string, flip: boolean): readonly string[] {
  const shapes = shapesOf(table);
  const known = new Map<number, string>();
  return shapes.map((shape, i) => {
    if (shape === 'cross') return 'var(--ink2)';
    if (shape === 'ring') return 'var(--edge)';
    const strength = measure ? strengthOf(measure, i) : NaN;
    if (Number.isNaN(strength)) return missing;
    const step = Math.round(Math.max(-1, Math.min(1, strength)) * STEPS);
    let colour = known.get(step);
    if (colour === undefined) {
      // The palest step of a scale is nearly the ground: dots start a little above it.
      colour = measure!.scale === 'diverging' ? divergingDot(step / STEPS, flip) : sequential(0.14 + 0.86 * (step / STEPS));
      known.set(step, colour);
    }
    return colour;
  });
}
