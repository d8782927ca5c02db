/** Real weights and published tables that some tests need: a folder `shared` beside the repository, or the one GATESCOPE_SHARED names. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestContext } from 'vitest';

const root = process.env.GATESCOPE_SHARED ?? fileURLToPath(new URL('../../../../shared', import.meta.url));

/** The path of what is at `path` in it, e.g. `models/stories260K`; a test that asks for what is not there is skipped, and says why. */
export function shared(context: TestContext, path: string): string {
  const found = join(root, path);
  context.skip(!existsSync(found), `needs ../shared/${path}`);
  return found;
}
