/**
 * The host: sessions that are open, windows that look at them, engines that work on them. It speaks to windows over wires and to engines by a
 * SpawnEngine, and knows neither Electron nor sockets. What windows may ask is in api/, one file per subject.
 */
import { availableParallelism } from 'node:os';
import { UserError } from '../../engine/base/errors.ts';
import type { JobKind } from '../../engine/contract.ts';
import { jobKinds } from '../../engine/jobs/index.ts';
import { serve } from '../rpc/serve.ts';
import type { Wire } from '../rpc/wire.ts';
import { methodsFor } from './api/index.ts';
import { Paths } from './files/paths.ts';
import { SettingsFile } from './files/settings.ts';
import type { HostEvent } from './hostApi.ts';
import { LiveEngine } from './live/liveEngine.ts';
import { OpenSession } from './openSession.ts';
import { SessionShelf } from './sessions/shelf.ts';
import type { SpawnEngine } from './spawn.ts';
import { throttled } from './throttled.ts';

/** Milliseconds that a session without windows and work stays open: a page that is loaded again finds it as it was. */
const GRACE = 5000;
/** Milliseconds between two words about the list of sessions. */
const LIST_PACE = 500;

export interface HostOptions {
  readonly spawn: SpawnEngine;
  readonly cores?: number;
  /** Settings and the list of recent sessions. */
  readonly userData: string;
  readonly sessionsFolder: string;
  /** What lies outside is out of reach. */
  readonly root?: string;
  readonly served: boolean;
  readonly demonstration?: string;
  readonly clock?: () => Date;
  readonly onBug?: (error: unknown, method: string) => void;
  /** What the engines know; all kinds of jobs unless given. */
  readonly kinds?: readonly JobKind[];
  /** Milliseconds. */
  readonly grace?: number;
}

/** A window as the host knows it. */
export interface HostWindow {
  readonly send: (event: HostEvent) => void;
  /** What it is attached to. */
  session: OpenSession | undefined;
}

export class Host implements AsyncDisposable {
  readonly options: HostOptions;
  readonly paths: Paths;
  readonly settings: SettingsFile;
  readonly shelf: SessionShelf;
  readonly live: LiveEngine;
  readonly clock: () => Date;
  readonly #windows = new Set<HostWindow>();
  /** By resolved path. */
  readonly #open = new Map<string, OpenSession>();
  readonly #closing = new Map<string, Promise<void>>();
  readonly #busyListeners = new Set<(jobs: number) => void>();
  readonly #listChanged = throttled(LIST_PACE, () => this.#tellAll({ type: 'sessions' }));
  #jobs = 0;
  #busy = 0;
  #disposed = false;

  constructor(options: HostOptions) {
    this.options = options;
    this.clock = options.clock ?? (() => new Date());
    this.paths = new Paths(options.root);
    this.settings = new SettingsFile(options.userData);
    this.live = new LiveEngine(options.spawn);
    this.shelf = new SessionShelf({ ...options, paths: this.paths, clock: this.clock, open: (path) => this.#open.get(path)?.session });
  }

  get cores(): number {
    return this.options.cores ?? availableParallelism();
  }

  /** How many jobs run or wait. */
  get busy(): number {
    return this.#busy;
  }

  /** @returns a way to stop listening */
  onBusy(listener: (jobs: number) => void): () => void {
    this.#busyListeners.add(listener);
    return () => this.#busyListeners.delete(listener);
  }

  /** A window: it is served until its wire closes. */
  connect(wire: Wire): void {
    const onBug = this.options.onBug ?? ((error: unknown) => console.error(error));
    const window: HostWindow = { session: undefined, send: (event) => served.send(event) };
    const served = serve<HostEvent>(methodsFor(this, window), wire, onBug);
    this.#windows.add(window);
    wire.onClose(() => {
      this.#windows.delete(window);
      this.live.forget(window);
      this.detach(window);
    });
  }

  /** Attaches a window to the session at a path, which is opened if it is not open yet. @throws UserError if it cannot be */
  async attach(window: HostWindow, path: string): Promise<OpenSession> {
    await this.#closing.get(path);
    if (this.#disposed) throw new UserError('host', 'must not be about to end', path);
    const opened = this.#open.get(path) ?? this.#openNow(path);
    if (window.session !== opened) this.detach(window);
    window.session = opened;
    window.send({ type: 'jobs', jobs: opened.board.jobs });
    return opened;
  }

  detach(window: HostWindow): void {
    const { session } = window;
    window.session = undefined;
    if (session) this.#closeLater(session);
  }

  /** Lets go of a session that nobody looks at and nothing works on. @throws UserError if somebody does */
  async release(path: string, place: string): Promise<void> {
    const session = this.#open.get(path);
    if (session && this.#isNeeded(session)) throw new UserError(place, 'must not be open', path);
    if (session) await this.#close(session);
    await this.#closing.get(path);
  }

  /** The list of sessions is another. */
  listChanged(): void {
    this.#listChanged.ask();
  }

  /** The session at a path, if it is open here. */
  opened(path: string): OpenSession | undefined {
    return this.#open.get(path);
  }

  /** Calls all work off, stores what can be stored, closes sessions, ends engines. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    this.#listChanged.stop();
    await Promise.all([...[...this.#open.values()].map((session) => this.#close(session)), this.live.dispose(), ...this.#closing.values()]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  #openNow(path: string): OpenSession {
    const { spawn, kinds = jobKinds, demonstration } = this.options;
    const opened: OpenSession = new OpenSession(path, {
      spawn,
      kinds,
      cores: this.cores,
      paths: this.paths,
      clock: this.clock,
      nextJob: () => ++this.#jobs,
      readOnly: demonstration !== undefined && path === this.paths.resolved(demonstration),
      send: (event) => {
        for (const window of this.#windows) if (window.session === opened) window.send(event);
      },
      onBusy: () => this.#count(opened),
    });
    this.#open.set(opened.path, opened);
    return opened;
  }

  #isNeeded(session: OpenSession): boolean {
    return session.board.busy > 0 || [...this.#windows].some((window) => window.session === session);
  }

  #closeLater(session: OpenSession): void {
    setTimeout(() => {
      if (this.#open.get(session.path) === session && !this.#isNeeded(session)) void this.#close(session);
    }, this.options.grace ?? GRACE).unref();
  }

  async #close(session: OpenSession): Promise<void> {
    const { path } = session;
    this.#open.delete(path);
    const closing = session.close().finally(() => this.#closing.delete(path));
    this.#closing.set(path, closing);
    await closing;
    this.#count();
    if (!this.#disposed) this.listChanged();
  }

  /** @param session whose work may be over, so that nothing may need it any more */
  #count(session?: OpenSession): void {
    const busy = [...this.#open.values()].reduce((jobs, { board }) => jobs + board.busy, 0);
    if (session && !this.#isNeeded(session)) this.#closeLater(session);
    if (busy === this.#busy) return;
    this.#busy = busy;
    for (const listener of this.#busyListeners) listener(busy);
  }

  #tellAll(event: HostEvent): void {
    for (const window of this.#windows) window.send(event);
  }
}
