/** Where a run keeps what it has finished, so that the same command takes it up: a folder that stands for everything its results depend on. */
import { readdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { requestKey } from '../host/jobStore.ts';

/** Raised whenever a protocol's jobs mean something else, so that what an older version left is not taken up. */
const STATE_VERSION = 1;

/** The user's folder for state (XDG Base Directory Specification: an empty or relative setting counts as none). */
export function defaultState({ XDG_STATE_HOME: given }: NodeJS.ProcessEnv = process.env): string {
  return join(given?.startsWith('/') ? given : join(homedir(), '.local', 'state'), 'gatescope', 'runs');
}

/** @param options as the protocol's `parse` gives them; @param data the folder the run reads, if not the bundled one */
export function stateFolder(state: string, protocol: string, options: unknown, data?: string): string {
  const key = requestKey({
    kind: `${protocol} ${STATE_VERSION}`,
    parameters: { options, data: data === undefined ? [] : dataFiles(data) },
  });
  return join(resolve(state), key.slice(0, 24));
}

/** Names, sizes and times of the data files: other data under the same name are another run. Whether they are any good is for the reader. */
function dataFiles(folder: string): unknown[] {
  try {
    return readdirSync(folder)
      .filter((name) => /-idx[13]-ubyte(\.gz)?$/.test(name))
      .sort()
      .map((name) => {
        const { size, mtimeMs } = statSync(join(folder, name));
        return [name, size, mtimeMs];
      });
  } catch {
    return [];
  }
}
