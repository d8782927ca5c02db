/** What the frame can do, whatever is shown: sessions, places, theme, jobs, help. Ids are those of the shell's menu. */
import type { Action } from '../state/actions.svelte.ts';
import type { App } from '../state/app.svelte.ts';
import { figureActions } from './figureActions.ts';
import type { Frame } from './frame.svelte.ts';
import { findEntries, search } from './paletteEntries.ts';
import { chooseSessionPath, openSession } from './paths.ts';

/** How many recent sessions have keys on Home. */
const RECENT = 7;

export const openJobs = (app: App) => app.jobs.filter(({ state }) => state === 'running' || state === 'waiting' || state === 'paused');

export function frameActions(app: App, frame: Frame): readonly Action[] {
  const open = (): boolean => app.session !== undefined;
  const writable = (): boolean => app.session?.writable ?? false;
  const current = () => openJobs(app).find(({ state }) => state === 'running') ?? openJobs(app).find(({ state }) => state === 'paused');

  const session: Action[] = [
    { id: 'session.new', title: 'New session', group: 'Session', keys: 'Mod+N', run: (name) => app.create(name) },
    {
      id: 'session.open',
      title: 'Open a session…',
      group: 'Session',
      keys: 'Mod+O',
      run: (path) => (path === undefined ? openSession(app, frame) : app.open(path)),
    },
    {
      id: 'session.saveAs',
      title: 'Save the session as…',
      group: 'Session',
      keys: 'Mod+Shift+S',
      enabled: open,
      run: async (given) => {
        const path = given ?? (await chooseSessionPath(frame, app.session?.name ?? 'Untitled', 'Save the session as'));
        if (path !== undefined) await app.saveAs(path);
      },
    },
    {
      id: 'session.share',
      title: 'Save a copy for sharing…',
      group: 'Session',
      enabled: open,
      run: async (given) => {
        const chosen = given ?? (await chooseSessionPath(frame, `${app.session?.name ?? 'Untitled'}, shared`, 'Save a copy for sharing'));
        if (chosen === undefined) return;
        const { path } = await app.host.shareCopy({ path: chosen, replace: window.desktop !== undefined });
        app.tell({ kind: 'news', title: 'Copy for sharing saved', detail: path });
      },
    },
    { id: 'session.rename', title: 'Rename the session…', group: 'Session', enabled: writable, run: () => frame.show('rename') },
    {
      id: 'session.duplicate',
      title: 'Duplicate the session',
      group: 'Session',
      enabled: open,
      run: async () => {
        const { path } = await app.host.duplicateSession({ path: app.session!.path });
        app.tell({ kind: 'news', title: 'Session duplicated', detail: path });
      },
    },
    { id: 'session.close', title: 'Close the session', group: 'Session', keys: 'Mod+W', enabled: open, run: () => app.close() },
  ];

  const figures = figureActions();

  const edit: Action[] = [
    {
      id: 'edit.undo',
      title: 'Undo',
      group: 'Edit',
      keys: 'Mod+Z',
      enabled: () => writable() && app.session?.history.undo !== undefined,
      run: () => app.undo(),
    },
    {
      id: 'edit.redo',
      title: 'Redo',
      group: 'Edit',
      keys: 'Mod+Shift+Z',
      enabled: () => writable() && app.session?.history.redo !== undefined,
      run: () => app.redo(),
    },
    { id: 'edit.find', title: 'Find in what is shown', group: 'Edit', keys: 'Mod+F', run: () => frame.openPalette('find') },
    {
      id: 'edit.findNext',
      title: 'Find next',
      group: 'Edit',
      keys: 'Mod+G',
      enabled: () => frame.lastFind !== undefined,
      run: () => {
        const { query, index } = frame.lastFind!;
        const found = search(query, findEntries(app, new Date())).flatMap((group) => group.found);
        if (found.length === 0) return;
        const next = (index + 1) % found.length;
        frame.remember(query, next);
        found[next].entry.run();
        app.announce(found[next].entry.title);
      },
    },
  ];

  const places: Action[] = [
    ...Array.from({ length: RECENT }, (_entry, i): Action => {
      const recent = () => app.sessions.filter(({ state }) => state === 'ready' || state === 'locked' || state === 'newer')[i];
      return {
        id: `session.recent${i + 1}`,
        title: `Open recent session ${i + 1}`,
        group: 'Session',
        keys: `Mod+${i + 1}`,
        hidden: true,
        enabled: () => app.workspace === 'home' && recent() !== undefined,
        run: () => app.open(recent().path),
      };
    }),
    { id: 'view.home', title: 'Home', group: 'Go to', keys: 'Mod+0', run: () => app.go('home') },
    { id: 'view.train', title: 'Train', group: 'Go to', keys: 'Mod+1', enabled: open, run: () => app.go('train') },
    { id: 'view.modes', title: 'Modes', group: 'Go to', keys: 'Mod+2', enabled: open, run: () => app.go('modes') },
    { id: 'view.settings', title: 'Settings', group: 'Go to', keys: 'Mod+,', run: () => app.go('settings') },
    { id: 'view.palette', title: 'Search or run a command', group: 'Window', keys: 'Mod+K', run: () => frame.openPalette('all') },
  ];

  const themes = { light: 'Light theme', dark: 'Dark theme', system: 'Theme of the system' } as const;
  const appearance: Action[] = [
    ...(['light', 'dark', 'system'] as const).map((theme): Action => ({
      id: `theme.${theme}`,
      title: themes[theme],
      group: 'Window',
      run: () => app.changeSettings({ theme }),
    })),
    {
      id: 'theme.switch',
      title: 'Switch theme',
      group: 'Window',
      keys: 'Mod+Shift+L',
      run: () => app.changeSettings({ theme: document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark' }),
    },
  ];

  const jobs: Action[] = [
    {
      id: 'run.pause',
      title: 'Pause or go on with the job',
      group: 'Run',
      enabled: () => current() !== undefined,
      run: () => (current()!.state === 'paused' ? app.host.resume({ job: current()!.id }) : app.host.pause({ job: current()!.id })),
    },
    {
      id: 'run.cancel',
      title: 'Cancel the running job',
      group: 'Run',
      keys: '.',
      enabled: () => current() !== undefined,
      run: () => app.host.cancel({ job: current()!.id }),
    },
    {
      id: 'run.devices',
      title: 'Check devices against the reference',
      group: 'Run',
      run: () => {
        frame.show('devices');
        return app.checkDevices();
      },
    },
  ];

  const help: Action[] = [
    { id: 'help.keys', title: 'Keyboard', group: 'Help', keys: '?', run: () => frame.show('keys') },
    {
      id: 'help.tour',
      title: 'Tour',
      group: 'Help',
      enabled: () => app.about?.demonstration !== undefined,
      run: async () => {
        await app.open(app.about!.demonstration!);
        app.go('modes');
        frame.goOnTour(0);
      },
    },
    { id: 'help.about', title: 'About Gatescope', group: 'Help', run: () => frame.show('about') },
  ];

  return [...session, ...figures, ...edit, ...places, ...appearance, ...jobs, ...help];
}
