/** What keys do in a figure: those of every figure, and those that its drawing gives a meaning to. */

export type Direction = 'left' | 'right' | 'up' | 'down' | 'home' | 'end';

/** What keys do inside a drawing. What they return is said to those who do not see it: name, value, interval of the mark. */
export interface FigureKeys {
  readonly move?: (direction: Direction, event: KeyboardEvent) => string | undefined;
  readonly select?: (event: KeyboardEvent) => string | undefined;
  readonly zoom?: (direction: 'in' | 'out' | 'reset') => string | undefined;
  /** @returns whether there was anything to leave: Escape goes on to the window otherwise */
  readonly leave?: () => boolean;
}

/** Those of every figure. */
export interface FrameKeys {
  readonly toggleTable: (() => void) | undefined;
  readonly toggleFilled: () => void;
  readonly filled: boolean;
}

const directions: Readonly<Record<string, Direction>> = {
  ArrowLeft: 'left',
  ArrowRight: 'right',
  ArrowUp: 'up',
  ArrowDown: 'down',
  Home: 'home',
  End: 'end',
};
const zooms: Readonly<Record<string, 'in' | 'out' | 'reset'>> = { ArrowUp: 'in', ArrowDown: 'out', Backspace: 'reset' };

/** @returns what is to be said; true if there is nothing to say; undefined if the key means nothing here */
export function answerTo(event: KeyboardEvent, frame: FrameKeys, keys: FigureKeys): string | true | undefined {
  const { key } = event;
  const target = event.target as Element;
  if (event.altKey || event.ctrlKey || event.metaKey || target.closest('input, select, textarea')) return undefined;
  const done = (act: () => void): true => {
    act();
    return true;
  };
  if (key === 'Escape') {
    if (keys.leave?.()) return true;
    return frame.filled ? done(frame.toggleFilled) : undefined;
  }
  if (key.toLowerCase() === 't' && frame.toggleTable) return done(frame.toggleTable);
  if (key.toLowerCase() === 'f') return done(frame.toggleFilled);
  if (!target.matches('[data-drawing]')) return undefined;
  if (event.shiftKey && key in zooms && keys.zoom) return keys.zoom(zooms[key]) ?? true;
  if (key in directions && keys.move) return keys.move(directions[key], event) ?? true;
  if ((key === 'Enter' || key === ' ') && keys.select) return keys.select(event) ?? true;
  return undefined;
}
