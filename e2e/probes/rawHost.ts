/**
 * Calls the host from a page of ours in which nothing runs, so that what is tested is the way to it and not the window: an image has the
 * shell's preload script too. Speaks birpc's messages by hand, as main/rpc/client.ts would.
 */
import type { Page } from '@playwright/test';
import type { HostState } from '../../main/shell/desktop.ts';

interface Answer {
  readonly result?: unknown;
  readonly failure?: { readonly kind: string; readonly message: string };
}

interface RawWindow extends Window {
  port?: MessagePort;
  connections: number;
  states: HostState[];
}

export class RawHost {
  readonly #page: Page;

  private constructor(page: Page) {
    this.#page = page;
  }

  static async on(page: Page): Promise<RawHost> {
    await page.goto('app://gatescope/icon.svg');
    await page.evaluate(() => {
      const own = window as unknown as RawWindow & { desktop: { onHost(listener: (state: HostState) => void): void } };
      Object.assign(own, { connections: 0, states: [] });
      own.addEventListener('message', ({ data, ports }) => {
        if (data !== 'host:port') return;
        own.port = ports[0];
        own.connections++;
      });
      own.desktop.onHost((state) => own.states.push(state));
    });
    return new RawHost(page);
  }

  /** Waits for a new port. */
  async connect(): Promise<void> {
    const before = await this.#page.evaluate(() => {
      const own = window as unknown as RawWindow & { desktop: { connect(): void } };
      own.desktop.connect();
      return own.connections;
    });
    await this.#page.waitForFunction((count) => (window as unknown as RawWindow).connections > count, before);
  }

  async call(method: string, given: object = {}): Promise<unknown> {
    const answer = await this.#page.evaluate(
      ([name, argument]) =>
        new Promise<Answer>((resolve, reject) => {
          const { port } = window as unknown as RawWindow;
          if (!port) return reject(new Error('not connected'));
          const id = crypto.randomUUID();
          port.onmessage = ({ data }: MessageEvent<{ t: string; i: string; r: Answer; e?: unknown }>) => {
            if (data.t === 's' && data.i === id) resolve(data.r);
          };
          port.postMessage({ t: 'q', i: id, m: 'call', a: [1, name, argument] });
        }),
      [method, given] as const,
    );
    if (answer.failure) throw new Error(answer.failure.message);
    return answer.result;
  }

  /** All that was told, in order. */
  states(): Promise<HostState[]> {
    return this.#page.evaluate(() => (window as unknown as RawWindow).states);
  }

  /** Waits until the host is in a state, having been told of more than `after` before. */
  async waitFor(state: HostState['state'], after = 0): Promise<HostState> {
    const found = await this.#page.waitForFunction(
      ([wanted, skipped]) => (window as unknown as RawWindow).states.slice(skipped).find((one) => one.state === wanted),
      [state, after] as const,
    );
    return (await found.jsonValue())!;
  }
}
