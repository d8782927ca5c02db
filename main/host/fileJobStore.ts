/**
 * The job store that survives its process: a folder with one file per checkpoint and result, for one process at a time.
 *
 * A file is written beside its place, synced and renamed over it, so that at any moment, whatever fails, the whole old one or the whole new
 * one is there. What is read is trusted only if its checksum holds for this key.
 */
import { createHash } from 'node:crypto';
import * as nodeFiles from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { UserError } from '../../engine/base/errors.ts';
import { lockFolder } from './folderLock.ts';
import type { JobStore, Stored } from './jobStore.ts';

/** File: magic, format version, length of the payload (little-endian, 4 and 8 bytes), SHA-256 of name and payload, payload. */
const magic = Buffer.from('GSCOPJOB');
const version = 1;
const headerBytes = magic.length + 4 + 8 + 32;

type Role = 'checkpoint' | 'result';
type Files = Pick<typeof nodeFiles, 'mkdir' | 'open' | 'readFile' | 'readdir' | 'rename' | 'unlink'>;

export interface FileJobStoreOptions {
  /** Hears of files that were damaged and are taken as absent. */
  readonly onProblem?: (problem: UserError) => void;
  /** For tests of a failing disk. */
  readonly files?: Files;
}

export class FileJobStore implements JobStore, AsyncDisposable {
  readonly directory: string;
  readonly #files: Files;
  readonly #onProblem: (problem: UserError) => void;
  readonly #release: () => Promise<void>;
  #writes = 0;

  /** Use {@link FileJobStore.open}. */
  private constructor(directory: string, release: () => Promise<void>, options: FileJobStoreOptions) {
    this.directory = directory;
    this.#release = release;
    this.#files = options.files ?? nodeFiles;
    this.#onProblem = options.onProblem ?? ((problem) => process.emitWarning(problem.message));
  }

  /**
   * Makes the folder if need be, and holds it until `close`.
   * @throws UserError if another process holds it, or it cannot be written to
   */
  static async open(directory: string, options: FileJobStoreOptions = {}): Promise<FileJobStore> {
    const files = options.files ?? nodeFiles;
    try {
      await makeFolder(directory, files);
      const release = await lockFolder(directory);
      // What a write left behind that never came to its rename.
      for (const name of await files.readdir(directory)) if (name.endsWith('.part')) await files.unlink(join(directory, name));
      return new FileJobStore(directory, release, options);
    } catch (error) {
      throw explained(error, directory);
    }
  }

  /** Lets go of the folder. */
  async close(): Promise<void> {
    await this.#release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  loadCheckpoint(key: string): Promise<Stored | undefined> {
    return this.#load(key, 'checkpoint');
  }

  saveCheckpoint(key: string, state: unknown): Promise<void> {
    return this.#save(key, 'checkpoint', state);
  }

  loadResult(key: string): Promise<Stored | undefined> {
    return this.#load(key, 'result');
  }

  async saveResult(key: string, result: unknown): Promise<void> {
    await this.#save(key, 'result', result);
    await this.#files.unlink(this.#path(key, 'checkpoint')).catch(() => undefined); // there may have been none
  }

  async clear(): Promise<void> {
    try {
      for (const name of await this.#files.readdir(this.directory))
        if (/\.(checkpoint|result)$/.test(name)) await this.#files.unlink(join(this.directory, name));
    } catch (error) {
      throw explained(error, this.directory);
    }
  }

  #path(key: string, role: Role): string {
    return join(this.directory, `${key}.${role}`);
  }

  async #load(key: string, role: Role): Promise<Stored | undefined> {
    const path = this.#path(key, role);
    try {
      return { value: unwrap(await this.#files.readFile(path), `${key}.${role}`) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      const reason = error instanceof Error ? error.message : String(error);
      this.#onProblem(new UserError('job store: file', `must be whole (${reason}) and was ignored`, path, { cause: error }));
      return undefined;
    }
  }

  async #save(key: string, role: Role, value: unknown): Promise<void> {
    const path = this.#path(key, role);
    const data = wrap(value, `${key}.${role}`);
    const part = `${path}.${++this.#writes}.part`;
    try {
      const file = await this.#files.open(part, 'wx');
      try {
        await file.writeFile(data);
        await file.sync();
      } finally {
        await file.close();
      }
      await this.#files.rename(part, path);
      await this.#syncFolder();
    } catch (error) {
      await this.#files.unlink(part).catch(() => undefined);
      throw explained(error, this.directory);
    }
  }

  /** Makes a rename last through a power cut. Windows has no such call, and needs none. */
  async #syncFolder(): Promise<void> {
    if (process.platform === 'win32') return;
    const folder = await this.#files.open(this.directory, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }
}

/** As `mkdir -p`: Node's own never comes back where a file system lets nobody make folders, such as /proc. */
async function makeFolder(directory: string, files: Files): Promise<void> {
  const make = (): Promise<unknown> =>
    files.mkdir(directory).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error; // a file in its place is found out by whoever opens something in it
    });
  try {
    await make();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(directory) === directory) throw error;
    await makeFolder(dirname(directory), files);
    await make();
  }
}

/** @param name part of the checksum: a file moved to another key is not trusted there */
function wrap(value: unknown, name: string): Buffer {
  const payload = serialize(value);
  const header = Buffer.alloc(headerBytes);
  magic.copy(header);
  header.writeUInt32LE(version, 8);
  header.writeBigUInt64LE(BigInt(payload.length), 12);
  digest(name, payload).copy(header, 20);
  return Buffer.concat([header, payload]);
}

function unwrap(data: Buffer, name: string): unknown {
  if (data.length < headerBytes) throw new Error(`${data.length} bytes are less than a header`);
  if (!data.subarray(0, magic.length).equals(magic)) throw new Error('it does not begin as one of ours');
  const found = data.readUInt32LE(8);
  if (found !== version) throw new Error(`its format is ${found}, ours is ${version}`);
  const payload = data.subarray(headerBytes);
  const length = data.readBigUInt64LE(12);
  if (length !== BigInt(payload.length)) throw new Error(`${payload.length} of ${length} bytes are there`);
  if (!digest(name, payload).equals(data.subarray(20, headerBytes))) throw new Error('its checksum does not hold');
  return deserialize(payload);
}

function digest(name: string, payload: Buffer): Buffer {
  return createHash('sha256').update(name).update(payload).digest();
}

/** What the system's error codes mean for somebody who has to do something about them. */
const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'must have space left on its disk',
  EDQUOT: 'must be within the disk quota',
  EROFS: 'must not be on a read-only file system',
  EACCES: 'must be open to writing by this user',
  EPERM: 'must be open to writing by this user',
  EIO: 'must be on a working disk',
  ENOTDIR: 'must be a folder',
  EEXIST: 'must be a folder',
  ENOENT: 'must be there, or in a place where folders can be made',
};

/** A UserError naming the folder and what is wrong with it; anything else as it is. */
function explained(error: unknown, directory: string): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (error instanceof UserError || typeof code !== 'string') return error;
  return new UserError('job store: folder', `${reasons[code] ?? 'must be usable'} (${message})`, directory, { cause: error });
}
