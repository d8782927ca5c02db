/** Does what a command line asks: figures to stdout, progress and mistakes to stderr, and how it ended as a number. */
import { CommanderError } from 'commander';
import { toFailure, UserError } from '../../engine/base/errors.ts';
import { gatescopeProgram } from './program.ts';
import type { Surroundings } from './work.ts';

/** 1 a bug, 2 a mistake in what was asked or a disk that does not do its part, 130 interrupted. */
const EXIT = { mistake: 2, cancelled: 130, bug: 1 } as const;

/** @returns what the process is to end with */
export async function gatescope(words: readonly string[], surroundings: Surroundings): Promise<number> {
  try {
    refuseJsonHelp(words);
    await gatescopeProgram(surroundings).parseAsync(words, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT.mistake;
    const failure = toFailure(error);
    process.stderr.write(`${failure.kind === 'bug' ? failure.stack : `gatescope: ${failure.message}`}\n`);
    return EXIT[failure.kind];
  }
}

/** Help is text: whoever asks for both would get what they cannot read. */
function refuseJsonHelp(words: readonly string[]): void {
  const options = words.includes('--') ? words.slice(0, words.indexOf('--')) : words;
  const help = options.find((word) => word === '--help' || word === '-h');
  if (help !== undefined && options.includes('--json') && words[0] !== 'complete')
    throw new UserError('--json', 'must not be given with help, which is text', help);
}
