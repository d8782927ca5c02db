/** A digit drawn by hand: strokes of a soft pen on an upright grid, and the pixels they leave. */
import type { Point } from './dial.ts';

/** In pixels of the grid, from its upper left corner. */
export type Stroke = readonly Point[];

export const SIDE = 28;
/** Full ink up to here, none beyond the edge: about as wide as the pens of MNIST. */
const CORE = 0.7;
const EDGE = 1.9;

/** Row by row, in [0, 1]. */
export function inked(strokes: readonly Stroke[]): Float32Array {
  const pixels = new Float32Array(SIDE * SIDE);
  for (const stroke of strokes) stroke.forEach((point, i) => inkLine(pixels, stroke[Math.max(0, i - 1)], point));
  return pixels;
}

function inkLine(pixels: Float32Array, from: Point, to: Point): void {
  const within = (value: number): number => Math.min(SIDE - 1, Math.max(0, value));
  const [left, right] = [Math.min(from.x, to.x) - EDGE, Math.max(from.x, to.x) + EDGE];
  const [top, bottom] = [Math.min(from.y, to.y) - EDGE, Math.max(from.y, to.y) + EDGE];
  for (let y = within(Math.floor(top)); y <= within(Math.ceil(bottom)); y++)
    for (let x = within(Math.floor(left)); x <= within(Math.ceil(right)); x++) {
      // A pixel is where its middle is.
      const ink = (EDGE - distance({ x: x + 0.5, y: y + 0.5 }, from, to)) / (EDGE - CORE);
      const at = y * SIDE + x;
      pixels[at] = Math.max(pixels[at], Math.min(1, ink));
    }
}

/** From a point to a line between two. */
function distance(point: Point, from: Point, to: Point): number {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = dx * dx + dy * dy;
  const along = length === 0 ? 0 : Math.min(1, Math.max(0, ((point.x - from.x) * dx + (point.y - from.y) * dy) / length));
  return Math.hypot(point.x - from.x - along * dx, point.y - from.y - along * dy);
}

/** Where a point of the turned picture was before it was turned; the other way with −angle. */
export function upright(point: Point, angle: number): Point {
  const turn = (angle * Math.PI) / 180;
  const [dx, dy] = [point.x - SIDE / 2, point.y - SIDE / 2];
  return {
    x: SIDE / 2 + Math.cos(turn) * dx - Math.sin(turn) * dy,
    y: SIDE / 2 + Math.sin(turn) * dx + Math.cos(turn) * dy,
  };
}
