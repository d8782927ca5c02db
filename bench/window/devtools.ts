/** A line to a debugger, of a page or of a Node: ask, and hear events. As much of the protocol as the bench needs. */
import { setTimeout as wait } from 'node:timers/promises';
import { BenchFailure } from '../failure.ts';

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

/** The line was cut, or what was asked about has gone. */
export class Gone extends Error {
  override readonly name = 'Gone';
}

export class Devtools implements Disposable {
  readonly #socket: WebSocket;
  readonly #asked = new Map<number, { readonly done: (result: unknown) => void; readonly fail: (error: Error) => void }>();
  #next = 0;

  private constructor(socket: WebSocket, onEvent: (method: string) => void) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      const { id, method, result, error } = JSON.parse(String(data)) as Message;
      if (method !== undefined) return onEvent(method);
      const asked = this.#asked.get(id!);
      this.#asked.delete(id!);
      if (error) asked?.fail(new Gone(error.message));
      else asked?.done(result);
    });
    socket.addEventListener('close', () => this.fail());
  }

  /** @throws Gone if nobody is there */
  static async to(address: string, onEvent: (method: string) => void = () => undefined): Promise<Devtools> {
    const socket = new WebSocket(address);
    await new Promise<void>((open, fail) => {
      socket.addEventListener('open', () => open());
      socket.addEventListener('error', () => fail(new Gone(address)));
    });
    return new Devtools(socket, onEvent);
  }

  /** Of a Node that runs: by its signal it opens the port that all of them have. */
  static async toNode(pid: number): Promise<Devtools> {
    process.kill(pid, 'SIGUSR1');
    for (let attempt = 0; attempt < 100; attempt++) {
      await wait(100);
      const [target] = await targetsAt(9229);
      if (target?.webSocketDebuggerUrl === undefined) continue;
      const devtools = await Devtools.to(target.webSocketDebuggerUrl);
      const reached = await devtools.evaluate<number>('process.pid');
      if (reached === pid) return devtools;
      devtools[Symbol.dispose]();
      throw new BenchFailure(`devtools: port 9229 must be free for process ${pid}, is taken by ${reached}`);
    }
    throw new BenchFailure(`devtools: process ${pid} must open its port, it does not`);
  }

  send<T>(method: string, params: object = {}): Promise<T> {
    const id = ++this.#next;
    return new Promise<T>((done, fail) => {
      this.#asked.set(id, { done: done as (result: unknown) => void, fail });
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }

  /** @param expression what it gives, or promises, must be JSON */
  async evaluate<T>(expression: string): Promise<T> {
    type Evaluated = { readonly result: { readonly value: T }; readonly exceptionDetails?: unknown };
    const given = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await this.send<Evaluated>('Runtime.evaluate', given);
    if (exceptionDetails !== undefined) throw new Gone(JSON.stringify(exceptionDetails));
    return result.value;
  }

  /** MiB of JavaScript's memory that are left after a collection. */
  async heap(): Promise<number> {
    for (let i = 0; i < 3; i++) await this.send('HeapProfiler.collectGarbage');
    return (await this.send<{ usedSize: number }>('Runtime.getHeapUsage')).usedSize / 2 ** 20;
  }

  /** Whatever is asked now has no answer. */
  fail(): void {
    for (const { fail } of this.#asked.values()) fail(new Gone('the line was cut'));
    this.#asked.clear();
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

/** What can be debugged at a port; nothing where nobody listens yet. */
export async function targetsAt(port: number): Promise<readonly { readonly type: string; readonly webSocketDebuggerUrl?: string }[]> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/json/list`);
    return (await answer.json()) as { type: string; webSocketDebuggerUrl?: string }[];
  } catch {
    return [];
  }
}
