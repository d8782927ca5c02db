/**
 * Builds the unpacked Linux package with whichever Electron this machine has, and tries it from outside, as hardened as users get it:
 * `node scripts/packageTest.mjs`, or with `--built` of what is in out/ as it is. Prints a line for each check.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';
import { electronRuntime } from './electronRuntime.mjs';
import { virtualScreen, windowPackages } from './playwright.mjs';
import { guarded, root, setup, SetupError } from './setup.mjs';

const output = join(root, 'out', 'package-test');

/**
 * @param {{ node: string, environment: NodeJS.ProcessEnv }} tools with everything built
 * @returns {Promise<import('./vitest.mjs').Summary>}
 */
export async function testPackage({ node, environment }) {
  if (process.platform !== 'linux') return { passed: 0, failed: 0, skipped: [{ test: 'package', reason: 'it is tried on Linux only' }] };
  const runtime = electronRuntime({ node, log: console.log });
  const checks = new Checks();
  const began = performance.now();
  await pack(node, environment, runtime);
  const folder = join(output, 'linux-unpacked');
  const program = join(folder, 'gatescope');
  checks.say('the package is built', existsSync(program), `${seconds(began)}, ${megabytes(folder)}, Electron ${runtime.version}`);
  await checkFuses(program, wantedFuses(runtime.version), checks);
  await checkRun(program, { ...environment, HOST_NODE: node }, checks);
  return { passed: checks.passed, failed: checks.failed, skipped: [] };
}

class Checks {
  passed = 0;
  failed = 0;

  /** @param {string} what @param {boolean} holds @param {string} [detail] */
  say(what, holds, detail = '') {
    if (holds) this.passed++;
    else this.failed++;
    console.log(`${holds ? 'passed' : 'FAILED'}  ${what}${detail && `: ${detail}`}`);
  }
}

/** @param {string} version */
function wantedFuses(version) {
  const text = readFileSync(join(root, 'electron-builder.yml'), 'utf8');
  const block = /^electronFuses:\n((?: {2}\w+: \w+\n)+)/m.exec(text)?.[1] ?? '';
  const fuses = Object.fromEntries([...block.matchAll(/(\w+): (\w+)/g)].map(([, name, value]) => [name, value === 'true']));
  // This fuse is younger than the Electron of the tests.
  if (Number(version.split('.')[0]) < 29) delete fuses.grantFileProtocolExtraPrivileges;
  return fuses;
}

