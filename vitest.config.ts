import { svelte } from '@sveltejs/vite-plugin-svelte';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';

/** The small set leaves out `*.full.test.ts`; with GATESCOPE_FULL set, those are all that runs. */
const full = Boolean(process.env.GATESCOPE_FULL);
const layers = '{engine,main,bench,scripts,fixtures}';
const chromium = process.env.GATESCOPE_CHROMIUM ?? '/usr/bin/chromium';

export default defineConfig({
  test: {
    passWithNoTests: full,
    maxWorkers: 3,
    projects: [
      {
        test: {
          name: 'node',
          include: [full ? `${layers}/**/*.full.test.ts` : `${layers}/**/*.test.ts`],
          exclude: ['**/node_modules/**', '**/.types/**', ...(full ? [] : ['**/*.full.test.ts'])],
          environment: 'node',
          pool: 'forks',
          // Against hanging only: no test may pass or fail by its time.
          testTimeout: full ? 3_600_000 : 240_000,
          hookTimeout: full ? 3_600_000 : 240_000,
        },
      },
      {
        // Views are tested where they run: in a real browser, with layout.
        plugins: [svelte({ configFile: false, compilerOptions: { runes: true } })],
        // Known from the start: one that is found on the way makes the page load again, in the middle of tests.
        optimizeDeps: { include: ['axe-core', 'birpc', 'd3', 'fast-check', 'msgpackr', 'svelte/reactivity'] },
        test: {
          name: 'renderer',
          include: full ? [] : ['renderer/**/*.test.ts'],
          // Against hanging only, as above: what a test waits for comes when it comes.
          testTimeout: 120_000,
          expect: { poll: { timeout: 60_000 } },
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            viewport: { width: 1440, height: 900 },
            provider: playwright({ launchOptions: { executablePath: chromium, args: ['--no-sandbox', '--disable-quic'] } }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
    ],
  },
});
