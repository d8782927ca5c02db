/** Ends the program in order: asks if jobs run, lets the host store what it has, and only then goes. */
import { app, dialog, type BrowserWindow } from 'electron';
import type { HostProcess } from './hostProcess.ts';

export interface Quitting {
  /** Windows may close: the host has ended. */
  readonly over: () => boolean;
}

/** @param window to ask in, if there is one @param settle lets the page keep what is being typed in it */
export function quitInOrder(host: HostProcess, window: () => BrowserWindow | undefined, settle: () => Promise<void>): Quitting {
  let state: 'open' | 'asking' | 'over' = 'open';
  app.on('before-quit', (event) => {
    if (state === 'over') return;
    event.preventDefault();
    if (state === 'asking') return;
    state = 'asking';
    void leave();
  });
  const leave = async (): Promise<void> => {
    if (host.jobs > 0 && !(await confirmed(host.jobs, window()))) {
      state = 'open';
      return;
    }
    await settle();
    await host.end();
    state = 'over';
    app.quit();
  };
  return { over: () => state === 'over' };
}

async function confirmed(jobs: number, window: BrowserWindow | undefined): Promise<boolean> {
  const options = {
    type: 'question' as const,
    message: jobs === 1 ? 'A job is still running' : `${jobs} jobs are still running or waiting`,
    detail: 'Their checkpoints are kept: they go on from there when the session is opened again.',
    buttons: ['Wait', 'Quit and keep checkpoints'],
    defaultId: 0,
    cancelId: 0,
  };
  const { response } = window ? await dialog.showMessageBox(window, options) : await dialog.showMessageBox(options);
  return response === 1;
}
