/** When the page itself dies or hangs: says so in words, and offers a way on. Work goes on meanwhile, since it is the host's. */
import { app, dialog, type BrowserWindow } from 'electron';

const reasons: Readonly<Record<string, string>> = {
  crashed: 'It crashed.',
  killed: 'It was ended from outside.',
  oom: 'It ran out of memory.',
  'launch-failed': 'It could not be started.',
  'integrity-failure': 'One of its files has been changed.',
  'memory-eviction': 'The system needed its memory.',
};

export function watchForTroubles(window: BrowserWindow): void {
  const contents = window.webContents;
  let asking = false;
  const ask = async (message: string, detail: string, ways: Readonly<Record<string, () => void>>): Promise<void> => {
    if (asking || window.isDestroyed()) return;
    asking = true;
    const buttons = Object.keys(ways);
    const { response } = await dialog.showMessageBox(window, { type: 'warning', message, detail, buttons, defaultId: 0, cancelId: 0 });
    asking = false;
    if (!window.isDestroyed()) ways[buttons[response]]();
  };

  contents.on('render-process-gone', (_event, { reason, exitCode }) => {
    if (reason === 'clean-exit') return;
    const why = reasons[reason] ?? `It ended with exit code ${exitCode}.`;
    void ask('The window stopped working', `${why} Running jobs go on, and what was stored is safe.`, {
      'Reload the window': () => contents.reload(),
      'Quit Gatescope': () => app.quit(),
    });
  });
  window.on('unresponsive', () => {
    void ask('The window does not answer', 'Running jobs go on, and what was stored is safe.', {
      Wait: () => undefined,
      'Reload the window': () => {
        // One that hangs would not hear of a reload.
        contents.forcefullyCrashRenderer();
        contents.reload();
      },
    });
  });
}
