#!/usr/bin/env node
/** The `gatescope` command: parses what was asked, runs it on engines of its own, prints figures to stdout and progress to stderr. */
import { Command, CommanderError } from 'commander';
import { toFailure } from '../../engine/base/errors.ts';
import { devicesCommand } from './devices.ts';
import { runCommand } from './run.ts';
import { interruption } from './interruption.ts';

/** What the process ends with: 0 done, 1 a bug, 2 a mistake in what was asked, 130 interrupted. */
const EXIT = { mistake: 2, cancelled: 130, bug: 1 } as const;

async function main(argv: readonly string[]): Promise<number> {
  const { signal } = interruption();
  const program = new Command('gatescope')
    .description('A lab for gated neural networks: trains gated models, swaps and knocks out their gates.')
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text) });
  program.addCommand(runCommand(signal));
  program.addCommand(devicesCommand(signal));
  program.commands.forEach((command) => command.exitOverride());
  try {
    await program.parseAsync(argv);
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT.mistake;
    const failure = toFailure(error);
    process.stderr.write(`\n${failure.kind === 'bug' ? failure.stack : `gatescope: ${failure.message}`}\n`);
    return EXIT[failure.kind];
  }
}

process.exitCode = await main(process.argv);
