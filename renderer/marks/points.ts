/** Marks at places, and which of them is meant by a place: shared by scatters and fields of units. */
import { quadtree } from 'd3';

export type PointShape = 'dot' | 'cross' | 'ring';

/** Parallel arrays, in pixels. */
export interface PointMarks {
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
  /** Radius, of all or of each. */
  readonly size: number | ArrayLike<number>;
  /** As CSS has it: `var(--teal)`, `color-mix(…)`. */
  readonly colour: string | readonly string[];
  readonly shape?: PointShape | readonly PointShape[];
  /** 0: outside of what is brushed. */
  readonly kept?: ArrayLike<number>;
}

/** A mark of 14 px has a hit area of 24. */
const REACH = 12;

/** @returns finds the mark nearest to a place in pixels, within reach; build it once for marks that stay */
export function nearest({ x, y }: Pick<PointMarks, 'x' | 'y'>): (px: number, py: number, reach?: number) => number | undefined {
  const tree = quadtree<number>()
    .x((i) => x[i])
    .y((i) => y[i])
    .addAll(Array.from({ length: x.length }, (_entry, i) => i).filter((i) => Number.isFinite(x[i]) && Number.isFinite(y[i])));
  return (px, py, reach = REACH) => tree.find(px, py, reach);
}

/** The mark that an arrow goes to: the nearest in a quarter of the plane around its direction. */
export function neighbour({ x, y }: Pick<PointMarks, 'x' | 'y'>, from: number, direction: 'left' | 'right' | 'up' | 'down'): number {
  const [dx, dy] = { left: [-1, 0], right: [1, 0], up: [0, -1], down: [0, 1] }[direction];
  let [best, shortest] = [from, Infinity];
  for (let i = 0; i < x.length; i++) {
    const along = (x[i] - x[from]) * dx + (y[i] - y[from]) * dy;
    const across = Math.abs((x[i] - x[from]) * dy) + Math.abs((y[i] - y[from]) * dx);
    if (i === from || !(along > 0) || across > along) continue;
    const distance = along + 2 * across;
    if (distance < shortest) [best, shortest] = [i, distance];
  }
  return best;
}

/** Which marks are inside. @param region pixels */
export function inside({ x, y }: Pick<PointMarks, 'x' | 'y'>, { x0, x1, y0, y1 }: Region): Uint8Array {
  const kept = new Uint8Array(x.length);
  for (let i = 0; i < x.length; i++) kept[i] = x[i] >= x0 && x[i] <= x1 && y[i] >= y0 && y[i] <= y1 ? 1 : 0;
  return kept;
}

export interface Region {
  readonly x0: number;
  readonly x1: number;
  readonly y0: number;
  readonly y1: number;
}
