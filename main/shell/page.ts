/** The shell's half of `window.desktop`: answers what the page of a window asks, and tells it what it has to know. */
import { shell, type BrowserWindow, type WebContents } from 'electron';
import { isAbsolute } from 'node:path';
import type { HostState, MenuState } from './desktop.ts';
import type { Dialogs } from './dialogs.ts';
import type { HostProcess } from './hostProcess.ts';
import { menuState, PageChannels, Refused, text, type Told } from './ipc.ts';
import { isFromPage } from './security.ts';

/** Milliseconds that a page has to keep what is being typed in it. */
const PATIENCE = 2000;

export interface PageSurroundings {
  readonly origin: string;
  readonly host: HostProcess;
  readonly dialogs: Dialogs;
  readonly onMenu: (state: MenuState) => void;
}

export class Page {
  readonly #contents: WebContents;
  readonly #channels: PageChannels;
  /** Whether it wants to keep something before the program ends. */
  #settles = false;
  #settled: () => void = () => undefined;
  /** Commands from before the page listened. */
  #held: Told['command'][] | undefined = [];

  constructor(window: BrowserWindow, { origin, host, dialogs, onMenu }: PageSurroundings) {
    const contents = window.webContents;
    const channels = new PageChannels(contents, (event) => isFromPage(event, origin));
    this.#contents = contents;
    this.#channels = channels;
    contents.on('did-start-navigation', (_event, _url, isInPlace, isMainFrame) => {
      if (!isMainFrame || isInPlace) return;
      this.#held ??= [];
      this.#settles = false;
    });

    channels.on('host:connect', () =>
      host.connect(contents.id, (port) => {
        if (contents.isDestroyed()) port.close();
        else contents.postMessage('host:port', undefined, [port]);
      }),
    );
    channels.on('host:restart', () => host.restart());
    channels.on('host:tell', () => this.tellHost(host.state));
    channels.on('page:listens', () => {
      const held = this.#held ?? [];
      this.#held = undefined;
      for (const what of held) this.send(...what);
    });
    channels.on('page:settles', () => (this.#settles = true));
    channels.on('page:settled', () => this.#settled());
    channels.on('menu:set', (state) => onMenu(menuState(state)));
    channels.on('window:title', (title) => window.setTitle(text(title)));
    channels.on('folder:show', (path) => {
      if (isAbsolute(text(path))) shell.showItemInFolder(path);
    });

    channels.answer('choose:session', () => dialogs.session());
    channels.answer('choose:images', (kind) => dialogs.images(kind === 'npz' ? 'npz' : 'folder'));
    channels.answer('choose:savePath', (name, title) => dialogs.savePath(text(name), text(title)));
    channels.answer('file:save', (name, bytes) => {
      if (!(bytes instanceof Uint8Array)) throw new Refused(`file:save: bytes must be a Uint8Array, got ${typeof bytes}`);
      return dialogs.save(text(name), bytes);
    });
  }

  send(...what: Told['command']): void {
    if (this.#held) this.#held.push(what);
    else this.#channels.tell('command', ...what);
  }

  /** Lets the page keep what is being typed in it; resolves when it has, or after a while. */
  settle(): Promise<void> {
    if (!this.#settles || this.#contents.isDestroyed()) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, PATIENCE);
      this.#settled = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#contents.once('destroyed', () => this.#settled());
      this.#channels.tell('page:settle');
    });
  }

  tellHost(state: HostState): void {
    this.#channels.tell('host:state', state);
  }
}
