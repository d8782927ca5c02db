/**
 * The window: how it is made, where it opens, and what colour it is before the page has drawn anything. What is in it is the page's business,
 * what it may do is security.ts's.
 */
import { BrowserWindow, nativeTheme, screen, type BrowserWindowConstructorOptions } from 'electron';
import type { Remembered } from './remembered.ts';
import { placeOn, smallest, type WindowPlace } from './windowPlace.ts';

/** Of ux.md: `bg` and `ink`, which the page draws its title bar with. */
const colours = { light: { background: '#f3f4f6', ink: '#15181d' }, dark: { background: '#0e1013', ink: '#eceef2' } };
export const titleBarHeight = 44;

/** The buttons of the window over the page's own title bar: since Electron 32 on Linux. */
export const hasOverlay = typeof (BrowserWindow.prototype as Partial<BrowserWindow>).setTitleBarOverlay === 'function';

/** @param preload the built preload script */
export function makeWindow(preload: string, remembered: Remembered): BrowserWindow {
  const areas = [screen.getPrimaryDisplay(), ...screen.getAllDisplays()].map(({ workArea }) => workArea);
  const { maximised, ...bounds } = placeOn(areas, remembered.memory.window);
  const window = new BrowserWindow({
    ...bounds,
    minWidth: Math.min(smallest.width, areas[0].width),
    minHeight: Math.min(smallest.height, areas[0].height),
    title: 'Gatescope',
    show: false,
    backgroundColor: colour().background,
    ...titleBar(),
    webPreferences: {
      preload,
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      webSecurity: true,
      webviewTag: false,
      navigateOnDragDrop: false,
      spellcheck: false,
    },
  });
  window.once('ready-to-show', () => {
    if (maximised) window.maximize();
    window.show();
  });
  // What the page calls itself is not where it stands: it says so by setTitle.
  window.on('page-title-updated', (event) => event.preventDefault());
  followTheme(window);
  rememberPlace(window, remembered);
  return window;
}

function colour(): { background: string; ink: string } {
  return nativeTheme.shouldUseDarkColors ? colours.dark : colours.light;
}

/** The page draws the title bar where the system can put its buttons over it. */
function titleBar(): BrowserWindowConstructorOptions {
  if (process.platform === 'darwin') return { titleBarStyle: 'hiddenInset', trafficLightPosition: { x: 14, y: 14 } };
  return hasOverlay ? { titleBarStyle: 'hidden', titleBarOverlay: overlay() } : {};
}

function overlay(): { color: string; symbolColor: string; height: number } {
  const { background, ink } = colour();
  return { color: background, symbolColor: ink, height: titleBarHeight };
}

function followTheme(window: BrowserWindow): void {
  const repaint = (): void => {
    window.setBackgroundColor(colour().background);
    if (hasOverlay && process.platform !== 'darwin') window.setTitleBarOverlay(overlay());
  };
  nativeTheme.on('updated', repaint);
  window.on('closed', () => nativeTheme.off('updated', repaint));
}

function rememberPlace(window: BrowserWindow, remembered: Remembered): void {
  const remember = (): void => {
    const place: WindowPlace = { ...window.getNormalBounds(), maximised: window.isMaximized() };
    remembered.set({ window: place });
  };
  // 'close' is not heard of when the program is ended from outside.
  let timer: NodeJS.Timeout | undefined;
  const soon = (): void => {
    clearTimeout(timer);
    timer = setTimeout(remember, 1000);
  };
  window.on('resize', soon);
  window.on('move', soon);
  window.on('close', () => {
    clearTimeout(timer);
    remember();
  });
}
