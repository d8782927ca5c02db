/**
 * What a brush event costs, by bench/brush.ts in runs of their own: over 100 000 units, which are as many points in each of two figures and a
 * million class × unit cells; and over 10 000 units, whose map has 100 000 cells.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { median } from '../statistics.ts';
import { quantileInterval, type Figure } from './figure.ts';

const MOST = 16;
const SIZES = ['50000,50000', '5000,5000'];

interface BrushLine {
  readonly units: number;
  readonly cells: number;
  readonly events: number;
  readonly medianMs: number;
  readonly p95Ms: number;
  readonly mostMs: number;
  /** Of the same, what the thread was really running: others may want the processor. */
  readonly ranMedianMs: number;
  readonly ranP95Ms: number;
}

async function run(units: string): Promise<BrushLine> {
  const command = [join(import.meta.dirname, '../brush.ts'), '--units', units, '--json'];
  // It ends with 1 where the aim is missed, which its line says as well.
  const { stdout } = await promisify(execFile)(process.execPath, command).catch((error: unknown) => {
    const { stdout: said } = error as { stdout?: string };
    if (said?.startsWith('{')) return { stdout: said };
    throw error;
  });
  return JSON.parse(stdout) as BrushLine;
}

export async function brush(rounds: number): Promise<Figure[]> {
  const lines: Record<string, BrushLine[]> = {};
  for (let round = 0; round < rounds; round++) for (const size of SIZES) (lines[size] ??= []).push(await run(size));
  return SIZES.map((size): Figure => {
    const found = lines[size];
    const p95 = found.map(({ p95Ms }) => p95Ms);
    const ran = found.map(({ ranP95Ms }) => ranP95Ms);
    const [ofBusy, ofRan] = [quantileInterval(p95, 0.5), quantileInterval(ran, 0.5)];
    const { events, units, cells } = found[0];
    return {
      name: `brush, ${units} units`,
      what: `${units} points in each of two figures, ${cells} cells: main thread of each of ${events} events, ${rounds} runs`,
      unit: 'ms',
      values: {
        runs: rounds,
        median: median(found.map(({ medianMs }) => medianMs)),
        p95: ofBusy.estimate,
        'p95.lo': ofBusy.lo,
        'p95.hi': ofBusy.hi,
        'ran.median': median(found.map(({ ranMedianMs }) => ranMedianMs)),
        'ran.p95': ofRan.estimate,
        'ran.p95.lo': ofRan.lo,
        'ran.p95.hi': ofRan.hi,
        worst: Math.max(...found.map(({ mostMs }) => mostMs)),
      },
      aim: { value: 'p95', most: MOST },
      raw: { p95, ran },
    };
  });
}
