/** What can be done with the selected unit and the network that is shown: for the palette and for keys. */
import type { Action } from '../../state/actions.svelte.ts';
import type { App } from '../../state/app.svelte.ts';
import type { ModesState, NetworkForm } from './modesState.svelte.ts';

export function modesActions(app: App, modes: ModesState): readonly Action[] {
  const { selection } = app;
  const chosen = (): string | undefined => selection.unit ?? selection.hovered;
  const here = (): boolean => app.workspace === 'modes';
  const withUnit = (): boolean => here() && chosen() !== undefined;
  const form = (id: NetworkForm, title: string, enabled: () => boolean): Action => ({
    id: `modes.form.${id}`,
    title,
    group: 'Selection',
    enabled: () => here() && enabled(),
    run: () => modes.setForm(id),
  });
  return [
    {
      id: 'modes.unit.pin',
      title: 'Pin or unpin the unit',
      group: 'Selection',
      keys: 'P',
      enabled: withUnit,
      run: () => selection.togglePin(chosen()!),
    },
    {
      id: 'modes.unit.shut',
      title: 'Knock out the unit',
      group: 'Selection',
      keys: 'K',
      enabled: withUnit,
      run: () => modes.force(chosen()!, 'shut'),
    },
    {
      id: 'modes.unit.open',
      title: 'Force the unit open',
      group: 'Selection',
      enabled: () => withUnit() && modes.canOpen,
      run: () => modes.force(chosen()!, 'open'),
    },
    {
      id: 'modes.unit.free',
      title: 'Free the unit',
      group: 'Selection',
      enabled: () => withUnit() && chosen()! in modes.forced,
      run: () => modes.free(chosen()!),
    },
    {
      id: 'modes.units.free',
      title: 'Free all units',
      group: 'Selection',
      enabled: () => here() && modes.forcedList.length > 0,
      run: () => modes.freeAll(),
    },
    {
      id: 'modes.measure',
      title: 'Measure what the figures lack',
      group: 'Run',
      enabled: () => here() && modes.missing.length > 0 && (app.session?.writable ?? false),
      run: () => modes.measureAll(),
    },
    form('base', 'Show the base', () => modes.form !== 'base'),
    form('soft', 'Show the mode, soft', () => modes.mode !== undefined && modes.form !== 'soft'),
    form('hard', 'Show the mode, hard', () => (modes.mode?.gated ?? false) && modes.form !== 'hard'),
    form('rival', 'Show the other adapter', () => modes.rival !== undefined && modes.form !== 'rival'),
  ];
}
