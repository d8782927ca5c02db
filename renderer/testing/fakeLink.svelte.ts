/** A connection that opens, is lost and comes back when a test says so. */
import { Disconnected } from '../../main/rpc/client.ts';
import type { Host, Link } from '../state/connection.svelte.ts';

export class FakeLink {
  #link = $state.raw<Link>({ state: 'connecting' });
  readonly #host: Host;
  readonly #onOpen: (host: Host) => void;
  /** How often the window asked for the host to be started again. */
  restarts = 0;

  constructor(host: Host, onOpen: (host: Host) => void) {
    this.#host = host;
    this.#onOpen = onOpen;
  }

  get link(): Link {
    return this.#link;
  }

  get host(): Host {
    if (this.#link.state !== 'open') throw new Disconnected();
    return this.#host;
  }

  open(): void {
    this.#link = { state: 'open' };
    this.#onOpen(this.#host);
  }

  lose(how: string, retrying = false): void {
    this.#link = { state: 'lost', how, retrying };
  }

  restart(): void {
    this.restarts++;
    this.open();
  }
}
