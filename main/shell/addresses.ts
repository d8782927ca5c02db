/** Which addresses are ours, which may be loaded, and which file each stands for. Decided here and obeyed by security.ts and protocol.ts. */
import { isAbsolute, join, relative } from 'node:path';

export const pageOrigin = 'app://gatescope';

/** Nothing of ours is on a network: a page has its own files, what it makes itself, and the developer's tools. */
const ownSchemes = ['devtools:', 'data:', 'blob:'];

/** `URL.origin` is `null` for schemes of one's own. */
export function originOf(address: string): string {
  try {
    const { protocol, host } = new URL(address);
    return `${protocol}//${host}`;
  } catch {
    return '';
  }
}

/** @param origin the page's: {@link pageOrigin}, or a development server's, which announces changes over a socket at the same host */
export function mayLoad(address: string, origin: string): boolean {
  const from = originOf(address);
  return from === origin || from === origin.replace(/^http:/, 'ws:') || ownSchemes.some((scheme) => address.startsWith(scheme));
}

/** The file below the root that an address stands for; undefined for one that leads out of it. */
export function fileOf(root: string, address: string): string | undefined {
  if (originOf(address) !== pageOrigin) return undefined;
  let name: string;
  try {
    name = decodeURIComponent(new URL(address).pathname);
  } catch {
    return undefined;
  }
  const file = join(root, name === '/' ? 'index.html' : name);
  const below = relative(root, file);
  return below === '' || below.startsWith('..') || isAbsolute(below) || name.includes('\0') ? undefined : file;
}
