/** `npm test`: sets up, then types, lint, format and the small set of tests; ends with one line of counts. Arguments go to Vitest. */
import { spawnSync } from 'node:child_process';
import { guarded, missingDebianPackages, root, setup } from './setup.mjs';
import { listSkipped, runVitest } from './vitest.mjs';

await guarded(() => {
  const tools = setup({
    debian: {
      chromium: 'its SwiftShader driver lets the WebGPU tests run without a GPU',
      'dataset-fashion-mnist': 'a test reads it',
      'python3-numpy': 'tests let it read what is exported',
    },
  });
  const forBench = missingDebianPackages(['python3-torch', 'libopenblas0-pthread']);
  if (forBench.length > 0)
    console.log(`Only \`npm run bench\` and the test of model.py need more: apt-get install --no-install-recommends ${forBench.join(' ')}`);

  const checks = [
    check('types', tools, ['node_modules/typescript/bin/tsc', '-b', '--pretty', String(process.stdout.isTTY ?? false)]),
    check('lint', tools, ['node_modules/eslint/bin/eslint.js', '.']),
    check('format', tools, ['node_modules/prettier/bin/prettier.cjs', '--check', '--log-level=warn', '.']),
  ];
  heading('tests');
  const tests = runVitest(tools, { filters: process.argv.slice(2) });
  listSkipped(tests);

  const passed = checks.filter((succeeded) => succeeded).length + tests.passed;
  const failed = checks.filter((succeeded) => !succeeded).length + tests.failed;
  console.log(`\n${passed} passed, ${failed} failed, ${tests.skipped.length} skipped`);
  if (failed > 0) process.exitCode = 1;
});

/** @param {string} name @param {{ node: string, environment: NodeJS.ProcessEnv }} tools @param {string[]} command */
function check(name, { node, environment }, command) {
  heading(name);
  const began = performance.now();
  const { status } = spawnSync(node, command, { cwd: root, env: environment, stdio: 'inherit' });
  console.log(`${name}: ${status === 0 ? 'passed' : 'FAILED'} in ${((performance.now() - began) / 1000).toFixed(1)} s`);
  return status === 0;
}

/** @param {string} name */
function heading(name) {
  console.log(`\n── ${name} ──`);
}
