/** The figure that commands are about: the one with the focus, or else the one last pointed at. */

export interface FigureFile {
  readonly title: string;
  exportPng(): Promise<void>;
  exportSvg(): Promise<void>;
  /** Undefined where a figure has no table. */
  readonly exportCsv: (() => Promise<void>) | undefined;
  readonly exportJson: (() => Promise<void>) | undefined;
  toggleTable(): unknown;
  toggleFilled(): void;
}

let focused = $state.raw<FigureFile | undefined>();

export const focusedFigure = {
  get current(): FigureFile | undefined {
    return focused;
  },

  take(figure: FigureFile): void {
    focused = figure;
  },

  /** It is no longer there. */
  drop(figure: FigureFile): void {
    if (focused === figure) focused = undefined;
  },
};
