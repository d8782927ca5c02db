/** Where a window opens: where it last stood, if that can still be reached, else in the middle. Arithmetic only; window.ts asks and obeys. */

export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Bounds of the window when it is not maximised, and whether it is. */
export interface WindowPlace extends Rectangle {
  readonly maximised: boolean;
}

/** What the page is laid out for. */
export const usual = { width: 1440, height: 900 };
/** Below it panes would have to go. */
export const smallest = { width: 1180, height: 720 };

/** As much of a title bar has to be within reach for the window to be dragged. */
const grip = { width: 120, height: 32 };

/** @param areas of the screens, without bars and docks; the first is the main one */
export function placeOn(areas: readonly Rectangle[], last?: WindowPlace): WindowPlace {
  if (last && areas.some((area) => holdsGrip(area, last))) {
    const size = { width: Math.max(last.width, smallest.width), height: Math.max(last.height, smallest.height) };
    return { ...last, ...size };
  }
  const [main] = areas;
  const width = Math.min(last?.width ?? usual.width, main.width);
  const height = Math.min(last?.height ?? usual.height, main.height);
  const x = Math.round(main.x + (main.width - width) / 2);
  const y = Math.round(main.y + (main.height - height) / 2);
  return { x, y, width, height, maximised: last?.maximised ?? false };
}

function holdsGrip(area: Rectangle, { x, y, width }: Rectangle): boolean {
  const across = Math.min(x + width, area.x + area.width) - Math.max(x, area.x);
  return across >= grip.width && y >= area.y && y + grip.height <= area.y + area.height;
}
