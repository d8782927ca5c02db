/** The `gatescope` command: parses what was asked, runs it on engines of its own, prints figures to stdout and progress to stderr. */
import { Command, CommanderError } from 'commander';
import { readFileSync } from 'node:fs';
import { toFailure } from '../../engine/base/errors.ts';
import { devicesCommand } from './devices.ts';
import { interruption } from './interruption.ts';
import { toleratePipes } from './output.ts';
import { runCommand } from './run.ts';

/** What the process ends with: 0 done, 1 a bug, 2 a mistake in what was asked or a disk that does not do its part, 130 interrupted. */
const EXIT = { mistake: 2, cancelled: 130, bug: 1 } as const;

async function main(argv: readonly string[]): Promise<number> {
  toleratePipes();
  const { signal } = interruption();
  const program = new Command('gatescope')
    .description('A lab for gated neural networks: trains gated models, swaps and knocks out their gates.')
    .version(version(), '--version')
    .exitOverride()
    // One line, in our name: Commander puts its suggestions on a second.
    .configureOutput({
      outputError: (text, write) =>
        write(
          `${text
            .trim()
            .replace(/^error: /, 'gatescope: ')
            .replaceAll('\n', ' ')}\n`,
        ),
    });
  for (const command of [runCommand(signal), devicesCommand(signal)]) program.addCommand(command.copyInheritedSettings(program));
  try {
    await program.parseAsync(argv);
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT.mistake;
    const failure = toFailure(error);
    process.stderr.write(`${failure.kind === 'bug' ? failure.stack : `gatescope: ${failure.message}`}\n`);
    return EXIT[failure.kind];
  }
}

function version(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
  return version;
}

process.exitCode = await main(process.argv);
