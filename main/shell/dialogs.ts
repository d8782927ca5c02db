/** The system's file dialogs. They begin in the folder that was last chosen, or where sessions are made. */
import { dialog, type BrowserWindow, type FileFilter } from 'electron';
import { rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import type { Remembered } from './remembered.ts';

const sessions: FileFilter = { name: 'Gatescope sessions', extensions: ['gatescope'] };
const allFiles: FileFilter = { name: 'All files', extensions: ['*'] };

export class Dialogs {
  readonly #window: BrowserWindow;
  readonly #remembered: Remembered;
  readonly #sessionsFolder: string;

  constructor(window: BrowserWindow, remembered: Remembered, sessionsFolder: string) {
    this.#window = window;
    this.#remembered = remembered;
    this.#sessionsFolder = sessionsFolder;
  }

  async session(): Promise<string | undefined> {
    const path = await this.#open('Open a session', ['openFile'], [sessions, allFiles]);
    if (path !== undefined) this.#remembered.set({ folder: dirname(path) });
    return path;
  }

  async images(kind: 'folder' | 'npz'): Promise<string | undefined> {
    const path =
      kind === 'folder'
        ? await this.#open('Images: one folder per class', ['openDirectory'])
        : await this.#open('Images in an npz file', ['openFile'], [{ name: 'NumPy archives', extensions: ['npz'] }, allFiles]);
    if (path !== undefined) this.#remembered.set({ folder: dirname(path) });
    return path;
  }

  async savePath(name: string, title: string): Promise<string | undefined> {
    const extension = extname(name).slice(1);
    const { filePath } = await dialog.showSaveDialog(this.#window, {
      title,
      // Only the name: a page has no say in the folder.
      defaultPath: join(this.#folder, basename(name)),
      filters: [...(extension ? [filterOf(extension)] : []), allFiles],
      properties: ['createDirectory', 'showOverwriteConfirmation'],
    });
    if (!filePath) return undefined;
    this.#remembered.set({ folder: dirname(filePath) });
    return filePath;
  }

  /** Whole or not at all: what was there before stays until the new file is written. */
  async save(name: string, bytes: Uint8Array): Promise<string | undefined> {
    const path = await this.savePath(name, 'Export');
    if (path === undefined) return undefined;
    const whole = join(dirname(path), `.${basename(path)}.new`);
    try {
      await writeFile(whole, bytes);
      await rename(whole, path);
    } catch (error) {
      await rm(whole, { force: true });
      throw error;
    }
    return path;
  }

  get #folder(): string {
    return this.#remembered.memory.folder ?? this.#sessionsFolder;
  }

  async #open(title: string, properties: ('openFile' | 'openDirectory')[], filters: FileFilter[] = []): Promise<string | undefined> {
    const { filePaths } = await dialog.showOpenDialog(this.#window, { title, defaultPath: this.#folder, properties, filters });
    return filePaths[0];
  }
}

function filterOf(extension: string): FileFilter {
  return extension === 'gatescope' ? sessions : { name: extension.toUpperCase(), extensions: [extension] };
}
