/**
 * What a page may not do, whatever runs in it: leave its origin, open windows, load from elsewhere, get permissions but that to copy text, or
 * speak to the shell from a frame that is not ours. That it can do little by itself (sandbox, isolation) is set where windows are made (window.ts) and in the
 * content security policy that its files come with (protocol.ts).
 */
import { app, session, type IpcMainEvent, type IpcMainInvokeEvent, type WebContents } from 'electron';
import { mayLoad, originOf } from './addresses.ts';

/** @param origin the page's */
export function lockDown(origin: string): void {
  app.on('web-contents-created', (_event, contents) => confine(contents, origin));
  const { defaultSession } = session;
  // Text for the clipboard is all that the page may ask for: nothing is read from it.
  const mayHave = (permission: string, from: string): boolean => permission === 'clipboard-sanitized-write' && originOf(from) === origin;
  defaultSession.setPermissionRequestHandler((_contents, permission, decide, { requestingUrl }) =>
    decide(mayHave(permission, requestingUrl)),
  );
  defaultSession.setPermissionCheckHandler((_contents, permission, requestingOrigin) => mayHave(permission, requestingOrigin));
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
