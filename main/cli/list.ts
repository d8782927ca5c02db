/** `gatescope ls [folder]`: the sessions below a folder, and what state each is in. It writes to none. */
import { Command } from 'commander';
import { readdirSync, statSync, type Dirent } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { UserError } from '../../engine/base/errors.ts';
import { isLocked } from '../store/lock.ts';
import { DamagedSession, inWords } from '../store/problems.ts';
import { Session } from '../store/session.ts';
import { OfferingArgument } from './offers.ts';
import { jsonLine, print, warn } from './output.ts';
import { aligned } from './table.ts';

const ENDING = '.gatescope';

/** `newer`: made by a newer version, can only be read. `unreadable`: something else is in the way. */
type State = 'ready' | 'locked' | 'newer' | 'damaged' | 'unreadable';

export interface ListedSession {
  readonly path: string;
  readonly state: State;
  readonly bytes: number;
  readonly changed: string;
  /** What is wrong, if something is. */
  readonly problem?: string;
  readonly name?: string;
  readonly models?: number;
  readonly runs?: number;
  readonly results?: number;
}

export function listCommand(): Command {
  return new Command('ls')
    .description('list the sessions below a folder')
    .addArgument(new OfferingArgument('[folder]', 'where to look (default: here)', { from: 'files' }))
    .option('--json', 'print an array of JSON')
    .action(async (folder: string | undefined, { json }: { json?: boolean }) => {
      const top = resolve(folder ?? '.');
      const sessions = sessionsBelow(top, warn).map(listed);
      await print(json ? jsonLine(sessions) : listText(sessions, top));
    });
}

/** Paths in the order of their names; folders that are hidden, linked or of packages are left out. @param tell hears of folders that cannot be read */
export function sessionsBelow(top: string, tell: (problem: string) => void): string[] {
  const found: string[] = [];
  const visit = (folder: string): void => {
    let entries: Dirent[];
    try {
      entries = readdirSync(folder, { withFileTypes: true });
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const problem = new UserError('ls: folder', 'must be a folder that can be read', folder, { cause: error });
      if (folder === top) throw code === undefined ? error : problem;
      return tell(message);
    }
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(folder, entry.name);
      if (entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules') visit(path);
      else if (entry.isFile() && entry.name.endsWith(ENDING)) found.push(path);
    }
  };
  visit(top);
  return found;
}

function listed(path: string): ListedSession {
  const { size: bytes, mtime } = statSync(path);
  const seen = { path, bytes, changed: mtime.toISOString() };
  try {
    using session = Session.open(path, 'read');
    const { name } = session.info;
    const counts = {
      models: session.models().length + session.languageModels().length,
      runs: session.runs().length,
      results: session.results().length,
    };
    const state = session.notice !== undefined ? 'newer' : isLocked(path) ? 'locked' : 'ready';
    return { ...seen, state, name, ...counts };
  } catch (error) {
    const problem = inWords(error, path);
    if (!(problem instanceof UserError)) throw problem;
    return { ...seen, state: problem instanceof DamagedSession ? 'damaged' : 'unreadable', problem: problem.rule };
  }
}

function listText(sessions: readonly ListedSession[], top: string): string {
  if (sessions.length === 0) return `no sessions below ${top}\n`;
  const rows = sessions.map(({ path, state, bytes, changed, problem, name = '', models, runs, results }) => [
    relative(top, path),
    name,
    models === undefined ? '' : `${models} models, ${runs} runs, ${results} results`,
    bytesText(bytes),
    changed.slice(0, 16).replace('T', ' '),
    problem === undefined ? state : `${state}: ${problem}`,
  ]);
  return `${aligned([['file', 'name', 'contents', 'size', 'changed', 'state'], ...rows])}\n`;
}

/** In powers of 1024, as file managers tell it. */
export function bytesText(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return `${power === 0 ? bytes : (bytes / 2 ** (10 * power)).toFixed(1)} ${units[power]}`;
}
