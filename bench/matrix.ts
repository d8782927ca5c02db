/**
 * `node bench/matrix.ts [TEXT…] [--json] [--threads 1|2] [--rounds N]`: what screens of heads cost along one axis at a time (matrix/points.ts), beside
 * one hooked forward a cell (A) and the causal suffix by hand (S), with the share of the time that our products alone would take.
 *
 * TEXT   only points whose name holds one of these: `heads:`, `everywhere`, `stories260K`
 * --json one line a point
 *
 * Where A would take too long it runs some cells, and `cellsOfA` says how many its time is taken from. The rate is that of one large product of ONNX
 * Runtime on as many threads, the best before, between and after the two comparisons. The arithmetic is the plan's, which counts unchanged runs as whole
 * forwards: the share is an upper bound, and on a machine that is busy meanwhile it means little.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { checkTorch, ourCommand, rivalCommand } from './commands.ts';
import { writeExchange } from './exchange.ts';
import { BenchFailure } from './failure.ts';
import { compare, type Measurement } from './harness.ts';
import { storedFor } from './matrix/models.ts';
import { cellsOf, cellsTimed, nameOf, points, suiteOf, type Point } from './matrix/points.ts';
import { productRate } from './matrix/productRate.ts';
import { candidates, rankSettings, type Setting, type Threads } from './settings.ts';
import type { Rival, Suite } from './suites.ts';
import { clearProgress, failingPlainly, integer, milliseconds, parseOrFail, printTable, progress } from './terminal.ts';

interface Line extends Point {
  threads: Threads;
  cells: number;
  cellsOfA: number;
  /** Beside S, as is the memory: it is the shorter comparison. */
  oursMs: number;
  aMs: number;
  sMs: number;
  /** Rival over ours, with its interval. */
  overA: Interval;
  overS: Interval;
  /** Multiplications and additions of our products, as the plan says, in units of 1e9 operations. */
  gigaOperations: number;
  /** 1e9 operations a second of one large product. */
  rate: number;
  /** Of our time, what these products would take at that rate. */
  share: number;
  peakMiB: { ours: number; a: number; s: number };
  /** What the plan says of bytes: effects, the largest run, unchanged values of one part. */
  bytes: unknown;
  rounds: number;
}

type Interval = [ratio: number, lo: number, hi: number];

function readArguments() {
  const options = { json: { type: 'boolean', default: false }, threads: { type: 'string' }, rounds: { type: 'string' } } as const;
  const { values, positionals } = parseOrFail(() => parseArgs({ options, allowPositionals: true }));
  const threads = integer('--threads', values.threads ?? '1', 1, 2) as Threads;
  if (threads > availableParallelism()) throw new BenchFailure('bench: --threads 2 needs two cores, got 1');
  const chosen = points().filter((point) => positionals.length === 0 || positionals.some((text) => nameOf(point).includes(text)));
  if (chosen.length === 0) throw new BenchFailure(`bench: points must hold one of the texts given, none holds ${positionals.join(', ')}`);
  return { json: values.json, threads, rounds: integer('--rounds', values.rounds ?? '3', 1, 1000), chosen };
}

async function main(): Promise<void> {
  const { json, threads, rounds, chosen } = readArguments();
  checkTorch();
  const folder = mkdtempSync(join(tmpdir(), 'gatescope-matrix-'));
  const lines: Line[] = [];
  try {
    for (const [number, point] of chosen.entries()) {
      progress(nameOf(point));
      try {
        const line = await measure(point, join(folder, String(number)), threads, rounds);
        clearProgress();
        if (typeof line === 'string') console.error(`${nameOf(point)}: ${line}`);
        else if (json) console.log(JSON.stringify(line));
        if (typeof line !== 'string') lines.push(line);
        else if (json) console.log(JSON.stringify({ ...point, absent: line }));
      } catch (error) {
        if (!(error instanceof BenchFailure)) throw error;
        clearProgress();
        console.error(`${nameOf(point)}: ${error.message}`);
        process.exitCode = 1;
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  if (!json && lines.length > 0) print(lines);
}

/** @returns a text where the model of the point is not there */
async function measure(point: Point, exchange: string, threads: Threads, rounds: number): Promise<Line | string> {
  const stored = await storedFor(point);
  if (typeof stored === 'string') return stored;
  const suite = suiteOf(point, stored?.config);
  writeExchange(exchange, suite, undefined, stored?.tensors);
  const [hooks, suffix] = suite.rivals;
  const rates = [productRate(threads)];
  const a = await against(suite, hooks, exchange, threads, rounds);
  rates.push(productRate(threads));
  const s = await against(suite, suffix, exchange, threads, rounds);
  rates.push(productRate(threads));
  const rate = Math.max(...rates);
  const { work, bytes } = s.ready.ours as unknown as { work: { planned: number }; bytes: unknown };
  const gigaOperations = (2 * work.planned) / 1e9;
  const interval = ({ ratio, lo, hi }: Measurement): Interval => [ratio, lo, hi];
  return {
    ...point,
    threads,
    cells: cellsOf(point),
    cellsOfA: cellsTimed(point),
    oursMs: s.oursMs,
    aMs: a.rivalMs,
    sMs: s.rivalMs,
    overA: interval(a),
    overS: interval(s),
    gigaOperations,
    rate,
    share: (gigaOperations / rate) * (1000 / s.oursMs),
    peakMiB: { ours: s.peakMiB.ours, a: a.peakMiB.rival, s: s.peakMiB.rival },
    bytes,
    rounds,
  };
}

async function against(suite: Suite, rival: Rival, exchange: string, threads: Threads, rounds: number): Promise<Measurement> {
  const commandOf = (setting: Setting, extra?: string[]) => rivalCommand(suite, rival, exchange, threads, setting, extra);
  const settings = candidates(suite, threads);
  const [best] = settings.length > 1 ? (await rankSettings(suite, rival, settings, commandOf)).map(({ setting }) => setting) : settings;
  return compare(suite, ourCommand(suite, exchange, threads), commandOf(best), rounds, progress);
}

function print(lines: Line[]): void {
  const head = ['point', 'ours ms', 'A ms', 'S ms', 'over A', 'over S', 'Gop', 'Gop/s of a product', 'share', 'peak MiB ours / A / S'];
  const ratio = ([value, lo, hi]: Interval) => `${value.toFixed(2)} [${lo.toFixed(2)}, ${hi.toFixed(2)}]`;
  const rows = lines.map((line) => [
    nameOf(line),
    milliseconds(line.oursMs),
    milliseconds(line.aMs) + (line.cellsOfA < line.cells ? ` (from ${line.cellsOfA} of ${line.cells} cells)` : ''),
    milliseconds(line.sMs),
    ratio(line.overA),
    ratio(line.overS),
    line.gigaOperations.toPrecision(3),
    line.rate.toFixed(0),
    `${(100 * line.share).toFixed(0)} %`,
    [line.peakMiB.ours, line.peakMiB.a, line.peakMiB.s].map((peak) => peak.toFixed(0)).join(' / '),
  ]);
  printTable(head, rows);
}

await failingPlainly(main);