/** @param {string} node @param {NodeJS.ProcessEnv} env @param {import('./electronRuntime.mjs').Runtime} runtime */
async function pack(node, env, runtime) {
  const folder = mkdtempSync(join(tmpdir(), 'gatescope-package-'));
  try {
    const config = join(folder, 'config.json');
    const { load } = await import('js-yaml');
    const written = /** @type {Record<string, any>} */ (load(readFileSync(join(root, 'electron-builder.yml'), 'utf8')));
    const changed = { ...written, directories: { output }, electronFuses: wantedFuses(runtime.version), publish: null };
    if (runtime.source !== 'download') Object.assign(changed, { electronDist: runtime.dist, electronVersion: runtime.version });
    writeFileSync(config, JSON.stringify(changed));
    await rm(output, { recursive: true, force: true });
    const command = ['node_modules/electron-builder/cli.js', '--linux', 'dir', '--publish', 'never', '--config', config];
    const { status, stdout, stderr } = spawnSync(node, command, { cwd: root, env, encoding: 'utf8' });
    if (status !== 0) throw new SetupError(`electron-builder failed (exit code ${status}):\n${stdout}${stderr}`);
    // It belongs to the runtime of the tests; the fuse would not let it be loaded, but it is not to be there.
    await rm(join(output, 'linux-unpacked', 'resources', 'default_app.asar'), { force: true });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {string} program @param {Record<string, boolean>} wanted @param {Checks} checks */
async function checkFuses(program, wanted, checks) {
  const { FuseState, FuseV1Options, getCurrentFuseWire } = await import('@electron/fuses');
  const wire = /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (await getCurrentFuseWire(program)));
  for (const [name, on] of Object.entries(wanted)) {
    const option = name[0].toUpperCase() + name.slice(1);
    const state = wire[/** @type {Record<string, number>} */ (/** @type {unknown} */ (FuseV1Options))[option]];
    checks.say(
      `fuse ${name} is ${on ? 'on' : 'off'}`,
      state === (on ? FuseState.ENABLE : FuseState.DISABLE),
      state === undefined ? 'there is none' : '',
    );
  }
}

/** @param {string} program @param {NodeJS.ProcessEnv} env @param {Checks} checks */
async function checkRun(program, env, checks) {
  const { chromium } = await import('playwright');
  const home = mkdtempSync(join(tmpdir(), 'gatescope-home-'));
  const screen = env.DISPLAY ? [] : virtualScreen(env);
  // Without a GPU, as everywhere in these tests (e2e/fixtures/desktop.ts says why).
  const flags = ['--no-sandbox', '--disable-gpu', '--remote-debugging-port=0', '--inspect=0', `--user-data-dir=${join(home, 'data')}`];
  const words = [...screen, program, ...flags];
  const began = performance.now();
  const child = spawn(words[0], words.slice(1), { env: { ...env, HOME: home }, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  let said = '';
  try {
    const address = await new Promise((resolve, reject) => {
      /** @param {Buffer} chunk */
      const listen = (chunk) => {
        said += String(chunk);
        const found = /DevTools listening on (ws:\S+)/.exec(said)?.[1];
        if (found) resolve(found);
      };
      child.stdout.on('data', listen);
      child.stderr.on('data', listen);
      void ended.then((code) => reject(new Error(`it ended with exit code ${code}:\n${said}`)));
    });
    const browser = await chromium.connectOverCDP(address, { noDefaults: true });
    const page = browser.contexts()[0].pages()[0] ?? (await browser.contexts()[0].waitForEvent('page'));
    await page.waitForLoadState();
    checks.say('the window appears', page.url() === 'app://gatescope/', seconds(began));
    checks.say('--inspect opens nothing', !/Debugger listening/.test(said));

    const about = await callHost(page, 'about', {});
    checks.say('the host answers', about.result?.served === false, JSON.stringify(about.result ?? about.failure));
    const made = await callHost(page, 'createSession', { name: 'Packaged' });
    const path = made.result?.path;
    checks.say('a session can be made', typeof path === 'string' && existsSync(path), path ?? JSON.stringify(made.failure));
    const devices = await callHost(page, 'checkDevices', {});
    const reference = devices.result?.find?.((/** @type {{ id: string }} */ one) => one.id === 'cpu');
    checks.say('an engine computes', reference?.state === 'reference', reference ? reference.state : JSON.stringify(devices.failure));

    await page.evaluate('window.close()').catch(() => undefined);
    checks.say('it ends with its window', (await ended) === 0);
    if (typeof path === 'string') checks.say('the session file is whole', !existsSync(`${path}-wal`), `${statSync(path).size} bytes`);
  } catch (error) {
    checks.say('the program runs', false, /** @type {Error} */ (error).stack);
    console.log(said);
  } finally {
    // By its process group: the screen goes with it.
    if (child.exitCode === null && child.pid) process.kill(-child.pid, 'SIGTERM');
    rmSync(home, { recursive: true, force: true });
  }
}

/**
 * Speaks to the host as e2e/probes/rawHost.ts does, since nothing can be loaded into the page.
 * @param {import('playwright').Page} page @param {string} method @param {object} given
 * @returns {Promise<{ result?: any, failure?: unknown }>}
 */
async function callHost(page, method, given) {
  if (!page.url().endsWith('/icon.svg')) {
    // A page of ours in which nothing runs.
    await page.goto('app://gatescope/icon.svg');
    await page.evaluate(`
      window.port = new Promise((resolve) => addEventListener('message', ({ data, ports }) => data === 'host:port' && resolve(ports[0])));
      desktop.connect();`);
  }
  return page.evaluate(`port.then((port) => new Promise((resolve) => {
    const id = crypto.randomUUID();
    port.onmessage = ({ data }) => data.t === 's' && data.i === id && resolve(data.r);
    port.postMessage({ t: 'q', i: id, m: 'call', a: [1, ${JSON.stringify(method)}, ${JSON.stringify(given)}] });
  }))`);
}

/** @param {number} began */
function seconds(began) {
  return `${((performance.now() - began) / 1000).toFixed(1)} s`;
}

/** @param {string} folder */
function megabytes(folder) {
  const { stdout } = spawnSync('du', ['-sm', folder], { encoding: 'utf8' });
  return `${Number.parseInt(stdout)} MB`;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  await guarded(async () => {
    const tools = setup({ debian: windowPackages });
    if (!process.argv.includes('--built')) build(tools);
    const { passed, failed } = await testPackage(tools);
    console.log(`\n${passed} passed, ${failed} failed, 0 skipped`);
    if (failed > 0) process.exitCode = 1;
  });
