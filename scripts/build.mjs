/** Builds the window, the shell, the host and the engine into out/, for those commands that need them built. `npm run build` by hand. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { guarded, root, setup, SetupError } from './setup.mjs';

/** What the build is made of. */
const sources = ['engine', 'main', 'renderer', 'fixtures/demonstration', 'vite.config.ts', 'package-lock.json'];
/** As old as the sources it was built from, so that a change during the build is seen. */
const stamp = join(root, 'out', '.built');

/** @param {{ node: string, environment: NodeJS.ProcessEnv }} tools */
export function build({ node, environment }) {
  const began = new Date();
  rmSync(stamp, { force: true });
  const command = ['node_modules/vite/bin/vite.js', 'build', '--app', '--logLevel', 'warn'];
  const { status } = spawnSync(node, command, { cwd: root, env: environment, stdio: 'inherit' });
  if (status !== 0) throw new SetupError(`vite build failed (exit code ${status}): see its message above`);
  mkdirSync(join(root, 'out', 'demonstration'), { recursive: true });
  copyFileSync(join(root, 'fixtures/demonstration/Dopamine on MNIST.gatescope'), join(root, 'out/demonstration/demonstration.gatescope'));
  writeFileSync(stamp, began.toISOString());
  console.log(`build: ${((Date.now() - began.getTime()) / 1000).toFixed(1)} s`);
}

/** Unless it is built already, from the sources as they are. @param {{ node: string, environment: NodeJS.ProcessEnv }} tools */
export function buildIfNeeded(tools) {
  if (existsSync(stamp) && newest(sources.map((name) => join(root, name))) < statSync(stamp).mtimeMs) return;
  console.log('Building the window …');
  build(tools);
}

/** Time of the newest file. @param {string[]} paths @returns {number} milliseconds */
function newest(paths) {
  let time = 0;
  for (const path of paths) {
    const status = statSync(path);
    const inside = status.isDirectory()
      ? newest(
          readdirSync(path)
            .filter((name) => name !== '.types')
            .map((name) => join(path, name)),
        )
      : 0;
    // A folder's own time tells of files that went.
    time = Math.max(time, status.mtimeMs, inside);
  }
  return time;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await guarded(() => build(setup()));
