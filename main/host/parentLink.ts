/** The way from a host process to the process that started it: a utility process's parent port, or a fork's channel. */
import type { FromHost, ToHost } from './parent.ts';

/** What is used of a port, which may be Node's or Electron's: the one hands over the data, the other an event with them. */
export interface Port {
  postMessage(message: unknown): void;
  on(event: 'message', listener: (event: { readonly data: unknown }) => void): unknown;
  on(event: 'close', listener: () => void): unknown;
  start(): void;
}

export interface ParentLink {
  readonly send: (message: FromHost) => void;
  /** @param listener the port comes with messages of type `window` and `engine` */
  readonly onMessage: (listener: (message: ToHost, port?: Port) => void) => void;
  /** The parent has gone. */
  readonly onGone: (listener: () => void) => void;
}

/** Electron's `process.parentPort`. */
interface ParentPort {
  postMessage(message: unknown): void;
  on(event: 'message', listener: (event: { readonly data: unknown; readonly ports: readonly Port[] }) => void): unknown;
}

/** @throws Error in a process that was not started as a utility process */
export function portLink(): ParentLink {
  const { parentPort } = process as typeof process & { readonly parentPort?: ParentPort };
  if (!parentPort) throw new Error('host: must be a utility process for transport "ports"');
  return {
    send: (message) => parentPort.postMessage(message),
    onMessage: (listener) => void parentPort.on('message', ({ data, ports }) => listener(data as ToHost, ports[0])),
    // Electron ends a utility process with its parent.
    onGone: () => undefined,
  };
}

/** @throws Error in a process that was not forked */
export function forkLink(): ParentLink {
  if (!process.send) throw new Error('host: must be forked for transport "relay"');
  const send = process.send.bind(process);
  return {
    send: (message) => {
      if (process.connected) send(message, undefined, undefined, () => undefined);
    },
    onMessage: (listener) => void process.on('message', (message) => listener(message as ToHost)),
    onGone: (listener) => void process.on('disconnect', listener),
  };
}
