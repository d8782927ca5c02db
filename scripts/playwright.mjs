/** Runs Playwright on a screen of its own and reads back exact counts, and the reason of every skipped test. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { tmpdir } from 'node:os';
import { electronRuntime } from './electronRuntime.mjs';
import { root, SetupError } from './setup.mjs';

/** Debian packages that Electron needs, and what for. */
export const electronPackages = {
  'libgtk-3-0': 'Electron draws its windows by it',
  libnss3: 'Electron needs it',
  libasound2: 'Electron needs it',
  libgbm1: 'Electron needs it',
};

/** And those that the tests of the window need besides. */
export const windowPackages = {
  ...electronPackages,
  chromium: 'pages are tested in it, and its SwiftShader driver lets the WebGPU tests run without a GPU',
  xvfb: 'a screen for windows where there is none',
  xauth: 'xvfb-run needs it',
};

/**
 * @param {{ node: string, environment: NodeJS.ProcessEnv }} tools
 * @param {{ filters?: string[] }} [options] filters: as of `playwright test`
 * @returns {import('./vitest.mjs').Summary}
 */
export function runPlaywright({ node, environment }, { filters = [] } = {}) {
  const runtime = electronRuntime({ node, log: console.log });
  console.log(`Electron ${runtime.version} (${runtime.source})`);
  const folder = mkdtempSync(join(tmpdir(), 'gatescope-e2e-'));
  try {
    const report = join(folder, 'report.json');
    const env = {
      ...environment,
      ELECTRON_OVERRIDE_DIST_PATH: runtime.dist,
      HOST_NODE: node,
      PLAYWRIGHT_JSON_OUTPUT_NAME: report,
    };
    const command = [node, 'node_modules/@playwright/test/cli.js', 'test', '--reporter=list,json', ...filters];
    const { status } = onScreen(command, env);
    return summaryOf(report, status);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Where nobody looks, the windows are on a screen that nobody sees. @param {string[]} command @param {NodeJS.ProcessEnv} env */
export function onScreen(command, env) {
  const words = process.platform === 'linux' && !env.DISPLAY ? [...virtualScreen(env), ...command] : command;
  return spawnSync(words[0], words.slice(1), { cwd: root, env, stdio: 'inherit' });
}

/** The words before a command that give it a screen, as large as the mockups and a margin. @param {NodeJS.ProcessEnv} env */
export function virtualScreen(env) {
  const found = (env.PATH ?? '').split(delimiter).some((path) => existsSync(join(path, 'xvfb-run')));
  if (!found) throw new SetupError('the tests of the window need a screen, or xvfb-run to make one: apt-get install xvfb xauth');
  return ['xvfb-run', '--auto-servernum', '--server-args=-screen 0 1600x1000x24'];
}

/** @param {string} report @param {number | null} status @returns {import('./vitest.mjs').Summary} */
function summaryOf(report, status) {
  if (!existsSync(report)) return { passed: 0, failed: 1, skipped: [] }; // it died
  /** @type {import('@playwright/test/reporter').JSONReport} */
  const { stats, suites, errors } = JSON.parse(readFileSync(report, 'utf8'));
  // One that succeeds when tried again has failed.
  let failed = stats.unexpected + stats.flaky + errors.length;
  if (status !== 0 && failed === 0) failed = 1;
  return { passed: stats.expected, failed, skipped: suites.flatMap((suite) => skippedIn(suite)) };
}

/** @param {import('@playwright/test/reporter').JSONReportSuite} suite @returns {{ test: string, reason: string }[]} */
function skippedIn(suite) {
  const own = suite.specs.flatMap((spec) =>
    spec.tests
      .filter(({ status }) => status === 'skipped')
      .map(({ annotations }) => ({
        test: `e2e/${spec.file} > ${spec.title}`,
        reason: annotations.find(({ type }) => type === 'skip' || type === 'fixme')?.description ?? 'no reason given',
      })),
  );
  return [...own, ...(suite.suites ?? []).flatMap((inner) => skippedIn(inner))];
}
