/** What is named directly in a scatter of units: each category where it lies, and the units that lie apart. */
import { median, quadtree, quantile } from 'd3';
import { count } from '../../../words/numbers.ts';
import { unitTag } from '../modelWords.ts';
import { capitalised } from '../units/describe.ts';
import { categoryOrder, type UnitTable } from '../units/unitTable.ts';
import type { LabelAnchor } from './placeLabels.ts';

/** Units named because they lie apart; among very many none is looked for. */
const OUTLIERS = 3;
const MOST = 5000;
/** Pixels to the nearest other mark. */
const APART = 34;

/** @param x, y in pixels; NaN for a unit that is not drawn */
export function categoryAnchors({ category, labels }: UnitTable, x: ArrayLike<number>, y: ArrayLike<number>): LabelAnchor[] {
  if (!category) return [];
  return categoryOrder.flatMap((name, place): LabelAnchor[] => {
    const members = labels.flatMap((_label, i) => (category[i] === place && Number.isFinite(x[i]) && Number.isFinite(y[i]) ? [i] : []));
    if (members.length === 0) return [];
    const middle = (values: ArrayLike<number>): number => median(members, (i) => values[i])!;
    const text = name === 'dead' || name === 'silenced' ? `${capitalised(name)}: ${count(members.length, 'unit')}` : capitalised(name);
    // Beside its own band, not in the middle of it: a line into a crowd says little.
    return [{ text, x: quantile(members, 0.9, (i) => x[i])!, y: middle(y) }];
  });
}

/** The loneliest: those whose nearest neighbour is farthest away. */
export function outlierAnchors({ labels }: UnitTable, x: ArrayLike<number>, y: ArrayLike<number>): LabelAnchor[] {
  const drawn = labels.flatMap((_label, i) => (Number.isFinite(x[i]) && Number.isFinite(y[i]) ? [i] : []));
  if (drawn.length < 10 || drawn.length > MOST) return [];
  const tree = quadtree<number>()
    .x((i) => x[i])
    .y((i) => y[i])
    .addAll(drawn);
  const apart = (unit: number): number => {
    // Without the unit itself, and whatever lies on it.
    tree.remove(unit);
    const other = tree.find(x[unit], y[unit])!;
    tree.add(unit);
    return Math.hypot(x[other] - x[unit], y[other] - y[unit]);
  };
  return drawn
    .map((unit) => ({ unit, distance: apart(unit) }))
    .filter(({ distance }) => distance > APART)
    .sort((a, b) => b.distance - a.distance || a.unit - b.unit)
    .slice(0, OUTLIERS)
    .map(({ unit }) => ({ text: unitTag(labels[unit]), x: x[unit], y: y[unit] }));
}
