/**
 * The desktop program, as its start goes. The shell is thin: it makes the window, its menu and dialogs, keeps a host running and guards the
 * borders. Sessions and work are the host's (main/host), everything that is seen is the page's (renderer).
 */
import { app, Menu, nativeTheme, type BrowserWindow } from 'electron';
import { pageOrigin } from './addresses.ts';
import { Dialogs } from './dialogs.ts';
import { openFromOutside } from './files.ts';
import { relayedHost, utilityHost } from './hostChannel.ts';
import { HostProcess } from './hostProcess.ts';
import { atFirst, menuTemplate } from './menu.ts';
import { Page } from './page.ts';
import { builds, hostSettings, memoryFile } from './places.ts';
import { registerPageScheme, servePage } from './protocol.ts';
import { quitInOrder } from './quitting.ts';
import { Remembered } from './remembered.ts';
import { lockDown } from './security.ts';
import { openMenuByKey } from './titleBarMenu.ts';
import { watchForTroubles } from './troubles.ts';
import { makeWindow } from './window.ts';

/** Of `npm run dev`. */
const developmentServer = app.isPackaged ? undefined : process.env.VITE_DEV_SERVER_URL;
const origin = developmentServer ? new URL(developmentServer).origin : pageOrigin;

/** SQLite's binding needs Node-API 10 and aborts the process on less: an Electron of the past, in tests, has the host run on a Node. */
const hostNode = Number(process.versions.napi) < 10 ? process.env.HOST_NODE : undefined;

app.setName('Gatescope');
registerPageScheme();
// As root there is no sandbox to be had, and asking for it would start processes for ever.
if (!app.commandLine.hasSwitch('no-sandbox')) app.enableSandbox();

// One program per user-data folder: a second start hands its files over and ends.
if (app.requestSingleInstanceLock()) void begin();
else app.quit();

async function begin(): Promise<void> {
  let open: { window: BrowserWindow; page: Page } | undefined;
  const early: Parameters<Page['send']>[] = [];
  const send = (...what: Parameters<Page['send']>): void => {
    if (open) open.page.send(...what);
    else early.push(what);
  };
  openFromOutside(
    (path) => send('session.open', path),
    () => show(),
  );
  const show = (): void => {
    if (!app.isReady()) return;
    if (!open) return openWindow();
    if (open.window.isMinimized()) open.window.restore();
    open.window.focus();
  };

  await app.whenReady();
  lockDown(origin);
  if (!developmentServer) servePage(builds.page);
  const remembered = new Remembered(memoryFile());
  nativeTheme.themeSource = remembered.memory.theme ?? 'system';

  const settings = hostSettings();
  const startHost = hostNode ? relayedHost(hostNode, builds.host, settings) : utilityHost(builds, settings);
  const host = new HostProcess(startHost, (state) => open?.page.tellHost(state));
  host.start();
  const quitting = quitInOrder(
    host,
    () => open?.window,
    async () => open?.page.settle(),
  );

  const setMenu = (state = atFirst): void => {
    const template = menuTemplate({ platform: process.platform, state, developing: !app.isPackaged, send });
    Menu.setApplicationMenu(Menu.buildFromTemplate(template));
    if (state === atFirst || state.theme === nativeTheme.themeSource) return;
    nativeTheme.themeSource = state.theme;
    remembered.set({ theme: state.theme });
  };
  setMenu();

  function openWindow(): void {
    const window = makeWindow(builds.preload, remembered);
    const dialogs = new Dialogs(window, remembered, settings.sessionsFolder);
    const page = new Page(window, { origin, host, dialogs, onMenu: setMenu });
    open = { window, page };
    for (const what of early.splice(0)) page.send(...what);
    watchForTroubles(window);
    openMenuByKey(window);
    window.on('close', (event) => {
      // Elsewhere than on macOS the program ends with its window: by way of the question whether it may.
      if (process.platform === 'darwin' || quitting.over()) return;
      event.preventDefault();
      app.quit();
    });
    window.on('closed', () => (open = undefined));
    void window.loadURL(developmentServer ?? `${pageOrigin}/`);
  }
  openWindow();
  app.on('activate', show);
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin') app.quit();
  });
}
