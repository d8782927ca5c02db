/**
 * An Electron program as a user starts it: nothing attached that holds it back, only the DevTools port, through which its page is asked when it
 * was ready. (Playwright keeps an Electron from being ready until it has arrived: e2e's way is for what comes after the start.)
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { BenchFailure } from '../failure.ts';
import { Devtools, Gone, targetsAt } from './devtools.ts';

/** Milliseconds between two looks for the page. */
const LOOK = 5;
const PATIENCE = 120_000;

export class ElectronProgram implements AsyncDisposable {
  /** Milliseconds of the system's clock, just before it was spawned. */
  readonly spawned: number;
  readonly #home: string;
  readonly #child: ChildProcess;
  #log = '';

  /** @param program folder or file that Electron runs, with a home of its own that is empty */
  constructor(executable: string, program: string) {
    this.#home = mkdtempSync(join(tmpdir(), 'gatescope-bench-home-'));
    const env: NodeJS.ProcessEnv = { ...process.env, HOME: this.#home };
    for (const name of ['XDG_CONFIG_HOME', 'XDG_DATA_HOME', 'XDG_CACHE_HOME', 'XDG_DOCUMENTS_DIR']) delete env[name];
    const words = ['--no-sandbox', '--remote-debugging-port=0', `--user-data-dir=${join(this.#home, 'data')}`, program];
    this.spawned = performance.timeOrigin + performance.now();
    this.#child = spawn(executable, words, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const listen = (chunk: Buffer): void => void (this.#log += chunk.toString('utf8'));
    this.#child.stdout?.on('data', listen);
    this.#child.stderr?.on('data', listen);
  }

  /** Waits until the page says that it is there. @param expression a promise of JSON, asked again in every page that comes */
  async ask<T>(expression: string): Promise<T> {
    const end = performance.now() + PATIENCE;
    while (performance.now() < end) {
      if (this.#child.exitCode !== null) throw new BenchFailure(`electron: it ended (${this.#child.exitCode}):\n${this.#log}`);
      const page = await this.#page();
      const found = page === undefined ? undefined : await evaluate<T>(page, expression);
      if (found !== undefined) return found;
      await wait(LOOK);
    }
    throw new BenchFailure(`electron: the page must be ready within ${PATIENCE} ms, got:\n${this.#log}`);
  }

  /** Address of the page's debugger, when there is one. */
  async #page(): Promise<string | undefined> {
    const port = /DevTools listening on ws:\/\/127\.0\.0\.1:(\d+)/.exec(this.#log)?.[1];
    if (port === undefined) return undefined;
    return (await targetsAt(Number(port))).find(({ type }) => type === 'page')?.webSocketDebuggerUrl;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, 'exit');
      this.#child.kill('SIGTERM');
      const patience = setTimeout(() => this.#child.kill('SIGKILL'), 20_000);
      await ended;
      clearTimeout(patience);
    }
    // Its helpers may write a last word.
    rmSync(this.#home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

/** @returns undefined where the page went away meanwhile, whose promise nobody keeps then */
async function evaluate<T>(address: string, expression: string): Promise<T | undefined> {
  try {
    using devtools = await Devtools.to(address, (method) => method === 'Runtime.executionContextsCleared' && devtools.fail());
    await devtools.send('Runtime.enable');
    return await devtools.evaluate<T>(expression);
  } catch (error) {
    if (error instanceof Gone) return undefined;
    throw error;
  }
}
