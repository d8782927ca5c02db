/** The harness against sides that are a few lines of Node: what it measures, and what it refuses to time. */
import { describe, expect, it } from 'vitest';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readExchange, writeExchange } from './exchange.ts';
import { compare } from './harness.ts';
import { candidates, settingEnvironment } from './settings.ts';
import type { Command } from './side.ts';
import { suites, type Suite } from './suites.ts';

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

describe('compare, of a sweep', () => {
  const sweep = suites('/nowhere').find(({ name }) => name === 'head-positions')!;
  const baseline = [1, 2];
  // Four cells of two pairs, of which the first two change nothing.
  const ours = { ready: true, figures: [1, 2, 1, 2, 1.5, 2.25, 0.5, 2], baseline };
  const rivalOf = (cells: number[], figures: number[]) => pretend(0.2, { ready: true, figures, baseline, cells });

  it('holds a rival that ran some cells against ours of these, by the largest effect of all', async () => {
    const measured = await compare(sweep, pretend(0.1, ours), rivalOf([1, 3], [1, 2, 0.5, 2 + 1e-5]), 1, quiet);
    expect(measured.deviation).toBeCloseTo(1e-5 / 0.5, 12);
    const unmoved = await compare(sweep, pretend(0.1, ours), rivalOf([0, 1], [1, 2, 1 + 1e-5, 2]), 1, quiet);
    expect(unmoved.deviation).toBeCloseTo(1e-5 / 0.5, 12);
  });
  it('times nothing where a cell is another', async () => {
    await expect(compare(sweep, pretend(0.1, ours), rivalOf([1, 2], [1, 2, 0.5, 2]), 1, quiet)).rejects.toThrow(
      /head-positions: figure 2 must agree within 0.0001 of the largest effect, got ours 1.5, rival 0.5 .*nothing was timed/,
    );
  });
  it('times nothing where a rival ran all cells and gives another number of figures', async () => {
    const few = pretend(0.2, { ready: true, figures: [1, 2, 1, 2], baseline });
    await expect(compare(sweep, pretend(0.1, ours), few, 1, quiet)).rejects.toThrow('as many figures, got ours 8, rival 4');
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
  it('draws pairs that are alike before their divergence and differ there, and leaves given tensors as they are', () => {
    const folder = mkdtempSync(join(tmpdir(), 'exchange-'));
    try {
      const [length, divergence, pairs] = [12, 5, 40];
      const sizes = { vocabulary: 4, positions: 20, width: 4, heads: 1, layers: 1, mlp: 4 };
      const screen: Suite = { ...suite, config: { kind: 'transformer', ...sizes, length, divergence, pairs } };
      writeExchange(folder, screen, 1, [{ name: 'embed.W_E', shape: [4, 4], data: Float32Array.from({ length: 16 }, (_, i) => i) }]);
      const { tensors } = readExchange(folder);
      expect([...tensors.keys()]).toEqual(['embed.W_E', 'clean', 'counterfactual', 'a', 'b']);
      const [clean, other] = ['clean', 'counterfactual'].map((name) => tensors.get(name)!);
      const first = Array.from({ length: pairs }, (_, pair) =>
        Array.from({ length }, (_at, i) => i).findIndex((i) => clean[pair * length + i] !== other[pair * length + i]),
      );
      expect(new Set(first)).toEqual(new Set([divergence]));
      expect(tensors.get('a')!.every((token, pair) => token !== tensors.get('b')![pair])).toBe(true);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

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
