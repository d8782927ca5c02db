/** Small files of the program's own as JSON: settings, lists. One that is not there or cannot be read counts as empty; a write is all or nothing. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { z } from 'zod';
import { inWords } from '../../store/problems.ts';
import { replaceInPlace } from '../../store/placing.ts';

export class JsonFile<Schema extends z.ZodType> {
  readonly #path: string;
  readonly #schema: Schema;
  readonly #empty: z.output<Schema>;

  constructor(path: string, schema: Schema, empty: z.output<Schema>) {
    this.#path = path;
    this.#schema = schema;
    this.#empty = empty;
  }

  read(): z.output<Schema> {
    try {
      const parsed = this.#schema.safeParse(JSON.parse(readFileSync(this.#path, 'utf8')));
      return parsed.success ? parsed.data : this.#empty;
    } catch {
      return this.#empty;
    }
  }

  /** @throws UserError where the disk does not do its part */
  write(value: z.output<Schema>): void {
    try {
      mkdirSync(dirname(this.#path), { recursive: true });
      replaceInPlace(this.#path, (draft) => writeFileSync(draft, `${JSON.stringify(value, undefined, 2)}\n`));
    } catch (error) {
      throw inWords(error, this.#path);
    }
  }
}
