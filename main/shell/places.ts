/** Where things are: the built files, the demonstration, and what the host is told about this user's folders. */
import { app } from 'electron';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { HostSettings } from '../host/parent.ts';

/** Folder of all builds: this file is in out/main when it runs. */
const out = join(__dirname, '..');

/**
 * What runs in processes of its own lies beside the archive and is read from there: by a Node that knows no archives, and by threads, which
 * Electron does not teach about them.
 */
const plain = (...parts: readonly string[]): string => join(out, ...parts).replace(/app\.asar(?=[\\/])/, 'app.asar.unpacked');

export const builds = {
  page: join(out, 'renderer'),
  preload: join(out, 'preload', 'preload.cjs'),
  host: plain('host', 'host.cjs'),
  engine: plain('engine', 'engine.cjs'),
};

export const memoryFile = (): string => join(app.getPath('userData'), 'shell.json');

export function hostSettings(): Omit<HostSettings, 'transport'> {
  const demonstration = plain('demonstration', 'demonstration.gatescope');
  return {
    userData: app.getPath('userData'),
    sessionsFolder: join(app.getPath('documents'), 'Gatescope'),
    ...(existsSync(demonstration) && { demonstration }),
  };
}
