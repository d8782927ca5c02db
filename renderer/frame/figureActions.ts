/** What can be done with the figure that has the focus, or was last pointed at. */
import { focusedFigure } from '../marks/focused.svelte.ts';
import type { Action } from '../state/actions.svelte.ts';

export function figureActions(): readonly Action[] {
  const figure = () => focusedFigure.current;
  const there = (): boolean => figure() !== undefined;
  return [
    {
      id: 'export.png',
      title: 'Export the figure as PNG…',
      group: 'Figure',
      keys: 'Mod+Shift+E',
      enabled: there,
      run: () => figure()!.exportPng(),
    },
    {
      id: 'export.svg',
      title: 'Export the figure as SVG…',
      group: 'Figure',
      keys: 'Mod+Alt+E',
      enabled: there,
      run: () => figure()!.exportSvg(),
    },
    {
      id: 'export.csv',
      title: 'Export the numbers of the figure as CSV…',
      group: 'Figure',
      enabled: () => figure()?.exportCsv !== undefined,
      run: () => figure()!.exportCsv!(),
    },
    {
      id: 'export.json',
      title: 'Export the numbers of the figure as JSON…',
      group: 'Figure',
      enabled: () => figure()?.exportJson !== undefined,
      run: () => figure()!.exportJson!(),
    },
    {
      id: 'figure.table',
      title: 'Table of the figure',
      group: 'Figure',
      keys: 'T',
      enabled: there,
      run: () => void figure()!.toggleTable(),
    },
    {
      id: 'figure.fill',
      title: 'Fill the window with the figure',
      group: 'Figure',
      keys: 'F',
      enabled: there,
      run: () => figure()!.toggleFilled(),
    },
  ];
}
