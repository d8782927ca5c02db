/** The processes of a comparison: ours and a rival's, each with the threads and the environment it is to have. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { keepsPages } from '../main/host/spawn.ts';
import { BenchFailure } from './failure.ts';
import { plainEnvironment, settingEnvironment, type Setting, type Threads } from './settings.ts';
import type { Command } from './side.ts';
import type { Rival, Suite } from './suites.ts';

const PYTHON = process.env.GATESCOPE_BENCH_PYTHON ?? '/usr/bin/python3';
export const OURS = join(import.meta.dirname, 'ours.ts');

/** PyTorch must be there, and must multiply with OpenBLAS: beside the reference BLAS anybody looks fast. */
export function checkTorch(): string {
  const install = 'install it with: apt-get install python3-torch libopenblas0-pthread (or name another Python in GATESCOPE_BENCH_PYTHON)';
  const ask =
    'import sys; sys.path.insert(0, sys.argv[1]); import common, torch; print(torch.__version__); print(common.blas()["library"])';
  let answer: string;
  try {
    answer = execFileSync(PYTHON, ['-B', '-c', ask, join(import.meta.dirname, 'rivals')], {
      encoding: 'utf8',
      stdio: 'pipe',
      env: plainEnvironment(),
    });
  } catch {
    throw new BenchFailure(`bench: PyTorch was not found by ${PYTHON}; ${install}`);
  }
  const [version, library] = answer.trim().split('\n');
  if (library !== 'openblas') throw new BenchFailure(`bench: PyTorch ${version} must use OpenBLAS, uses ${library}; ${install}`);
  return version;
}

/** One core for both sides with one thread; with two, the whole machine. */
function pinned(threads: Threads, command: Command): Command {
  if (threads === 2) return command;
  return { ...command, program: 'taskset', arguments: ['-c', '0', command.program, ...command.arguments] };
}

export function rivalCommand(
  suite: Suite,
  rival: Rival,
  exchange: string,
  threads: Threads,
  setting: Setting,
  extra: string[] = [],
): Command {
  const foreach = setting.foreach ? ['--foreach'] : [];
  const script = ['-B', join(import.meta.dirname, 'rivals', suite.script), '--suite', suite.name, '--exchange', exchange];
  const all = [...script, ...rival.arguments, ...foreach, ...extra];
  return pinned(threads, { name: rival.name, program: PYTHON, arguments: all, environment: settingEnvironment(setting) });
}

/** In the environment that the product gives its engines. */
export function ourCommand(suite: Suite, exchange: string, threads: Threads): Command {
  const all = [OURS, '--suite', suite.name, '--exchange', exchange, '--threads', String(threads)];
  return pinned(threads, {
    name: 'ours',
    program: process.execPath,
    arguments: all,
    environment: { ...plainEnvironment(), ...keepsPages },
  });
}
