/**
 * What the shell itself remembers from one start to the next: where the window stood, the last folder, the theme to paint first. A small
 * JSON file in the user's data; one that cannot be read is as good as none. Everything else is the host's to keep.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Theme } from './desktop.ts';
import type { WindowPlace } from './windowPlace.ts';

export interface Memory {
  readonly window?: WindowPlace;
  readonly folder?: string;
  readonly theme?: Theme;
}

export class Remembered {
  readonly #file: string;
  #memory: Memory;

  constructor(file: string) {
    this.#file = file;
    this.#memory = read(file);
  }

  get memory(): Memory {
    return this.#memory;
  }

  /** A disk that is full or read-only costs the memory, not the program. */
  set(change: Memory): void {
    this.#memory = { ...this.#memory, ...change };
    try {
      mkdirSync(dirname(this.#file), { recursive: true });
      const whole = `${this.#file}.new`;
      writeFileSync(whole, `${JSON.stringify(this.#memory, undefined, 2)}\n`);
      renameSync(whole, this.#file);
    } catch (error) {
      console.error(`gatescope: ${this.#file} could not be written: ${(error as Error).message}`);
    }
  }
}

function read(file: string): Memory {
  try {
    const found: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof found !== 'object' || found === null) return {};
    const { window, folder, theme } = found as Record<string, unknown>;
    return {
      ...(isPlace(window) && { window }),
      ...(typeof folder === 'string' && { folder }),
      ...((theme === 'light' || theme === 'dark' || theme === 'system') && { theme }),
    };
  } catch {
    return {};
  }
}

function isPlace(value: unknown): value is WindowPlace {
  const { x, y, width, height, maximised } = (value ?? {}) as Record<keyof WindowPlace, unknown>;
  return [x, y, width, height].every(Number.isInteger) && typeof maximised === 'boolean';
}
