/** Tests of the whole program: in Electron, and as a page that `gatescope serve` gives to a browser. Run by scripts/playwright.mjs. */
import { defineConfig } from '@playwright/test';
import type { LabOptions } from './e2e/fixtures/lab.ts';

export default defineConfig<LabOptions>({
  testDir: 'e2e',
  outputDir: 'test-results',
  // Much of an errand is waiting: two at a time keep two cores busy.
  workers: 2,
  fullyParallel: true,
  forbidOnly: true,
  // Against hanging only: no test may pass or fail by its time.
  timeout: 240_000,
  expect: { timeout: 60_000 },
  use: {
    viewport: null,
    // Of Debian: its own would have to be downloaded.
    launchOptions: { executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-quic'] },
    screenshot: 'only-on-failure',
  },
  projects: [
    { name: 'desktop', use: { where: 'desktop' }, testIgnore: 'served/**' },
    // What can be done in both is tested in both.
    { name: 'served', use: { where: 'served', viewport: { width: 1440, height: 900 } }, testMatch: ['errands/**', 'served/**'] },
  ],
});
