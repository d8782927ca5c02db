/**
 * The channels between page and shell, typed: what is said, and what is answered. Only preload.ts and the shell's main process use them; the
 * page sees desktop.ts. What comes from a page is checked as if it came from a stranger.
 */
import type { IpcMainEvent, IpcMainInvokeEvent, WebContents } from 'electron';
import type { Command, HostState, MenuState } from './desktop.ts';

/** From the page, without an answer. */
export interface Said {
  'host:connect': [];
  'host:restart': [];
  'host:tell': [];
  'page:listens': [];
  /** It wants to keep what is being typed before the program ends. */
  'page:settles': [];
  /** It has. */
  'page:settled': [];
  'menu:set': [MenuState];
  'window:title': [string];
  'folder:show': [string];
}

/** From the page, with an answer. */
export interface Asked {
  'choose:session': { given: []; answer: string | undefined };
  'choose:images': { given: ['folder' | 'npz']; answer: string | undefined };
  'choose:savePath': { given: [name: string, title: string]; answer: string | undefined };
  'file:save': { given: [name: string, bytes: Uint8Array]; answer: string | undefined };
}

/** To the page. `host:port` carries a port. */
export interface Told {
  'host:port': [];
  'host:state': [HostState];
  'page:settle': [];
  command: [command: Command, argument?: string];
}

/** Given by a page that is not ours, or not what it has to be: nothing is done. */
export class Refused extends Error {
  override readonly name = 'Refused';
}

/** Whose messages are listened to. */
export type IsOurs = (event: IpcMainEvent | IpcMainInvokeEvent) => boolean;

/** Listens to one page's messages; others' are not answered. */
export class PageChannels {
  readonly #contents: WebContents;
  readonly #isOurs: IsOurs;

  constructor(contents: WebContents, isOurs: IsOurs) {
    this.#contents = contents;
    this.#isOurs = isOurs;
  }

  on<Channel extends keyof Said>(channel: Channel, act: (...given: Said[Channel]) => void): void {
    this.#contents.ipc.on(channel, (event, ...given) => {
      if (!this.#isOurs(event)) return;
      try {
        act(...(given as Said[Channel]));
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        console.error(`gatescope: ${channel}: ${error.message}`); // nobody waits for an answer that could say so
      }
    });
  }

  answer<Channel extends keyof Asked>(
    channel: Channel,
    act: (...given: Asked[Channel]['given']) => Promise<Asked[Channel]['answer']>,
  ): void {
    this.#contents.ipc.handle(channel, async (event, ...given) => {
      if (!this.#isOurs(event)) throw new Refused(`${channel}: must come from the page of this program`);
      return act(...(given as Asked[Channel]['given']));
    });
  }

  tell<Channel extends Exclude<keyof Told, 'host:port'>>(channel: Channel, ...what: Told[Channel]): void {
    if (!this.#contents.isDestroyed()) this.#contents.send(channel, ...what);
  }
}

/** @throws Refused */
export function text(value: unknown): string {
  if (typeof value !== 'string') throw new Refused(`must be text, got ${typeof value}`);
  if (value.includes('\0')) throw new Refused(`must be without NUL, got ${JSON.stringify(value)}`);
  return value;
}

/** @throws Refused */
export function menuState(value: unknown): MenuState {
  const { enabled, theme, recent } = (value ?? {}) as Partial<Record<keyof MenuState, unknown>>;
  if (theme !== 'light' && theme !== 'dark' && theme !== 'system') throw new Refused(`theme: must be light, dark or system`);
  if (!Array.isArray(enabled) || !Array.isArray(recent)) throw new Refused('menu: must list what is enabled and what is recent');
  return {
    theme,
    enabled: enabled.map(text),
    recent: recent.slice(0, 20).map((one: { name?: unknown; path?: unknown } | null) => ({ name: text(one?.name), path: text(one?.path) })),
  };
}
