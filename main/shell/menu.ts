/**
 * The menu: what it holds and how it reads. Items send their command to the page, which does the rest; only what is the window's own affair
 * (clipboard, zoom, full screen) is done by Electron itself. A template without effects: titleBar and main.ts set it.
 */
import type { MenuItemConstructorOptions as Item } from 'electron';
import type { Command, MenuState, Theme } from './desktop.ts';

export interface MenuOptions {
  readonly platform: NodeJS.Platform;
  readonly state: MenuState;
  /** With what a developer needs. */
  readonly developing: boolean;
  readonly send: (command: Command, argument?: string) => void;
}

/** Until the page has said anything. */
export const atFirst: MenuState = { enabled: [], theme: 'system', recent: [] };

const separator: Item = { type: 'separator' };

/** Keys are those of the page's own map: it gets them first, and the menu only what it has left. */
export function menuTemplate({ platform, state, developing, send }: MenuOptions): Item[] {
  const mac = platform === 'darwin';
  const item = (label: string, command: Command, accelerator?: string, argument?: string): Item => ({
    id: argument === undefined ? command : `${command}:${argument}`,
    label,
    enabled: state.enabled.includes(command),
    click: () => send(command, argument),
    ...(accelerator && { accelerator }),
  });
  const theme = (label: string, which: Theme): Item => ({
    ...item(label, `theme.${which}`),
    type: 'radio',
    checked: state.theme === which,
    enabled: true,
  });
  const recent = state.recent.map(({ name, path }) => item(literal(name), 'session.open', undefined, path));

  const file: Item = {
    label: '&File',
    submenu: [
      item('New Session', 'session.new', 'CmdOrCtrl+N'),
      item('Open…', 'session.open', 'CmdOrCtrl+O'),
      { label: 'Open Recent', submenu: recent.length > 0 ? recent : [{ label: 'No Recent Sessions', enabled: false }] },
      separator,
      item('Save As…', 'session.saveAs', 'CmdOrCtrl+Shift+S'),
      {
        label: 'Export',
        submenu: [
          item('Figure as PNG…', 'export.png', 'CmdOrCtrl+Shift+E'),
          item('Figure as SVG…', 'export.svg', 'CmdOrCtrl+Alt+E'),
          item('Numbers as CSV…', 'export.csv'),
        ],
      },
      separator,
      item('Close Session', 'session.close', 'CmdOrCtrl+W'),
      ...(mac ? [] : [separator, { role: 'quit' } as Item]),
    ],
  };
  const edit: Item = {
    label: '&Edit',
    submenu: [
      item('Undo', 'edit.undo', 'CmdOrCtrl+Z'),
      item('Redo', 'edit.redo', 'CmdOrCtrl+Shift+Z'),
      separator,
      { role: 'cut' },
      { role: 'copy' },
      { role: 'paste' },
      { role: 'selectAll' },
      separator,
      item('Find…', 'edit.find', 'CmdOrCtrl+F'),
      item('Find Next', 'edit.findNext', 'CmdOrCtrl+G'),
    ],
  };
  const view: Item = {
    label: '&View',
    submenu: [
      item('Home', 'view.home'),
      item('Train', 'view.train', 'CmdOrCtrl+1'),
      item('Modes', 'view.modes', 'CmdOrCtrl+2'),
      item('Commands…', 'view.palette', 'CmdOrCtrl+K'),
      separator,
      { label: 'Theme', submenu: [theme('Light', 'light'), theme('Dark', 'dark'), theme('Same as System', 'system')] },
      separator,
      { role: 'resetZoom' },
      { role: 'zoomIn' },
      { role: 'zoomOut' },
      separator,
      { role: 'togglefullscreen' },
      ...(developing ? [separator, { role: 'reload' } as Item, { role: 'toggleDevTools' } as Item] : []),
    ],
  };
  const run: Item = {
    label: '&Run',
    submenu: [
      item('Run Form', 'run.start', 'CmdOrCtrl+Enter'),
      item('Pause Job', 'run.pause'),
      // On its own "." would be taken from every text field: the page listens to it.
      item('Cancel Job', 'run.cancel'),
    ],
  };
  const help: Item = {
    label: '&Help',
    role: 'help',
    submenu: [item('Keyboard', 'help.keys'), item('Tour', 'help.tour'), ...(mac ? [] : [separator, item('About Gatescope', 'help.about')])],
  };
  const own: Item = {
    label: 'Gatescope',
    submenu: [
      item('About Gatescope', 'help.about'),
      separator,
      { role: 'services' },
      separator,
      { role: 'hide' },
      { role: 'hideOthers' },
      { role: 'unhide' },
      separator,
      { role: 'quit' },
    ],
  };
  return mac ? [own, file, edit, view, run, { role: 'windowMenu' }, help] : [file, edit, view, run, help];
}

/** In a label `&` would mark the letter to press. */
function literal(name: string): string {
  return name.replaceAll('&', '&&');
}
