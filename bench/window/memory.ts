/**
 * Memory over 500 stated actions (actions.ts: twenty rounds of twenty-five) on a copy of the demonstration: what the page and the host keep after
 * a forced collection, the page's nodes and listeners, and how much of the machine's memory each process has. The slope is of least squares; two
 * rounds go before, in which code is compiled and the answers that are kept are computed.
 */
import { readFileSync } from 'node:fs';
import type { CDPSession } from '@playwright/test';
import { descendantsOf } from '../../e2e/probes/processes.ts';
import { round } from './actions.ts';
import { Devtools } from './devtools.ts';
import { lineThrough, type Figure } from './figure.ts';
import { closedProgram, inModes } from './home.ts';

const EVERY = 50;
const BEFORE = 2;

const sizes = ['heap', 'hostHeap', 'page', 'host', 'engine'] as const;
const counts = ['nodes', 'listeners'] as const;
type Sample = Readonly<Record<(typeof sizes)[number] | (typeof counts)[number], number>>;

/** MiB of the machine's memory that processes have. */
function residentOf(processes: readonly number[]): number {
  const kibibytes = processes.map((pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]));
  return kibibytes.reduce((sum, one) => sum + one, 0) / 1024;
}

async function sample(devtools: CDPSession, host: Devtools, root: number): Promise<Sample> {
  for (let i = 0; i < 3; i++) await devtools.send('HeapProfiler.collectGarbage');
  const { usedSize } = await devtools.send('Runtime.getHeapUsage');
  const { nodes, jsEventListeners } = await devtools.send('Memory.getDOMCounters');
  const of = (text: string): number => residentOf(descendantsOf(root, text));
  return {
    heap: usedSize / 2 ** 20,
    hostHeap: await host.heap(),
    nodes,
    listeners: jsEventListeners,
    host: of('host/host.cjs'),
    engine: of('engine/engine.cjs'),
    page: of('--type=renderer'),
  };
}

export async function memory(actions: number): Promise<Figure[]> {
  await using program = await closedProgram();
  const page = await inModes(program);
  page.setDefaultTimeout(60_000);
  const devtools = await page.context().newCDPSession(page);
  const root = program.application.process().pid!;
  using host = await Devtools.toNode(descendantsOf(root, 'host/host.cjs')[0]);
  const act = async (index: number): Promise<void> => {
    const { name, run } = round[index % round.length];
    try {
      await run(page);
    } catch (error) {
      throw new Error(`memory: action ${index} (${name}) failed`, { cause: error });
    }
    await page.evaluate(() => new Promise<void>((done) => requestAnimationFrame(() => setTimeout(done))));
  };
  const settle = async (): Promise<void> => {
    await page.getByRole('contentinfo', { name: 'Jobs' }).getByText('No jobs running').waitFor({ timeout: 120_000 });
    await page.waitForTimeout(1000);
  };
  for (let i = 0; i < BEFORE * round.length; i++) await act(i);
  await settle();
  const at: number[] = [0];
  const samples = [await sample(devtools, host, root)];
  for (let i = 1; i <= actions; i++) {
    await act(i - 1);
    if (i % EVERY > 0) continue;
    await settle();
    at.push(i);
    samples.push(await sample(devtools, host, root));
  }
  const figureOf = (keys: readonly (keyof Sample)[], unit: Figure['unit']): Figure => ({
    name: unit === 'MiB' ? 'memory' : 'memory, counts',
    what: `${actions} actions in Modes on the demonstration, looked at every ${EVERY}; slope per 100 actions, over all and over the last half`,
    unit,
    values: Object.fromEntries(
      keys.flatMap((key) => {
        const values = samples.map((one) => one[key]);
        const half = values.length >> 1;
        return [
          [`${key}.start`, values[0]],
          [`${key}.end`, values[values.length - 1]],
          [`${key}.worst`, Math.max(...values)],
          [`${key}.slope`, 100 * lineThrough(at, values).slope],
          [`${key}.slopeOfLastHalf`, 100 * lineThrough(at.slice(half), values.slice(half)).slope],
        ];
      }),
    ),
    raw: { at, ...Object.fromEntries(keys.map((key) => [key, samples.map((one) => one[key])])) },
  });
  return [figureOf(sizes, 'MiB'), figureOf(counts, 'count')];
}
