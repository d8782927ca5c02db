/**
 * The way to the host, kept open: a MessagePort that the shell hands over, or a WebSocket in served mode. Says whether it is there; what is
 * asked through it is for others.
 */
import { connect, Disconnected } from '../../main/rpc/client.ts';
import { socketWire } from '../../main/rpc/socketWire.ts';
import type { Remote, Wire } from '../../main/rpc/wire.ts';
import type { HostApi, HostEvent } from '../../main/host/hostApi.ts';
import type { Desktop } from '../../main/shell/desktop.ts';

declare global {
  interface Window {
    /** What the shell lends the page; absent in a browser. */
    readonly desktop?: Desktop;
  }
}

export type Host = Remote<HostApi>;

export type Link =
  | { readonly state: 'connecting' }
  | { readonly state: 'open' }
  /** @param how what happened, in words */
  | { readonly state: 'lost'; readonly how: string; readonly retrying: boolean };

/** Milliseconds between attempts to reach a served host again. */
const RETRY = 1000;
/** Milliseconds that a served host has to say whether it is there at all. */
const PATIENCE = 5000;
const REFUSED =
  'the program that serves this page was started anew and no longer knows this page: open the address that `gatescope serve` printed';

export class Connection {
  #link = $state<Link>({ state: 'connecting' });
  #host: Host | undefined;
  /** Served mode: the only one that counts. */
  #socket: WebSocket | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  readonly #onEvent: (event: HostEvent) => void;
  readonly #onOpen: (host: Host) => void;

  /** @param onOpen called for every new host: nothing is attached in it yet */
  constructor(onEvent: (event: HostEvent) => void, onOpen: (host: Host) => void) {
    this.#onEvent = onEvent;
    this.#onOpen = onOpen;
  }

  get link(): Link {
    return this.#link;
  }

  /** @throws Disconnected while there is none */
  get host(): Host {
    if (!this.#host) throw new Disconnected();
    return this.#host;
  }

  begin(): void {
    if (window.desktop) this.#beginDesktop(window.desktop);
    else this.#beginServed();
  }

  /** Starts the host again after it has ended for good. */
  restart(): void {
    this.#link = { state: 'connecting' };
    if (window.desktop) window.desktop.restartHost();
    else this.#beginServed();
  }

  #beginDesktop(desktop: Desktop): void {
    window.addEventListener('message', ({ data, ports, source }) => {
      if (data === 'host:port' && source === window && ports[0]) this.#open(portWire(ports[0]));
    });
    desktop.onHost(({ state, how = 'it ended', said }) => {
      if (state === 'running') desktop.connect();
      // The first there is: nothing has been lost.
      else if (state !== 'starting' || this.#link.state !== 'connecting') this.#lose(said ? `${how}: ${said}` : how, state === 'starting');
    });
  }

  /** One socket and one timer, however often this is asked for: what an earlier one still does is nobody's business. */
  #beginServed(): void {
    clearTimeout(this.#retry);
    this.#socket?.close();
    const token = tokenOfAddress();
    const address = new URL('/host', location.href);
    address.protocol = address.protocol.replace('http', 'ws');
    address.searchParams.set('token', token);
    address.hash = '';
    const socket = (this.#socket = new WebSocket(address));
    const wire = socketWire(socket, (id) =>
      fetch(`/blob/${id}?token=${encodeURIComponent(token)}`).then((response) => {
        if (!response.ok) throw new Error(`blob ${id}: ${response.status}`);
        return response.arrayBuffer();
      }),
    );
    let opened = false;
    socket.addEventListener('open', () => {
      if (socket !== this.#socket) return;
      opened = true;
      this.#open(wire);
    });
    wire.onClose(() => void this.#servedEnded(socket, opened));
  }

  async #servedEnded(socket: WebSocket, opened: boolean): Promise<void> {
    // A server that answers but takes no socket has another token: it was started anew.
    const how = !opened && (await isServed()) ? REFUSED : 'the program that serves this page cannot be reached';
    if (socket !== this.#socket) return;
    this.#lose(how, true);
    this.#retry = setTimeout(() => this.#beginServed(), RETRY);
  }

  #open(wire: Wire): void {
    const host = connect<HostApi, HostEvent>(wire, this.#onEvent);
    this.#host = host;
    wire.onClose(() => {
      if (this.#host === host) this.#lose('the host has ended', true);
    });
    this.#link = { state: 'open' };
    this.#onOpen(host);
  }

  #lose(how: string, retrying: boolean): void {
    this.#host = undefined;
    this.#link = { state: 'lost', how, retrying };
  }
}

/** Whether somebody answers at the page's address, whatever the answer is. */
const isServed = (): Promise<boolean> =>
  fetch('/', { method: 'HEAD', cache: 'no-store', signal: AbortSignal.timeout(PATIENCE) }).then(
    () => true,
    () => false,
  );

function portWire(port: MessagePort): Wire {
  // Chromium 114 crashes when a page goes away that listens for the end of its ports.
  addEventListener('pagehide', () => port.close(), { once: true });
  return {
    post: (message) => port.postMessage(message),
    onMessage: (listener) => (port.onmessage = ({ data }) => listener(data)),
    onClose: (listener) => port.addEventListener('close', listener, { once: true }),
  };
}

/** The token is in the fragment of the printed address, which no server log sees; a reload finds it in the tab's own storage. */
function tokenOfAddress(): string {
  const given = new URLSearchParams(location.hash.slice(1)).get('token');
  if (given) {
    sessionStorage.setItem('token', given);
    history.replaceState(null, '', location.pathname);
  }
  return given ?? sessionStorage.getItem('token') ?? '';
}
