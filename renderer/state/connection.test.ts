import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Connection, type Host } from './connection.svelte.ts';

/** A socket that opens and closes when a test says so. */
class FakeSocket extends EventTarget {
  static readonly made: FakeSocket[] = [];
  binaryType = 'blob';
  readyState: number = WebSocket.CONNECTING;
  readonly address: URL;

  constructor(address: URL) {
    super();
    this.address = address;
    FakeSocket.made.push(this);
  }

  send(): void {
    // nobody listens
  }

  close(): void {
    this.end();
  }

  open(): void {
    this.readyState = WebSocket.OPEN;
    this.dispatchEvent(new Event('open'));
  }

  end(): void {
    if (this.readyState === WebSocket.CLOSED) return;
    this.readyState = WebSocket.CLOSED;
    this.dispatchEvent(new Event('close'));
  }
}

const ANSWER = { ok: true } as Response;

describe('a served connection', () => {
  const hosts: Host[] = [];
  let answers = false;
  let connection: Connection;

  const last = (): FakeSocket => FakeSocket.made.at(-1)!;
  const alive = (): FakeSocket[] => FakeSocket.made.filter(({ readyState }) => readyState !== WebSocket.CLOSED);
  /** Lets answers arrive and the timer run. */
  const later = (milliseconds = 1000): Promise<unknown> => vi.advanceTimersByTimeAsync(milliseconds);

  beforeEach(() => {
    vi.useFakeTimers();
    FakeSocket.made.length = hosts.length = 0;
    answers = false;
    const { CONNECTING, OPEN, CLOSING, CLOSED } = WebSocket;
    vi.stubGlobal('WebSocket', Object.assign(FakeSocket, { CONNECTING, OPEN, CLOSING, CLOSED }));
    vi.stubGlobal('fetch', () => (answers ? Promise.resolve(ANSWER) : Promise.reject(new TypeError('refused'))));
    sessionStorage.setItem('token', 'the token');
    connection = new Connection(
      () => undefined,
      (host) => hosts.push(host),
    );
    connection.begin();
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
    sessionStorage.removeItem('token');
  });

  it('asks with the token and is open when the socket is', () => {
    expect(last().address.pathname).toBe('/host');
    expect(last().address.searchParams.get('token')).toBe('the token');
    expect(connection.link.state).toBe('connecting');
    last().open();
    expect(connection.link.state).toBe('open');
    expect(connection.host).toBe(hosts[0]);
  });

  it('reaches a host that comes back, by itself and as often as that takes', async () => {
    last().open();
    last().end();
    expect(connection.link).toMatchObject({ state: 'lost', retrying: true });
    expect(() => connection.host).toThrow('the host has gone');
    for (let attempt = 0; attempt < 3; attempt++) {
      await later();
      expect(FakeSocket.made).toHaveLength(attempt + 2);
      last().end();
    }
    await later();
    last().open();
    expect(connection.link.state).toBe('open');
    expect(hosts).toHaveLength(2);
    expect(connection.host).toBe(hosts[1]);
  });

  it('whoever tries again leaves one socket and one timer', async () => {
    last().open();
    last().end();
    for (let i = 0; i < 5; i++) {
      connection.restart();
      await later(10);
    }
    expect(alive()).toHaveLength(1);
    last().end();
    await later(0);
    const before = FakeSocket.made.length;
    await later();
    expect(FakeSocket.made.length - before).toBe(1);
    last().open();
    await later(10_000);
    expect(FakeSocket.made.length - before).toBe(1);
    expect(alive()).toEqual([last()]);
    expect(hosts).toHaveLength(2);
  });

  it('the end of a socket that was left does not end the one that is open', () => {
    const [first] = FakeSocket.made;
    vi.spyOn(first, 'close').mockImplementation(() => undefined);
    connection.restart();
    last().open();
    first.open();
    first.end();
    expect(connection.link.state).toBe('open');
    expect(hosts).toHaveLength(1);
  });

  it('a server that answers but refuses the socket was started anew: the page says what to open', async () => {
    answers = true;
    last().end();
    await later(0);
    expect(connection.link).toMatchObject({ state: 'lost', how: expect.stringContaining('open the address') as string });
    answers = false;
    await later();
    last().end();
    await later(0);
    expect(connection.link).toMatchObject({ state: 'lost', how: expect.stringContaining('cannot be reached') as string });
  });
});
