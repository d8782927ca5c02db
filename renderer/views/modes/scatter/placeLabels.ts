/** Direct labels in a cloud of marks: each in the emptiest place near what it names, none over another. */

export interface LabelAnchor {
  readonly text: string;
  /** What it names, in pixels. */
  readonly x: number;
  readonly y: number;
  /** Room to leave for something bolder, or for nothing. */
  readonly letter?: number;
}

export interface PlacedLabel extends LabelAnchor {
  /** Left end of the baseline. */
  readonly left: number;
  readonly baseline: number;
  readonly width: number;
  /** Whether it stands so far from what it names that a line is needed. */
  readonly line: boolean;
}

interface Bounds {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Pixels of a cell in which marks are counted, and of a line of text. */
const CELL = 6;
const HIGH = 14;
const LETTER = 6;
/** Pixels of distance that one covered mark is worth, many at most, and a line of the grid. */
const COVERED = 60;
const CROWDED = 90;
const CROSSED = 30;
/** Beside a cluster is better than above or below: lines of text are flat. */
const ACROSS = 1.8;
const FAR = 56;
/** Pixels between labels of one line: nearer ones would be read as one. */
const APART = 18;

/** @param anchors the most important first: they choose first */
export function placeLabels(
  anchors: readonly LabelAnchor[],
  marks: { readonly x: ArrayLike<number>; readonly y: ArrayLike<number> },
  bounds: Bounds,
  /** Height of a line that should not run through a label. */
  line?: number,
): PlacedLabel[] {
  const covered = counter(marks, bounds);
  const placed: PlacedLabel[] = [];
  for (const anchor of anchors) {
    const width = anchor.text.length * (anchor.letter ?? LETTER);
    let best: { cost: number; left: number; top: number } | undefined;
    for (let top = bounds.top; top + HIGH <= bounds.bottom; top += CELL)
      for (let left = bounds.left; left + width <= bounds.right; left += CELL) {
        const dx = Math.max(left - anchor.x, 0, anchor.x - left - width);
        const dy = Math.max(top - anchor.y, 0, anchor.y - top - HIGH);
        const over = placed.some(
          (other) =>
            left < other.left + other.width + APART &&
            other.left < left + width + APART &&
            Math.abs(top - (other.baseline - 11)) < HIGH + 2,
        );
        if (over) continue;
        const crossed = line !== undefined && line > top && line < top + HIGH ? CROSSED : 0;
        const cost = Math.hypot(dx, ACROSS * dy) + Math.min(CROWDED, COVERED * covered(left, top, width, HIGH)) + crossed;
        if (!best || cost < best.cost) best = { cost, left, top };
      }
    if (!best) continue;
    const { left, top } = best;
    const gap = Math.hypot(Math.max(left - anchor.x, 0, anchor.x - left - width), Math.max(top - anchor.y, 0, anchor.y - top - HIGH));
    placed.push({ ...anchor, left, baseline: top + 11, width, line: gap > FAR });
  }
  return placed;
}

/** How many marks lie in a box: from sums over a grid, so that it costs the same for ten and for a hundred thousand. */
function counter(
  { x, y }: { readonly x: ArrayLike<number>; readonly y: ArrayLike<number> },
  { left, top, right, bottom }: Bounds,
): (x0: number, y0: number, width: number, height: number) => number {
  const columns = Math.max(1, Math.ceil((right - left) / CELL)) + 1;
  const rows = Math.max(1, Math.ceil((bottom - top) / CELL)) + 1;
  /** Marks above and left of each corner. */
  const sums = new Float64Array(columns * rows);
  const cell = (value: number, begin: number, most: number): number => Math.max(0, Math.min(most, Math.floor((value - begin) / CELL)));
  for (let i = 0; i < x.length; i++) {
    if (!Number.isFinite(x[i]) || !Number.isFinite(y[i])) continue;
    sums[(cell(y[i], top, rows - 2) + 1) * columns + cell(x[i], left, columns - 2) + 1]++;
  }
  for (let row = 1; row < rows; row++)
    for (let column = 1; column < columns; column++)
      sums[row * columns + column] +=
        sums[(row - 1) * columns + column] + sums[row * columns + column - 1] - sums[(row - 1) * columns + column - 1];
  return (x0, y0, width, height) => {
    const [c0, c1] = [cell(x0 - 3, left, columns - 1), cell(x0 + width + 3 + CELL, left, columns - 1)];
    const [r0, r1] = [cell(y0 - 2, top, rows - 1), cell(y0 + height + 2 + CELL, top, rows - 1)];
    return sums[r1 * columns + c1] - sums[r0 * columns + c1] - sums[r1 * columns + c0] + sums[r0 * columns + c0];
  };
}
