/** The built window as files of a web server, and the headers that keep it to itself. */
import { createReadStream, realpathSync, statSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join, sep } from 'node:path';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
};

/** Of every answer. @param host as the request calls it */
export function safetyHeaders(host: string): Record<string, string> {
  const policy = [
    `default-src 'none'`,
    `script-src 'self'`,
    `style-src 'self'`,
    `img-src 'self' data: blob:`,
    `font-src 'self'`,
    `connect-src 'self' ws://${host}`,
    `base-uri 'none'`,
    `form-action 'none'`,
    `frame-ancestors 'none'`,
  ];
  return {
    'Content-Security-Policy': policy.join('; '),
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Cross-Origin-Opener-Policy': 'same-origin',
  };
}

export interface PageFile {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
}

/** The file that an address means; undefined if there is none that can be had, or it lies outside the folder. */
export function fileOf(folder: string, pathname: string): PageFile | undefined {
  let path: string;
  try {
    path = decodeURIComponent(pathname);
  } catch {
    return undefined;
  }
  if (path.includes('\0') || path.includes('\\')) return undefined;
  const wanted = join(folder, path === '/' ? 'index.html' : path);
  try {
    const [root, file] = [realpathSync(folder), realpathSync(wanted)];
    const found = statSync(file);
    return file.startsWith(root + sep) && found.isFile() && Object.hasOwn(types, extname(file))
      ? { path: file, size: found.size }
      : undefined;
  } catch {
    return undefined; // not there, or no longer: a page may be built while it is served
  }
}

export function sendFile(request: IncomingMessage, response: ServerResponse, { path, size }: PageFile): void {
  // Names of built files have a digest of their content in them, but for the page itself.
  const isPage = extname(path) === '.html';
  response.writeHead(200, {
    'Content-Type': types[extname(path)],
    'Content-Length': size,
    'Cache-Control': isPage ? 'no-store' : 'no-cache',
  });
  if (request.method === 'HEAD') return void response.end();
  createReadStream(path)
    .on('error', () => response.destroy())
    .pipe(response);
}
