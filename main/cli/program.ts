/** The commands of `gatescope`, as Commander has them: for running one, and for completion, which reads them. */
import { Command } from 'commander';
import { applicationVersion } from '../store/application.ts';
import { analyseCommand } from './analyse.ts';
import { claimsCommand } from './claims.ts';
import { completeCommand, completionCommand } from './completion.ts';
import { devicesCommand } from './devices.ts';
import { doctorCommand } from './doctor.ts';
import { exportCommand } from './export.ts';
import { importCommand } from './import.ts';
import { listCommand } from './list.ts';
import { modeCommand } from './mode.ts';
import { newCommand } from './new.ts';
import { noteCommand } from './note.ts';
import { runCommand } from './run.ts';
import { serveCommand } from './serve.ts';
import { showCommand } from './show.ts';
import { sweepCommand } from './sweep.ts';
import { adaptCommand, trainCommand } from './train.ts';
import type { Surroundings } from './work.ts';

export function gatescopeProgram(surroundings: Surroundings): Command {
  const program = new Command('gatescope')
    .description('A lab for gated neural networks: trains gated models, swaps and knocks out their gates.')
    .version(applicationVersion, '--version');
  const commands = [
    newCommand(),
    runCommand(surroundings),
    trainCommand(surroundings),
    adaptCommand(surroundings),
    modeCommand(surroundings),
    analyseCommand(surroundings),
    sweepCommand(surroundings),
    claimsCommand(surroundings),
    importCommand(),
    showCommand(),
    listCommand(),
    noteCommand(),
    exportCommand(),
    serveCommand(surroundings),
    devicesCommand(surroundings),
    doctorCommand(surroundings),
    completionCommand(),
  ];
  for (const command of commands) program.addCommand(command);
  program.addCommand(completeCommand(program), { hidden: true });
  return settled(program);
}

/** What holds for a command and all within it. */
function settled(command: Command): Command {
  command.commands.forEach(settled);
  return (
    command
      .exitOverride()
      .configureOutput({ outputError })
      // A command's own options come before an inner command, whose options they would otherwise take away.
      .enablePositionalOptions()
  );
}

/** One line, in our name: Commander puts its suggestions on a second. */
function outputError(text: string, write: (text: string) => void): void {
  write(
    `${text
      .trim()
      .replace(/^error: /, 'gatescope: ')
      .replaceAll('\n', ' ')}\n`,
  );
}
