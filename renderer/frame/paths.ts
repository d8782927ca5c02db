/** Choosing files: by the shell's dialogs in the desktop, by a list of the host's folders in a browser. */
import type { App } from '../state/app.svelte.ts';
import type { Frame } from './frame.svelte.ts';

const ENDING = '.gatescope';

/** Opens a session that the user chooses. */
export async function openSession(app: App, frame: Frame): Promise<void> {
  const path = window.desktop ? await window.desktop.chooseSession() : await frame.choose({ title: 'Open a session', kind: 'session' });
  if (path !== undefined) await app.open(path);
}

/** @returns where the user wants a new file */
export async function chooseSessionPath(frame: Frame, name: string, title: string): Promise<string | undefined> {
  const proposed = name.endsWith(ENDING) ? name : `${name}${ENDING}`;
  return window.desktop
    ? await window.desktop.chooseSavePath(proposed, title)
    : await frame.choose({ title, kind: 'session', name: proposed });
}

export const isSession = (name: string): boolean => name.toLowerCase().endsWith(ENDING);
