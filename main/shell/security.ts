/**
 * What a page may not do, whatever runs in it: leave its origin, open windows, load from elsewhere, get permissions, or speak to the shell
 * from a frame that is not ours. That it can do little by itself (sandbox, isolation) is set where windows are made (window.ts) and in the
 * content security policy that its files come with (protocol.ts).
 */
import { app, session, type IpcMainEvent, type IpcMainInvokeEvent, type WebContents } from 'electron';
import { mayLoad, originOf } from './addresses.ts';

/** @param origin the page's */
export function lockDown(origin: string): void {
  app.on('web-contents-created', (_event, contents) => confine(contents, origin));
  const { defaultSession } = session;
  defaultSession.setPermissionRequestHandler((_contents, _permission, decide) => decide(false));
  defaultSession.setPermissionCheckHandler(() => false);
  defaultSession.setDevicePermissionHandler(() => false);
  defaultSession.webRequest.onBeforeRequest(({ url }, decide) => decide({ cancel: !mayLoad(url, origin) }));
}

function confine(contents: WebContents, origin: string): void {
  const stay = (event: { readonly url: string; preventDefault(): void }): void => {
    if (originOf(event.url) !== origin) event.preventDefault();
  };
  contents.on('will-navigate', stay);
  contents.on('will-redirect', stay);
  contents.on('will-frame-navigate', stay);
  contents.on('will-attach-webview', (event) => event.preventDefault());
  contents.setWindowOpenHandler(() => ({ action: 'deny' }));
}

/** Whether a message comes from the page itself, and from no frame within it. */
export function isFromPage(event: IpcMainEvent | IpcMainInvokeEvent, origin: string): boolean {
  const frame = event.senderFrame;
  return frame !== null && frame.parent === null && originOf(frame.url) === origin;
}
