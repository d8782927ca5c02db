/**
 * `npm test`: sets up, then types, lint, format, the small set of tests, the program as a whole and its package; ends with one line of counts.
 * With arguments, which go to Vitest, its tests alone.
 */
import { spawn } from 'node:child_process';
import { build } from './build.mjs';
import { testPackage } from './packageTest.mjs';
import { runPlaywright, windowPackages } from './playwright.mjs';
import { guarded, missingDebianPackages, root, setup } from './setup.mjs';
import { listSkipped, runVitest } from './vitest.mjs';

const strict = ['--fail-on-warnings', '--output', 'human'];

await guarded(async () => {
  const tools = setup({
    debian: {
      ...windowPackages,
      'dataset-fashion-mnist': 'a test reads it',
      'python3-numpy': 'tests let it read what is exported',
    },
  });
  const forBench = missingDebianPackages(['python3-torch', 'libopenblas0-pthread']);
  if (forBench.length > 0)
    console.log(`Only \`npm run bench\` and the test of model.py need more: apt-get install --no-install-recommends ${forBench.join(' ')}`);

  const filters = process.argv.slice(2);
  const tool = (/** @type {string} */ script, /** @type {string[]} */ ...words) => [`node_modules/${script}`, ...words];
  // Each keeps one core busy: lint, which takes as long as the others together, beside them.
  const checks = (
    await Promise.all([
      inTurn(tools, { lint: tool('eslint/bin/eslint.js', '.') }),
      inTurn(tools, {
        types: tool('typescript/bin/tsc', '-b', '--pretty', String(process.stdout.isTTY ?? false)),
        'types of the window': tool('svelte-check/bin/svelte-check', '--tsconfig', 'renderer/tsconfig.json', ...strict),
        format: tool('prettier/bin/prettier.cjs', '--check', '--log-level=warn', '.'),
      }),
    ])
  ).flat();
  heading('tests');
  /** @type {import('./vitest.mjs').Summary[]} */
  const summaries = [runVitest(tools, { filters })];
  if (filters.length === 0) {
    heading('the program as a whole');
    build(tools);
    summaries.push(runPlaywright(tools));
    heading('the package');
    summaries.push(await testPackage(tools));
  }
  const skipped = summaries.flatMap((summary) => summary.skipped);
  listSkipped(skipped);

  const sum = (/** @type {number[]} */ counts) => counts.reduce((a, b) => a + b, 0);
  const passed = sum([checks.filter((succeeded) => succeeded).length, ...summaries.map((summary) => summary.passed)]);
  const failed = sum([checks.filter((succeeded) => !succeeded).length, ...summaries.map((summary) => summary.failed)]);
  console.log(`\n${passed} passed, ${failed} failed, ${skipped.length} skipped`);
  if (failed > 0) process.exitCode = 1;
});

/**
 * @param {{ node: string, environment: NodeJS.ProcessEnv }} tools @param {Record<string, string[]>} commands by name
 * @returns {Promise<boolean[]>} which of them succeeded
 */
async function inTurn(tools, commands) {
  const succeeded = [];
  for (const [name, command] of Object.entries(commands)) succeeded.push(await check(name, tools, command));
  return succeeded;
}

/**
 * Runs a command and then shows what it said, so that two at a time do not talk across each other.
 * @param {string} name @param {{ node: string, environment: NodeJS.ProcessEnv }} tools @param {string[]} command
 * @returns {Promise<boolean>} whether it succeeded
 */
function check(name, { node, environment }, command) {
  console.log(`${name} …`);
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(node, command, { cwd: root, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => void (said += text));
    child.on('error', reject);
    child.on('close', (status) => {
      heading(name);
      process.stdout.write(said);
      console.log(`${name}: ${status === 0 ? 'passed' : 'FAILED'} in ${((performance.now() - began) / 1000).toFixed(1)} s`);
      resolve(status === 0);
    });
  });
}

/** @param {string} name */
function heading(name) {
  console.log(`\n── ${name} ──`);
}
