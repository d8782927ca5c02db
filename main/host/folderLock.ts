/**
 * Keeps a folder to one process of this machine at a time, by files that need no cleaning up after a crash.
 *
 * Each process that wants the folder creates a file named after itself (`lock-PID-START`), then looks at the others': whoever sees one of a
 * living process gives up. Two that come at once may both give up, but never both go on, since each writes before it looks. Files of dead
 * processes are removed; a process that happens to have a dead one's pid is told from it by when it started.
 */
import { readFileSync, realpathSync } from 'node:fs';
import { open, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../engine/base/errors.ts';

const pattern = /^lock-(\d+)-(\d+)$/;

/** Folders this process has locked: where starts are not known, an older file with our pid would look like our own. */
const held = new Set<string>();

/**
 * @returns the way to let go of the folder
 * @throws UserError if another process, or this one, has it; the file system's error if the folder cannot be written to
 */
export async function lockFolder(directory: string): Promise<() => Promise<void>> {
  const folder = realpathSync(directory);
  if (held.has(folder)) throw taken(directory, process.pid);
  held.add(folder);
  const own = `lock-${process.pid}-${startOf(process.pid)}`;
  const release = async (): Promise<void> => {
    held.delete(folder);
    await unlink(join(folder, own)).catch(() => undefined);
  };
  try {
    await (await open(join(folder, own), 'w')).close();
    for (const name of await readdir(folder)) {
      const [, pid, start] = pattern.exec(name) ?? [];
      if (pid === undefined || name === own) continue;
      if (isAlive(Number(pid), start)) throw taken(directory, Number(pid));
      await unlink(join(folder, name)).catch(() => undefined); // somebody else removed it first
    }
  } catch (error) {
    await release();
    throw error;
  }
  return release;
}

function taken(directory: string, pid: number): UserError {
  return new UserError('job store: folder', `must not be in use (process ${pid} has it open)`, directory);
}

/** Whether the process that started then still runs. */
function isAlive(pid: number, start: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  const now = startOf(pid);
  return now === start || now === '0' || start === '0';
}

/** When a process started, in clock ticks since boot; 0 where the system does not say. */
function startOf(pid: number): string {
  try {
    const status = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the program's name in parentheses, which may hold blanks; the start is the twenty-second.
    return status.slice(status.lastIndexOf(')') + 2).split(' ')[19] ?? '0';
  } catch {
    return '0';
  }
}
