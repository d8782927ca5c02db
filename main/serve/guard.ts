/**
 * Who may speak to a served host: whoever has its token, from a page that it served itself. A page of another origin could otherwise speak to
 * loopback addresses, and one whose name was bound anew to them would even count as the same origin (DNS rebinding).
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import { hostname } from 'node:os';

export interface Headers {
  readonly host?: string | undefined;
  readonly origin?: string | undefined;
}

export class Guard {
  readonly #token: Buffer;
  readonly #names: ReadonlySet<string>;

  /** @param host that is listened on, by which it may be called too */
  constructor(token: string, host: string) {
    this.#token = digest(token);
    this.#names = new Set(['localhost', hostname().toLowerCase(), host.toLowerCase()]);
  }

  /** Whether a request names this machine: by an address, which nobody can bind to another, or by one of its own names. */
  knowsHost({ host }: Headers): boolean {
    const name = nameOf(host);
    return name !== undefined && (isIP(name) !== 0 || this.#names.has(name));
  }

  /** Whether it comes from a page that was served under the same name; one without a page (a script) says no origin. */
  knowsOrigin({ host, origin }: Headers): boolean {
    return origin === undefined || origin.toLowerCase() === `http://${host?.toLowerCase()}`;
  }

  /** Takes the same time whatever is given. */
  knowsToken(given: string | null): boolean {
    return timingSafeEqual(digest(given ?? ''), this.#token);
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** `[::1]:4780` and `localhost:4780` without port and brackets. */
function nameOf(host: string | undefined): string | undefined {
  const [, bracketed, plain] = /^(?:\[([0-9a-f:.]+)\]|([^:[\]/@]+))(?::\d+)?$/i.exec(host ?? '') ?? [];
  return (bracketed ?? plain)?.toLowerCase();
}
