/** What Home does with sessions: asked of the host, failures shown as notices. */
import type { App } from '../../state/app.svelte.ts';

export interface SessionActions {
  readonly open: (path: string) => void;
  /** Throws what the host throws: the row says why a name was refused. */
  readonly rename: (path: string, name: string) => Promise<void>;
  readonly duplicate: (path: string) => void;
  readonly trash: (path: string) => void;
  readonly restore: (path: string) => void;
  readonly forget: (path: string) => void;
  readonly note: (path: string, text: string) => void;
}

export function sessionActions(app: App): SessionActions {
  const ask = (asked: () => Promise<unknown>, said?: string): void =>
    app.attempt(async () => {
      await asked();
      if (said !== undefined) app.announce(said);
    });
  return {
    open: (path) => ask(() => app.open(path)),
    rename: (path, name) => app.host.renameSession({ path, name }),
    duplicate: (path) => ask(() => app.host.duplicateSession({ path }), 'Session duplicated'),
    trash: (path) =>
      ask(async () => {
        if (app.session?.path === path) await app.close();
        await app.host.trashSession({ path });
      }, 'Session deleted. Enter brings it back'),
    restore: (path) => ask(() => app.host.restoreSession({ path }), 'Session is back'),
    forget: (path) => ask(() => app.host.forgetSession({ path }), 'Taken off the list'),
    note: (path, text) => ask(() => app.host.noteSession({ path, text }), 'Note kept'),
  };
}
