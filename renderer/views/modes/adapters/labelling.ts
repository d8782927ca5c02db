/** Where the labels of dots go: beside their dot, on the first side where they lie on nothing. */
export interface Dot {
  readonly x: number;
  readonly y: number;
  readonly text: string;
  /** Ends of its interval, upper first: labels keep off it. */
  readonly upper?: number;
  readonly lower?: number;
}

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export interface Label {
  readonly x: number;
  /** Baseline. */
  readonly y: number;
  readonly anchor: 'start' | 'middle' | 'end';
  readonly box: Box;
}

/** Generous: no face of 11 px is wider for long. */
const LETTER = 6.2;
const ASCENT = 10;
const LINE = 13;
const GAP = 9;

export const overlaps = (a: Box, b: Box): boolean => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

/**
 * In the order given: the first are served first.
 * @param within where labels may be @param first the side tried first
 */
export function labelsOf(dots: readonly Dot[], within: Box, first: 'beside' | 'below' = 'beside'): Label[] {
  const taken: Box[] = dots.map(({ x, y, upper = y, lower = y }) => ({
    left: x - 5,
    right: x + 5,
    top: Math.min(upper, y - 5),
    bottom: Math.max(lower, y + 5),
  }));
  return dots.map(({ x, y, text, upper = y - 4, lower = y + 4 }) => {
    const width = text.length * LETTER;
    const [above, below] = [Math.min(upper, y - 4) - 4, Math.max(lower, y + 4) + ASCENT + 2];
    const beside = [at(x + GAP, y + 4, 'start', width), at(x - GAP, y + 4, 'end', width)];
    const under = [at(x + 6, below, 'start', width), at(x - 6, below, 'end', width), at(x, below, 'middle', width)];
    const over = [at(x, above, 'middle', width), at(x + GAP, above, 'start', width), at(x - GAP, above, 'end', width)];
    const shifted = [-10, 10, -18, 18].flatMap((by) => [at(x + GAP, y + 4 + by, 'start', width), at(x - GAP, y + 4 + by, 'end', width)]);
    const candidates = first === 'below' ? [...under, ...beside, ...over] : [...beside, ...shifted, ...over, ...under];
    const inside = ({ box }: Label): boolean =>
      box.left >= within.left && box.right <= within.right && box.top >= within.top && box.bottom <= within.bottom;
    const free = (label: Label): boolean => inside(label) && !taken.some((box) => overlaps(box, label.box));
    const chosen = candidates.find(free) ?? candidates.find(inside) ?? candidates[0];
    taken.push(chosen.box);
    return chosen;
  });
}

function at(x: number, y: number, anchor: Label['anchor'], width: number): Label {
  const left = anchor === 'start' ? x : anchor === 'end' ? x - width : x - width / 2;
  return { x, y, anchor, box: { left, right: left + width, top: y - ASCENT, bottom: y - ASCENT + LINE } };
}
