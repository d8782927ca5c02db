/** The sessions there are: those that were opened here, those in the sessions folder, the demonstration, the trash. It writes to no session. */
import { existsSync, mkdirSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { inWords } from '../../store/problems.ts';
import type { Session } from '../../store/session.ts';
import type { Paths } from '../files/paths.ts';
import type { SessionEntry } from '../hostApi.ts';
import { ENDING, SessionEntries, sessionsIn } from './entries.ts';
import { RecentSessions } from './recent.ts';
import { freeName, Trash } from './trash.ts';

export interface ShelfOptions {
  readonly userData: string;
  readonly sessionsFolder: string;
  readonly demonstration?: string;
  readonly paths: Paths;
  readonly clock: () => Date;
  /** The session at a path, if it is open here. */
  readonly open: (path: string) => Session | undefined;
}

export class SessionShelf {
  readonly trash: Trash;
  readonly #options: ShelfOptions;
  readonly #recent: RecentSessions;
  readonly #entries = new SessionEntries();

  constructor(options: ShelfOptions) {
    this.#options = options;
    this.#recent = new RecentSessions(options.userData);
    const { paths, sessionsFolder } = options;
    this.trash = new Trash(paths.resolved(sessionsFolder) ?? sessionsFolder, (path) => paths.reaches(path));
  }

  /** Those that were opened here, the last first; then the others by name; then what was thrown away. */
  list(): SessionEntry[] {
    const { paths, sessionsFolder, demonstration } = this.#options;
    const recent = this.#recent.list().map(({ path }) => path);
    const shipped = demonstration !== undefined && existsSync(demonstration) ? [paths.resolved(demonstration) ?? demonstration] : [];
    const there = [...new Set([...recent, ...sessionsIn(paths.resolved(sessionsFolder) ?? sessionsFolder), ...shipped])];
    const reachable = (path: string): boolean => shipped.includes(path) || paths.has(path);
    return [
      ...there
        .filter((path) => reachable(path) && !this.trash.has(path))
        .map((path) => this.#entry(path, { shipped: shipped.includes(path), trashed: false })),
      ...this.trash
        .list()
        .filter(reachable)
        .map((path) => this.#entry(path, { shipped: false, trashed: true })),
    ];
  }

  /** @param path without links */
  entry(path: string): SessionEntry {
    return this.list().find((one) => one.path === path) ?? this.#entry(path, { shipped: false, trashed: this.trash.has(path) });
  }

  /** It has just been opened. A list that cannot be kept is no reason not to open it. */
  opened(path: string): void {
    this.#recent.add(path, this.#options.clock().toISOString());
  }

  forget(path: string): void {
    this.#recent.remove(path);
  }

  /** A path that is still free for a session of this name, in the sessions folder, which is made if it is not there. */
  freePath(name: string): string {
    const { sessionsFolder } = this.#options;
    try {
      mkdirSync(sessionsFolder, { recursive: true });
    } catch (error) {
      throw inWords(error, sessionsFolder);
    }
    return freeName(join(sessionsFolder, `${fileName(name)}${ENDING}`));
  }

  /** A free path beside a session, for a copy of it. */
  pathOfCopy(path: string): string {
    return freeName(`${path.slice(0, path.length - extname(path).length)} copy${extname(path)}`);
  }

  #entry(path: string, marks: { readonly trashed: boolean; readonly shipped: boolean }): SessionEntry {
    return this.#entries.of(path, this.#options.open(path), marks);
  }
}

/** What a file may be called on every system. */
function fileName(name: string): string {
  const safe = basename(name.replaceAll(/[<>:"/\\|?*\p{Cc}]/gu, '-')).replaceAll(/^[.\s]+|[.\s]+$/g, '');
  return safe.slice(0, 100) || 'Untitled';
}
