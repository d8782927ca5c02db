/** Runs a command of ours on the Node that set-up found, as if it were this process: signals, exit code, working folder. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { guarded, root, setup, SetupError } from './setup.mjs';

/** Closer together than this, two equal signals are one key press: the terminal and npm each deliver Ctrl-C to this process. */
const ONE_PRESS = 300;

/** Sets up where needed and runs the `gatescope` command. @param {string[]} words */
export async function gatescope(words) {
  await guarded(() => {
    const { node, environment } = setup();
    return runForwarding(node, [join(root, 'main/cli/gatescope.ts'), ...words], environment);
  });
}

/**
 * Runs a child in a process group of its own, so that a signal reaches it once, through here; ends with the child's exit code.
 * Windows has neither groups nor signals: there the console delivers Ctrl-C to the child, and this process only waits.
 * @param {string} node @param {string[]} command @param {NodeJS.ProcessEnv} env
 * @returns {Promise<void>}
 */
export function runForwarding(node, command, env) {
  const windows = process.platform === 'win32';
  const child = spawn(node, command, { env, stdio: 'inherit', detached: !windows });
  /** @type {Map<string, number>} */
  const lastSeen = new Map();
  /** @type {NodeJS.Signals[]} */
  const signals = windows ? ['SIGINT'] : ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGWINCH'];
  for (const signal of signals) {
    process.on(signal, () => {
      const before = lastSeen.get(signal) ?? -Infinity;
      lastSeen.set(signal, performance.now());
      if (!windows && performance.now() - before > ONE_PRESS) child.kill(signal);
    });
  }
  const stopWatching = process.env.npm_lifecycle_event === 'start' ? onParentGone(() => child.kill('SIGTERM')) : () => {};
  return new Promise((resolve, reject) => {
    child.on('error', (error) => reject(new SetupError(`${node} could not be started: ${error.message}`)));
    child.on('exit', (code, signal) => {
      stopWatching();
      process.exitCode = code ?? 128 + (signal ? constants.signals[signal] : 0);
      for (const name of signals) process.removeAllListeners(name);
      resolve();
    });
  });
}

/** npm hands SIGTERM to the shell between it and this process; the shell dies and tells nobody. @param {() => void} act */
function onParentGone(act) {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    act();
  }, 250);
  return () => clearInterval(timer);
}
