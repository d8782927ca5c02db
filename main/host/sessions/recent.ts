/** The sessions that were opened here, newest first, as a small file in the user's data. */
import { join } from 'node:path';
import { z } from 'zod';
import { JsonFile } from '../files/jsonFile.ts';

/** More than anybody looks through. */
const MOST = 200;

const entry = z.object({ path: z.string(), opened: z.string() });

export type RecentSession = z.output<typeof entry>;

export class RecentSessions {
  readonly #file: JsonFile<z.ZodArray<typeof entry>>;

  constructor(userData: string) {
    this.#file = new JsonFile(join(userData, 'sessions.json'), z.array(entry), []);
  }

  list(): readonly RecentSession[] {
    return this.#file.read();
  }

  /** It has just been opened. @param opened ISO time */
  add(path: string, opened: string): void {
    this.#file.write([{ path, opened }, ...this.#without(path)].slice(0, MOST));
  }

  remove(path: string): void {
    const left = this.#without(path);
    if (left.length < this.list().length) this.#file.write(left);
  }

  #without(path: string): RecentSession[] {
    return this.list().filter((one) => one.path !== path);
  }
}
