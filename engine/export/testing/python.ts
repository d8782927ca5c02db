/** A Python with the packages that a test needs, if there is one. */
import { execFileSync } from 'node:child_process';

export interface Python {
  /** Runs a program. @returns what it printed */
  run(script: string, args?: readonly string[]): string;
}

/** Debian's own beside whichever comes first: packages of apt are only there. */
const CANDIDATES = ['python3', '/usr/bin/python3'];

/** @returns why there is none, as a text for a skipped test, if that is so */
export function pythonWith(...packages: readonly string[]): Python | string {
  let reason = '';
  for (const command of CANDIDATES) {
    const run = (script: string, args: readonly string[] = []) =>
      execFileSync(command, ['-c', script, ...args], { encoding: 'utf8', maxBuffer: 2 ** 28, stdio: ['ignore', 'pipe', 'pipe'] });
    try {
      run(`import ${packages.join(', ')}`);
      return { run };
    } catch (error) {
      reason = (error as Error).message.trim().split('\n').at(-1)!;
    }
  }
  return `no Python with ${packages.join(' and ')}: ${reason}`;
}
