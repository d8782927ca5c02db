import type { MenuItemConstructorOptions as Item } from 'electron';
import { expect, test } from 'vitest';
import type { Command, MenuState } from './desktop.ts';
import { menuTemplate } from './menu.ts';

const everything: Record<Command, true> = {
  'session.new': true,
  'session.open': true,
  'session.saveAs': true,
  'session.close': true,
  'export.png': true,
  'export.svg': true,
  'export.csv': true,
  'edit.undo': true,
  'edit.redo': true,
  'edit.find': true,
  'edit.findNext': true,
  'view.home': true,
  'view.train': true,
  'view.modes': true,
  'view.palette': true,
  'theme.light': true,
  'theme.dark': true,
  'theme.system': true,
  'run.start': true,
  'run.pause': true,
  'run.cancel': true,
  'help.keys': true,
  'help.tour': true,
  'help.about': true,
};

const state: MenuState = {
  enabled: ['session.open', 'edit.undo'],
  theme: 'dark',
  recent: [
    { name: 'Gates & modes', path: '/sessions/a.gatescope' },
    { name: 'Empty', path: '/sessions/b.gatescope' },
  ],
};

const flat = (items: readonly Item[]): Item[] => items.flatMap((one) => [one, ...(Array.isArray(one.submenu) ? flat(one.submenu) : [])]);

function menu(platform: NodeJS.Platform, changed: Partial<MenuState> = {}) {
  const sent: (string | undefined)[][] = [];
  const template = menuTemplate({
    platform,
    state: { ...state, ...changed },
    developing: false,
    send: (...what) => sent.push(what),
  });
  const items = flat(template);
  return { template, items, sent, of: (id: string) => items.find((one) => one.id === id)! };
}

test.each(['linux', 'darwin', 'win32'] as const)('on %s every command is in the menu, and no key twice', (platform) => {
  const { items } = menu(platform);
  for (const command of Object.keys(everything)) expect(items.filter(({ id }) => id === command)).toHaveLength(1);
  const keys = items.map(({ accelerator }) => accelerator).filter((key) => key !== undefined);
  expect(new Set(keys).size).toBe(keys.length);
});

test('items send their command, recent sessions with their path', () => {
  const { of, sent } = menu('linux');
  const click = (id: string) => (of(id).click as () => void)();
  click('edit.undo');
  click('session.open');
  click('session.open:/sessions/b.gatescope');
  expect(sent).toEqual([
    ['edit.undo', undefined],
    ['session.open', undefined],
    ['session.open', '/sessions/b.gatescope'],
  ]);
});

test('shows what would do something, and which theme is on', () => {
  const { of, items } = menu('linux');
  expect([of('edit.undo').enabled, of('edit.redo').enabled, of('session.open').enabled]).toEqual([true, false, true]);
  expect(['light', 'dark', 'system'].map((theme) => of(`theme.${theme}`).checked)).toEqual([false, true, false]);
  expect(items.find(({ id }) => id === 'session.open:/sessions/a.gatescope')?.label).toBe('Gates && modes');
  expect(menu('linux', { recent: [] }).items.find(({ label }) => label === 'No Recent Sessions')?.enabled).toBe(false);
});

test('on macOS the menu of the program comes first and holds Quit', () => {
  const { template } = menu('darwin');
  expect(template.map(({ label, role }) => label ?? role)).toEqual(['Gatescope', '&File', '&Edit', '&View', '&Run', 'windowMenu', '&Help']);
  expect(flat([template[0]]).some(({ role }) => role === 'quit')).toBe(true);
  expect(flat([template[1]]).some(({ role }) => role === 'quit')).toBe(false);
});
