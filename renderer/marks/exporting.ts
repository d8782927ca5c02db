/** What marks have to know while a figure is drawn for a file: canvases are then drawn finer than the screen needs. */

/** Canvas pixels for each pixel of the figure: 300 dpi where 11 px are 7.5 pt. */
const FINE = 3;
let fine = false;

export const pixelRatio = (): number => (fine ? FINE : Math.max(1, Math.ceil(window.devicePixelRatio)));

/** Whether what is drawn now is for a file. */
export const isForFile = (): boolean => fine;

/** Everything drawn in `draw` is for a file. */
export function drawnForFile<Result>(draw: () => Result): Result {
  fine = true;
  try {
    return draw();
  } finally {
    fine = false;
  }
}
