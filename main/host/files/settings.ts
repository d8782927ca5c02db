/** A person's settings, as a small file in their data. */
import { join } from 'node:path';
import { z } from 'zod';
import { plain } from '../api/method.ts';
import type { Settings } from '../hostApi.ts';
import { JsonFile } from './jsonFile.ts';

const themes = z.enum(['system', 'light', 'dark'], 'must be "system", "light" or "dark"');
const diverging = z.enum(['red-blue', 'purple-green'], 'must be "red-blue" or "purple-green"');
const flag = z.boolean('must be true or false');

/** What may be changed; each field by itself. */
export const settingsChange = z.strictObject(
  {
    theme: themes.exactOptional(),
    diverging: diverging.exactOptional(),
    flip: flag.exactOptional(),
    toured: flag.exactOptional(),
    window: z.record(z.string(), plain, 'must be an object').exactOptional(),
  },
  'must be an object',
);

const whole = z.object({
  theme: themes.default('system'),
  diverging: diverging.default('red-blue'),
  flip: flag.default(false),
  toured: flag.default(false),
  window: z.record(z.string(), z.unknown()).default({}),
});

export class SettingsFile {
  readonly #file: JsonFile<typeof whole>;

  constructor(userData: string) {
    this.#file = new JsonFile(join(userData, 'settings.json'), whole, whole.parse({}));
  }

  read(): Settings {
    return this.#file.read();
  }

  /** Of what belongs to the window, what is not named stays as it was. */
  change(changes: z.output<typeof settingsChange>): Settings {
    const before = this.#file.read();
    const after = { ...before, ...changes, window: { ...before.window, ...changes.window } };
    this.#file.write(after);
    return after;
  }
}
