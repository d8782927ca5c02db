/** `npm run e2e`: sets up, builds, and runs the tests of the whole program; ends with one line of counts. Arguments go to Playwright. */
import { build } from './build.mjs';
import { runPlaywright, windowPackages } from './playwright.mjs';
import { guarded, setup } from './setup.mjs';
import { listSkipped } from './vitest.mjs';

await guarded(() => {
  const tools = setup({ debian: windowPackages });
  build(tools);
  const tests = runPlaywright(tools, { filters: process.argv.slice(2) });
  listSkipped(tests.skipped);
  console.log(`\n${tests.passed} passed, ${tests.failed} failed, ${tests.skipped.length} skipped`);
  if (tests.failed > 0) process.exitCode = 1;
});
