/** Which version of this program it is that writes. */
import { readFileSync } from 'node:fs';

/** That of the package: `0.1.0`. */
export const applicationVersion: string = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
).version;
