/**
 * A host as a process of its own: what its parent says becomes windows and engines, as parent.ts has it. Under `ports` both speak to the host
 * directly; under `relay` windows speak through the parent, and the host starts its engines itself.
 */
import type { FromEngine, ToEngine } from '../../engine/contract.ts';
import type { Wire } from '../rpc/wire.ts';
import { Host, type HostOptions } from './host.ts';
import type { FromHost, HostSettings, ToHost } from './parent.ts';
import type { ParentLink, Port } from './parentLink.ts';
import type { EngineEvents, SpawnEngine } from './spawn.ts';

/** Milliseconds between two signs of life. */
const PULSE = 1000;

export interface HostProcessOptions {
  readonly settings: HostSettings;
  readonly link: ParentLink;
  /** Starts engines under `relay`. */
  readonly fork: SpawnEngine;
  /** Ends the process. */
  readonly exit: () => void;
}

/** Runs until the parent says that it is to end, or is gone. */
export function runHost({ settings, link, fork, exit }: HostProcessOptions): Host {
  const { userData, sessionsFolder, demonstration, transport } = settings;
  const engines = new AskedEngines(link.send);
  const relayed = new RelayedWindows(link.send);
  const options: HostOptions = {
    userData,
    sessionsFolder,
    ...(demonstration !== undefined && { demonstration }),
    served: false,
    spawn: transport === 'ports' ? engines.spawn : fork,
  };
  const host = new Host(options);
  host.onBusy((jobs) => link.send({ type: 'busy', jobs }));
  let ending: Promise<void> | undefined;
  const end = (): void => void (ending ??= host.dispose().finally(exit));

  const receive = (message: ToHost, port?: Port): void => {
    switch (message.type) {
      case 'window':
        if (port) host.connect(portWire(port));
        return;
      case 'message':
        return relayed.receive(message.window, message.data, (wire) => host.connect(wire));
      case 'gone':
        return relayed.gone(message.window);
      case 'engine':
        return engines.started(message.engine, message.pid, port);
      case 'engineEnded':
        return engines.ended(message.engine, message.how, message.said);
      case 'end':
        return end();
      default:
        return message satisfies never;
    }
  };
  link.onMessage(receive);
  link.onGone(end);
  link.send({ type: 'ready' });
  setInterval(() => link.send({ type: 'alive' }), PULSE).unref();
  return host;
}

/** A window's port. */
export function portWire(port: Port): Wire {
  const closed = new Once();
  port.on('close', () => closed.happen());
  return {
    post: (message) => port.postMessage(message),
    onMessage: (listener) => {
      port.on('message', ({ data }) => listener(data));
      port.start();
    },
    onClose: (listener) => closed.listen(listener),
  };
}

/** Windows that speak through the parent, by their numbers: one that is heard for the first time is new. */
class RelayedWindows {
  readonly #send: (message: FromHost) => void;
  readonly #windows = new Map<number, { listener: (message: unknown) => void; readonly closed: Once }>();

  constructor(send: (message: FromHost) => void) {
    this.#send = send;
  }

  receive(window: number, data: unknown, connect: (wire: Wire) => void): void {
    let known = this.#windows.get(window);
    if (!known) {
      const fresh = { listener: (_message: unknown): void => undefined, closed: new Once() };
      this.#windows.set(window, (known = fresh));
      connect({
        post: (message) => {
          if (!fresh.closed.happened) this.#send({ type: 'message', window, data: message });
        },
        onMessage: (listener) => void (fresh.listener = listener),
        onClose: (listener) => fresh.closed.listen(listener),
      });
    }
    known.listener(data);
  }

  gone(window: number): void {
    this.#windows.get(window)?.closed.happen();
    this.#windows.delete(window);
  }
}

interface AskedEngine {
  readonly events: EngineEvents;
  /** What is said before its port has come. */
  readonly unsent: ToEngine[];
  pid: number | undefined;
  port: Port | undefined;
  ended: boolean;
}

/** Engines that the parent starts: utility processes may not start any themselves. */
class AskedEngines {
  readonly #send: (message: FromHost) => void;
  readonly #engines = new Map<number, AskedEngine>();
  #asked = 0;

  constructor(send: (message: FromHost) => void) {
    this.#send = send;
  }

  readonly spawn: SpawnEngine = (events) => {
    const id = ++this.#asked;
    const engine: AskedEngine = { events, unsent: [], pid: undefined, port: undefined, ended: false };
    this.#engines.set(id, engine);
    this.#send({ type: 'startEngine', engine: id });
    return {
      get pid() {
        return engine.pid;
      },
      send: (message) => {
        if (engine.ended) return;
        if (engine.port) engine.port.postMessage(message);
        else engine.unsent.push(message);
      },
      kill: () => {
        if (!engine.ended) this.#send({ type: 'killEngine', engine: id });
      },
    };
  };

  started(id: number, pid: number | undefined, port: Port | undefined): void {
    const engine = this.#engines.get(id);
    if (!engine || !port) return;
    engine.pid = pid;
    engine.port = port;
    port.on('message', ({ data }) => {
      if (!engine.ended) engine.events.onMessage(data as FromEngine);
    });
    port.start();
    for (const message of engine.unsent.splice(0)) port.postMessage(message);
  }

  ended(id: number, how: string, said: string): void {
    const engine = this.#engines.get(id);
    if (!engine || engine.ended) return;
    engine.ended = true;
    this.#engines.delete(id);
    engine.events.onEnd(how, said);
  }
}

/** Something that happens once, also for those who come too late. */
class Once {
  happened = false;
  readonly #listeners: (() => void)[] = [];

  happen(): void {
    if (this.happened) return;
    this.happened = true;
    for (const listener of this.#listeners.splice(0)) listener();
  }

  listen(listener: () => void): void {
    if (this.happened) listener();
    else this.#listeners.push(listener);
  }
}
