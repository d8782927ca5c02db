/**
 * What the page may ask of the shell, and what it hears from it: the one statement of `window.desktop`. In a browser there is none of it.
 * Everything about sessions and work is the host's and goes over the port that `connect` asks for (main/host/hostApi.ts).
 */

/** Items of the menu, and what else the shell wants of the page. */
export type Command =
  | 'session.new'
  /** With a path: of a recent session, or of a file opened from outside. */
  | 'session.open'
  | 'session.saveAs'
  | 'session.close'
  | 'export.png'
  | 'export.svg'
  | 'export.csv'
  | 'edit.undo'
  | 'edit.redo'
  | 'edit.find'
  | 'edit.findNext'
  | 'view.home'
  | 'view.train'
  | 'view.modes'
  | 'view.palette'
  | 'theme.light'
  | 'theme.dark'
  | 'theme.system'
  | 'run.start'
  | 'run.pause'
  | 'run.cancel'
  | 'help.keys'
  | 'help.tour'
  | 'help.about';

export type Theme = 'light' | 'dark' | 'system';

export interface HostState {
  readonly state: 'running' | 'ended' | 'starting';
  /** Of one that has ended: `exit code 1`, `signal SIGKILL`. */
  readonly how?: string;
  /** The end of what it wrote to stderr. */
  readonly said?: string;
}

/** What the menu shows. */
export interface MenuState {
  /** Commands that would do something now. */
  readonly enabled: readonly string[];
  readonly theme: Theme;
  readonly recent: readonly { readonly name: string; readonly path: string }[];
}

/** Paths are `undefined` where the user called it off. */
export interface Desktop {
  readonly platform: 'linux' | 'darwin' | 'win32';
  /** Asks for a port to the host: it comes as a window message `host:port` with the port. Call again after the host was started anew. */
  connect(): void;
  chooseSession(): Promise<string | undefined>;
  chooseImages(kind: 'folder' | 'npz'): Promise<string | undefined>;
  /** @param name of the file, as a proposal @param title of the dialog */
  chooseSavePath(name: string, title: string): Promise<string | undefined>;
  /** Writes bytes where the user says: an export. @returns the path */
  saveFile(name: string, bytes: Uint8Array): Promise<string | undefined>;
  /** Of a file dropped on the window. */
  pathOf(file: File): string;
  onCommand(listener: (command: Command, argument?: string) => void): void;
  /** The listener is called at once with the state there is. */
  onHost(listener: (state: HostState) => void): void;
  /** Called before the program ends, while the host is still there: whatever is being typed is to be kept when it resolves. One listener. */
  onSettle(listener: () => Promise<void> | void): void;
  /** Starts a host that has ended, also after the shell has given up doing so itself. */
  restartHost(): void;
  setMenu(state: MenuState): void;
  setTitle(title: string): void;
  showInFolder(path: string): void;
}
