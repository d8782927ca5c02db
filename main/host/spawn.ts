/**
 * Starts engine processes. The rest of the host sees only {@link SpawnEngine}, so that Electron's utility processes can take the place of
 * `fork` here. What is said over the channel is the pool's business.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { FromEngine, ToEngine } from '../../engine/contract.ts';

/** A running engine, or one that has ended. */
export interface EngineProcess {
  readonly pid: number | undefined;
  /** Never throws for an engine that has ended: that is heard of through `onEnd`. */
  readonly send: (message: ToEngine) => void;
  /** Ends it at once, whatever it is doing. */
  readonly kill: () => void;
}

export interface EngineEvents {
  readonly onMessage: (message: FromEngine) => void;
  /**
   * Called once, after the last message.
   * @param how `exit code 1`, `signal SIGKILL`, or why it could not be started
   * @param said the end of what it wrote to stderr
   */
  readonly onEnd: (how: string, said: string) => void;
}

export type SpawnEngine = (events: EngineEvents) => EngineProcess;

/** Bytes of an engine's stderr kept for error messages. */
const keptBytes = 4096;

/**
 * Sweeps ask for a few megabytes thousands of times, and by default glibc gives such blocks back to the system each time: to be given fresh pages
 * took up to half of a sweep over heads and positions. Elsewhere than on glibc nobody looks at this.
 */
export const keepsPages = { MALLOC_MMAP_THRESHOLD_: String(32 * 2 ** 20), MALLOC_TRIM_THRESHOLD_: String(128 * 2 ** 20) };

/** @param entry what the engine process runs: a script that serves jobs to its parent (engine/jobs/serveJobs.ts) */
export function forkEngine(entry: URL): SpawnEngine {
  return ({ onMessage, onEnd }) => {
    const child = fork(fileURLToPath(entry), [], {
      serialization: 'advanced',
      // What an engine prints goes to our stderr, since stdout may be somebody's JSON.
      stdio: ['ignore', 2, 'pipe', 'ipc'],
      execArgv: [],
      env: { ...keepsPages, ...process.env },
    });
    let said = Buffer.alloc(0);
    let ended = false;
    const end = (how: string): void => {
      if (ended) return;
      ended = true;
      onEnd(how, said.toString('utf8').trim());
    };
    child.stderr?.on('data', (chunk: Buffer) => (said = Buffer.from(Buffer.concat([said, chunk]).subarray(-keptBytes))));
    child.on('message', (message) => onMessage(message as FromEngine));
    // 'close' comes after the streams and the channel have been read to their ends, unlike 'exit'.
    child.on('close', (code, signal) => end(signal ? `signal ${signal}` : `exit code ${code}`));
    child.on('error', (error) => {
      if (child.pid === undefined) end(error.message);
    });
    return {
      pid: child.pid,
      send: (message) => {
        if (child.connected) child.send(message, () => undefined);
      },
      kill: () => void child.kill('SIGKILL'),
    };
  };
}

/** An engine with every job kind, as a child process. */
export const spawnEngine: SpawnEngine = forkEngine(new URL('../../engine/engine.ts', import.meta.url));
