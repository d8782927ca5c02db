import { defineConfig } from 'vitest/config';

/** The small set leaves out `*.full.test.ts`; with GATESCOPE_FULL set, those are all that runs. */
const full = Boolean(process.env.GATESCOPE_FULL);
const layers = '{engine,main,renderer,bench,scripts,fixtures}';

export default defineConfig({
  test: {
    include: [full ? `${layers}/**/*.full.test.ts` : `${layers}/**/*.test.ts`],
    exclude: ['**/node_modules/**', '**/.types/**', ...(full ? [] : ['**/*.full.test.ts'])],
    passWithNoTests: full,
    environment: 'node',
    pool: 'forks',
    maxWorkers: 2,
    // Against hanging only: no test may pass or fail by its time.
    testTimeout: full ? 3_600_000 : 240_000,
    hookTimeout: full ? 3_600_000 : 240_000,
  },
});
