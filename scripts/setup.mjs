/**
 * Everything that has to be there before a command of this project can run: the npm packages, and for some tests Debian packages.
 * Needs Node 20 and its built-ins only, and is quick when nothing is to do. `node scripts/setup.mjs` sets up by hand.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const binaries = join(root, 'node_modules', '.bin');

/** A reason to stop that the reader can do something about: shown without a stack. */
export class SetupError extends Error {}

/** Runs the body and turns a {@link SetupError} into one line and exit code 1. @param {() => unknown} body */
export async function guarded(body) {
  try {
    await body();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(`gatescope: ${error.message}`);
    process.exitCode = 1;
  }
}

/**
 * Installs the npm packages when node_modules is not what package-lock.json says, then the Debian packages that were asked for.
 * @param {{ debian?: Record<string, string> }} [options] debian: package → what it is for
 * @returns the Node that runs TypeScript files, and an environment in which `node` is that one
 */
export function setup(options = {}) {
  if (!packagesAreInstalled()) installPackages();
  installDebianPackages(options.debian ?? {});
  const node = findNode();
  return { node, environment: withPath((folders) => [dirname(node), binaries, ...folders]) };
}

/** npm leaves a second lock file in node_modules when it has finished; the two must agree on every package this machine needs. */
function packagesAreInstalled() {
  const installed = readPackages(join(root, 'node_modules', '.package-lock.json'));
  const wanted = readPackages(join(root, 'package-lock.json'));
  if (!wanted) throw new SetupError('package-lock.json is missing or damaged: check the file out again');
  if (!installed) return false;
  const isRequired = (/** @type {Entry} */ entry) => !entry.optional;
  return (
    Object.entries(installed).every(([path, entry]) => wanted[path]?.version === entry.version) &&
    Object.entries(wanted).every(([path, entry]) => path === '' || !isRequired(entry) || installed[path] !== undefined)
  );
}

/**
 * @typedef {{ version?: string, optional?: boolean }} Entry
 * @param {string} file
 * @returns {Record<string, Entry> | undefined}
 */
function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

function installPackages() {
  console.log('Installing the npm packages of package-lock.json (npm ci, about half a minute) …');
  // npm must not run on the Node below node_modules, which it is about to replace.
  const env = withPath((folders) => folders.filter((folder) => folder !== binaries));
  const cli = process.env.npm_execpath;
  const result = cli?.endsWith('npm-cli.js')
    ? spawnSync(process.env.npm_node_execpath ?? process.execPath, [cli, 'ci'], { cwd: root, env, stdio: 'inherit' })
    : spawnSync('npm', ['ci'], { cwd: root, env, stdio: 'inherit', shell: process.platform === 'win32' });
  if (result.error) throw new SetupError(`npm could not be started (${result.error.message}): install npm, which comes with Node.js`);
  if (result.status !== 0) throw new SetupError(`npm ci failed (${outcome(result)}): see its message above`);
}

/** Type stripping without a flag came with 22.18. On Linux x64 a package brings Node 24; elsewhere the reader's own Node must do. */
function findNode() {
  const brought = join(binaries, 'node');
  if (existsSync(brought) && spawnSync(brought, ['--version']).status === 0) return brought;
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 22 || (major === 22 && minor >= 18)) return process.execPath;
  throw new SetupError(
    `Node must be 22.18 or later on ${process.platform}-${process.arch}, got ${process.versions.node}: install Node 24 from https://nodejs.org`,
  );
}

/** @param {(folders: string[]) => string[]} change */
function withPath(change) {
  const name = Object.keys(process.env).find((key) => key.toUpperCase() === 'PATH') ?? 'PATH';
  return { ...process.env, [name]: change((process.env[name] ?? '').split(delimiter)).join(delimiter) };
}

/** What is missing is installed where that is possible, and said where it is not: nothing here stops the command. @param {Record<string, string>} reasons */
function installDebianPackages(reasons) {
  const missing = missingDebianPackages(Object.keys(reasons));
  if (missing.length === 0) return;
  const why = missing.map((name) => `${name} (${reasons[name]})`).join(', ');
  const line = `apt-get install --no-install-recommends ${missing.join(' ')}`;
  const skip = (/** @type {string} */ reason) => console.log(`Going on without ${why}: ${reason}. To have it: ${line}`);
  if (process.env.GATESCOPE_NO_APT) return skip('GATESCOPE_NO_APT is set');
  if (process.getuid?.() !== 0) return skip('only root may install Debian packages');
  console.log(`Installing Debian packages: ${why} …`);
  if (!hasPackageLists()) apt(['update']);
  // Downloading may be cut off at any moment; unpacking may not, so only the first has a time limit.
  const download = () => apt(['install', '--download-only', '--no-install-recommends', '--yes', ...missing]);
  let step = download();
  if (step.status !== 0) {
    apt(['update']);
    step = download();
  }
  if (step.status === 0) step = apt(['install', '--no-install-recommends', '--yes', ...missing], { timeout: 0 });
  if (step.status !== 0) skip(`apt-get failed (${lastLine(step.stderr) || outcome(step)})`);
}

/** The packages of the list that are not installed; none on a system that is not Debian's kind. @param {string[]} names */
export function missingDebianPackages(names) {
  if (process.platform !== 'linux' || !existsSync('/etc/debian_version')) return [];
  return names.filter((name) => {
    const { stdout } = spawnSync('dpkg-query', ['--show', '--showformat=${db:Status-Status}', name], { encoding: 'utf8' });
    return stdout !== 'installed';
  });
}

function hasPackageLists() {
  try {
    return readdirSync('/var/lib/apt/lists').some((name) => name.includes('_Packages'));
  } catch {
    return false;
  }
}

/** @param {string[]} command @param {{ timeout?: number }} [limits] */
function apt(command, { timeout = 240_000 } = {}) {
  const patience = ['-o', 'Acquire::Retries=1', '-o', 'Acquire::http::Timeout=20', '-o', 'DPkg::Lock::Timeout=60'];
  return spawnSync('apt-get', ['-qq', ...patience, ...command], {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    timeout,
  });
}

/** @param {string | null} text */
function lastLine(text) {
  return text?.trim().split('\n').at(-1) ?? '';
}

/** @param {{ error?: Error | undefined, signal: string | null, status: number | null }} result */
function outcome(result) {
  return result.error?.message ?? (result.signal ? `stopped by ${result.signal}` : `exit code ${result.status}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await guarded(() => setup());
