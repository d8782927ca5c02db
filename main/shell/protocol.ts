/** Serves the page's files under `app://gatescope/`, each with the content security policy; there is nothing else behind that scheme. */
import { net, protocol } from 'electron';
import { pathToFileURL } from 'node:url';
import { fileOf } from './addresses.ts';

export const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "object-src 'none'",
].join('; ');

/** Gives the page an origin, as if it came from a server. Before Electron is ready. */
export function registerPageScheme(): void {
  const privileges = { standard: true, secure: true, supportFetchAPI: true, stream: true };
  protocol.registerSchemesAsPrivileged([{ scheme: 'app', privileges }]);
}

/** @param root folder of the built page */
export function servePage(root: string): void {
  protocol.handle('app', async ({ url, method }) => {
    const file = fileOf(root, url);
    const found = file !== undefined && (method === 'GET' || method === 'HEAD') ? await read(file) : undefined;
    const headers = new Headers(found?.headers);
    headers.set('content-security-policy', contentSecurityPolicy);
    headers.set('x-content-type-options', 'nosniff');
    headers.set('referrer-policy', 'no-referrer');
    if (found) return new Response(found.body, { headers });
    headers.set('content-type', 'text/plain');
    return new Response('There is nothing at this address.', { status: 404, headers });
  });
}

async function read(file: string): Promise<Response | undefined> {
  try {
    const response = await net.fetch(pathToFileURL(file).href);
    return response.ok ? response : undefined;
  } catch {
    return undefined;
  }
}
