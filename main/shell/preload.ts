/** Gives the page `window.desktop` (desktop.ts) and nothing else of Electron. Runs in the sandbox, in a world of its own. */
import { contextBridge, ipcRenderer, webUtils } from 'electron';
import type { Command, Desktop, HostState } from './desktop.ts';
import type { Asked, Said } from './ipc.ts';

/** The page's own window, which the types of Node do not know. */
declare const window: { postMessage(message: string, origin: string, ports: readonly unknown[]): void };
declare const location: { readonly origin: string };

const say = <Channel extends keyof Said>(channel: Channel, ...given: Said[Channel]): void => ipcRenderer.send(channel, ...given);
const ask = <Channel extends keyof Asked>(channel: Channel, ...given: Asked[Channel]['given']): Promise<Asked[Channel]['answer']> =>
  ipcRenderer.invoke(channel, ...given) as Promise<Asked[Channel]['answer']>;

// A port cannot pass the bridge: it is posted to the page's own window instead.
ipcRenderer.on('host:port', (event) => window.postMessage('host:port', location.origin, event.ports));

const desktop: Desktop = {
  platform: process.platform as Desktop['platform'],
  connect: () => say('host:connect'),
  chooseSession: () => ask('choose:session'),
  chooseImages: (kind) => ask('choose:images', kind),
  chooseSavePath: (name, title) => ask('choose:savePath', name, title),
  saveFile: (name, bytes) => ask('file:save', name, bytes),
  // `webUtils` came with Electron 29; until 31 a file knew its path.
  pathOf: (file) => (webUtils as typeof webUtils | undefined)?.getPathForFile(file) ?? (file as File & { path: string }).path,
  onCommand: (listener) => {
    ipcRenderer.on('command', (_event, command: Command, argument?: string) => listener(command, argument));
    say('page:listens');
  },
  onHost: (listener) => {
    ipcRenderer.on('host:state', (_event, state: HostState) => listener(state));
    say('host:tell');
  },
  onSettle: (listener) => {
    const settled = (): void => say('page:settled');
    ipcRenderer.on('page:settle', () => void Promise.resolve().then(listener).then(settled, settled));
    say('page:settles');
  },
  restartHost: () => say('host:restart'),
  setMenu: (state) => say('menu:set', state),
  setTitle: (title) => say('window:title', title),
  showInFolder: (path) => say('folder:show', path),
};

contextBridge.exposeInMainWorld('desktop', desktop);
