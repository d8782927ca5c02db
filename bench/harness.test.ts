/** The harness against sides that are a few lines of Node: what it measures, and what it refuses to time. */
import { describe, expect, it } from 'vitest';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readExchange, writeExchange } from './exchange.ts';
import { compare } from './harness.ts';
import { candidates, settingEnvironment } from './settings.ts';
import type { Command } from './side.ts';
import { suites } from './suites.ts';

const suite = suites('/nowhere').find(({ name }) => name === 'toy-mlp')!;
const losses = Array.from({ length: 20 }, (_, step) => 2 - step / 100);

/** A side that says it took `seconds` for a round, whatever the clock says. */
function pretend(seconds: number, first: object = { ready: true, losses }): Command {
  const program = `
    console.log(${JSON.stringify(JSON.stringify(first))});
    require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
      if (JSON.parse(line).end) { console.log('{"peakMiB":12}'); process.exit(0); }
      console.log('{"seconds":${seconds},"last":1.5}');
    });`;
  return { name: `a side of ${seconds} s`, program: process.execPath, arguments: ['-e', program], environment: process.env };
}
const quiet = (): void => undefined;

describe('compare', () => {
  it('gives rival over ours, per unit of work', async () => {
    const measured = await compare(suite, pretend(0.3), pretend(0.6), 3, quiet);
    expect(measured).toMatchObject({ ratio: 2, lo: 2, hi: 2, deviation: 0, peakMiB: { ours: 12, rival: 12 } });
    expect(measured.oursMs).toBeCloseTo(300 / suite.work, 12);
    expect(measured.rivalMs).toBeCloseTo(600 / suite.work, 12);
  });
  it('times nothing where the losses differ, and says where', async () => {
    const other = losses.map((loss, step) => (step === 7 ? loss * 1.001 : loss));
    await expect(compare(suite, pretend(1, { ready: true, losses: other }), pretend(1), 3, quiet)).rejects.toThrow(
      /toy-mlp: loss of step 7 must agree within 0.0001 relative, got ours 1.931.*, rival 1.93 .*nothing was timed/,
    );
  });
  it('times nothing where a side gives no losses', async () => {
    await expect(compare(suite, pretend(1, { ready: true }), pretend(1), 3, quiet)).rejects.toThrow(
      'ours must give losses in its first line',
    );
  });
  it('passes on what a side said when it died', async () => {
    const dying: Command = { ...pretend(1), name: 'ours', arguments: ['-e', 'console.error("out of luck"); process.exit(3)'] };
    await expect(compare(suite, dying, pretend(1), 3, quiet)).rejects.toThrow(/ours ended with code 3\nout of luck/);
  });
});

describe('candidates', () => {
  it('are one setting of threads for one thread and four for two, each with and without foreach', () => {
    expect(candidates({ foreach: true }, 1)).toHaveLength(2);
    expect(candidates({ foreach: true }, 2)).toHaveLength(8);
    expect(candidates({ foreach: false }, 2).map(({ blas, omp }) => [blas, omp])).toEqual([[1, 1], [1, 2], [2, 1], [2, 2]]); // prettier-ignore
  });
  it('never hand the shell’s OpenBLAS variables on', () => {
    process.env.OPENBLAS_CORETYPE = 'Prescott';
    const environment = settingEnvironment({ blas: 2, omp: 1, foreach: false, tuned: false });
    delete process.env.OPENBLAS_CORETYPE;
    expect([environment.OPENBLAS_CORETYPE, environment.OPENBLAS_NUM_THREADS, environment.OMP_NUM_THREADS]).toEqual([undefined, '2', '1']);
  });
});

describe('the exchange folder', () => {
  it('reads back with the shapes and values it was written with, the same for the same seed', () => {
    const folder = mkdtempSync(join(tmpdir(), 'exchange-'));
    try {
      writeExchange(join(folder, 'a'), suite);
      writeExchange(join(folder, 'b'), suite);
      const { manifest, tensors } = readExchange(join(folder, 'a'));
      expect(manifest.tensors.map(({ name, shape }) => `${name} ${shape.join('x')}`)).toEqual([
        'w0 16x32', 'b0 32', 'w1 32x32', 'b1 32', 'w2 32x8', 'b2 8', 'inputs 8x16x16', 'targets 8x16',
      ]); // prettier-ignore
      expect(readExchange(join(folder, 'b')).tensors).toEqual(tensors);
      const bound = 1 / Math.sqrt(16);
      const w0 = tensors.get('w0')!;
      expect(Math.max(...w0)).toBeLessThanOrEqual(bound);
      expect(Math.max(...w0)).toBeGreaterThan(0.97 * bound); // 512 uniform draws
      expect(Math.max(...tensors.get('targets')!)).toBe(7);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
