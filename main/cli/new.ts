/** `gatescope new FILE`: an empty session. */
import { Command } from 'commander';
import { Session } from '../store/session.ts';
import { absolutePath, fileArgument } from './common.ts';
import { jsonLine, print } from './output.ts';

export function newCommand(): Command {
  return new Command('new')
    .description('make an empty session')
    .addArgument(fileArgument())
    .option('--name <text>', 'what to call it (default: as its file)')
    .option('--json', 'print what was made as one line of JSON')
    .action(async (file: string, { name, json }: { name?: string; json?: boolean }) => {
      const path = absolutePath(file, 'new: file', 'file');
      using session = Session.open(path, 'create', name === undefined ? {} : { name });
      const { info } = session;
      await print(json ? jsonLine({ path: session.path, ...info }) : `${session.path}\n`);
    });
}
