/** The menu where the page has taken the place of its bar: Alt or F10 opens it, as these keys go to the bar elsewhere. */
import { Menu, type BrowserWindow } from 'electron';
import { hasOverlay, titleBarHeight } from './window.ts';

export function openMenuByKey(window: BrowserWindow): void {
  if (process.platform === 'darwin' || !hasOverlay) return;
  let altAlone = false;
  const open = (): void => Menu.getApplicationMenu()?.popup({ window, x: 0, y: titleBarHeight });
  window.webContents.on('before-input-event', (_event, { type, key, control, meta, shift }) => {
    if (type === 'keyDown') {
      altAlone = key === 'Alt' && !control && !meta && !shift;
      if (key === 'F10' && !shift) open();
    } else if (key === 'Alt' && altAlone) {
      altAlone = false;
      open();
    }
  });
}
