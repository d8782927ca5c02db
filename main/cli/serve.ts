/** `gatescope serve`: the window in a browser, on this machine or, through a tunnel, on another; files stay here, below one folder. */
import { Command } from 'commander';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../engine/base/errors.ts';
import { Host } from '../host/host.ts';
import { serveWindow } from '../serve/server.ts';
import { OfferingOption } from './offers.ts';
import { print, warn } from './output.ts';
import { defaultState } from './runState.ts';
import type { Surroundings } from './work.ts';

const LOOPBACK = ['127.0.0.1', '::1', 'localhost'];
const PORT = 4780;
const TOKEN = 'GATESCOPE_TOKEN';
/** Where the page is once it is built. */
const PAGE = fileURLToPath(new URL('../../out/renderer/', import.meta.url));

interface ServeFlags {
  readonly port: number;
  readonly host: string;
  readonly root?: string;
}

/** The session that comes with the program. */
const DEMONSTRATION = fileURLToPath(new URL('../../out/demonstration/demonstration.gatescope', import.meta.url));

/** @param page the folder of the built page */
export function serveCommand({ signal, spawn }: Surroundings, page = PAGE): Command {
  return new Command('serve')
    .description('open the window in a browser: prints its address, and runs until it is interrupted')
    .option('--port <n>', 'the port; 0 takes any that is free', portOf, PORT)
    .option(
      '--host <address>',
      'the address to listen on; another than loopback lets other machines in, if they have the token',
      '127.0.0.1',
    )
    .addOption(
      new OfferingOption(
        '--root <folder>',
        'what lies outside is out of reach, but for images that a folder of images below it links to (default: the home folder)',
        { from: 'files' },
      ),
    )
    .addHelpText(
      'after',
      `
The address holds a token, a new one at every start. With one of your own in
${TOKEN}, pages that are open find a server that was started again.`,
    )
    .action(async ({ port, host: address, root }: ServeFlags) => {
      if (!existsSync(join(page, 'index.html'))) throw new UserError('serve: page', 'must be built first: npm run build', page);
      const top = folderOf(root);
      const token = ownToken();
      await using host = new Host({
        spawn,
        served: true,
        root: top,
        ...(existsSync(DEMONSTRATION) && { demonstration: DEMONSTRATION }),
        userData: join(defaultState(), '..'),
        sessionsFolder: root === undefined ? join(top, 'Gatescope') : top,
        onBug: (error) => warn(error instanceof Error ? (error.stack ?? error.message) : String(error)),
      });
      const serving = await serveWindow({
        folder: page,
        host: address,
        port,
        connect: (wire) => host.connect(wire),
        ...(token !== undefined && { token }),
      });
      try {
        await print(addressText(serving.address, address, serving.port));
        if (!signal.aborted) await once(signal, 'abort');
      } finally {
        await serving.close();
      }
    });
}

/** Through a tunnel nobody else can listen in, and the browser's own machine needs no port open. */
function addressText(page: string, host: string, port: number): string {
  if (LOOPBACK.includes(host)) return `${page}\n`;
  const tunnel = `ssh -L ${port}:127.0.0.1:${port} ${userInfo().username}@${host === '0.0.0.0' || host === '::' ? '<this machine>' : host}`;
  return `${page}\nwhat is sent is not encrypted; through a tunnel it is: ${tunnel}\n`;
}

function folderOf(root: string | undefined): string {
  if (root === undefined) return homedir();
  const folder = resolve(root);
  if (root === '' || !statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new UserError('serve: --root', 'must be a folder that is there', root);
  return folder;
}

/** From the environment: on the command line everybody on the machine could read it. */
function ownToken(): string | undefined {
  const token = process.env[TOKEN];
  if (token === undefined || token === '') return undefined;
  if (!/^[\w-]{16,}$/.test(token))
    throw new UserError(`serve: ${TOKEN}`, 'must be at least 16 letters, digits, - or _', `${token.length} characters`);
  return token;
}

function portOf(text: string): number {
  const port = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!(port >= 0 && port <= 65_535)) throw new UserError('serve: --port', 'must be an integer in [0, 65535]', text);
  return port;
}
