/** The `gatescope` command as a person has it: a process of its own, with a state folder of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const entry = fileURLToPath(new URL('../gatescope.ts', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  /** Without progress, which comes after five seconds of patience. */
  readonly stderr: string;
}

export function complaints(stderr: string): string {
  return stderr.replace(/^[█░].*\n/gm, '');
}

/** @param group gives it a process group of its own, as a terminal does @returns the running process and its end */
export function start(args: readonly string[], { group = false } = {}) {
  const child = spawn(process.execPath, [entry, ...args], { stdio: ['ignore', 'pipe', 'pipe'], detached: group });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) child[name].setEncoding('utf8').on('data', (text: string) => (said[name] += text));
  const ended = once(child, 'close').then((end): Ended => {
    const [code, signal] = end as [number | null, NodeJS.Signals | null];
    return { code, signal, stdout: said.stdout, stderr: complaints(said.stderr) };
  });
  return { pid: child.pid!, child, ended, kill: (signal: NodeJS.Signals) => void process.kill(child.pid!, signal) };
}

export const command = (...args: string[]): Promise<Ended> => start(args).ended;

/** Processes that a living one has started. Linux only. */
export function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((candidate) => stat(candidate)?.[1] === String(pid));
}

/** A dead process stays in the table until somebody has waited for it. */
export function isRunning(pid: number): boolean {
  const state = stat(pid)?.[0];
  return state !== undefined && !'ZX'.includes(state);
}

/** From its state on: the name before it, in parentheses, may hold blanks. */
function stat(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}
