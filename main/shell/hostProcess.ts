/**
 * Keeps a host running: starts it, gives windows their ports once it is ready, starts it again when it dies (after three deaths in a minute
 * only on request), and lets it end in order. How it runs is hostChannel.ts's business, what it does the host's.
 */
import { MessageChannelMain, type MessagePortMain } from 'electron';
import type { HostState } from './desktop.ts';
import type { HostChannel, StartHost } from './hostChannel.ts';
import { Watchdog } from '../host/watchdog.ts';
import { Restarts } from './restarts.ts';

/** Milliseconds without a sign of life after which a host counts as hung. Checking a large file on a slow disk may keep it silent for a while. */
const silence = 60_000;
/** Milliseconds a host is given to store what can be stored. */
const patience = 15_000;

export class HostProcess {
  readonly #startHost: StartHost;
  readonly #onState: (state: HostState) => void;
  readonly #restarts = new Restarts();
  /** Windows that wait for a port, by key. */
  readonly #waiting = new Map<number, (port: MessagePortMain) => void>();
  #channel: HostChannel | undefined;
  #state: HostState = { state: 'starting' };
  #windows = 0;
  #jobs = 0;
  #ending = false;
  #onEnded: (() => void) | undefined;
  #watchdog: Watchdog | undefined;
  #hung = false;

  constructor(startHost: StartHost, onState: (state: HostState) => void) {
    this.#startHost = startHost;
    this.#onState = onState;
  }

  get state(): HostState {
    return this.#state;
  }

  /** How many jobs run or wait. */
  get jobs(): number {
    return this.#jobs;
  }

  start(): void {
    if (this.#channel || this.#ending) return;
    this.#change({ state: 'starting' });
    this.#channel = this.#startHost({
      onReady: () => {
        this.#change({ state: 'running' });
        this.#hung = false;
        this.#watchdog = new Watchdog(silence, () => {
          this.#hung = true;
          this.#channel?.kill();
        });
        for (const deliver of this.#waiting.values()) this.#attach(deliver);
        this.#waiting.clear();
      },
      onBusy: (jobs) => (this.#jobs = jobs),
      onAlive: () => this.#watchdog?.heard(),
      onEnd: (how, said) => this.#ended(this.#hung ? `no sign of life for ${silence / 1000} s` : how, said),
    });
  }

  /** Somebody asks for it, after it has died too often. */
  restart(): void {
    this.#restarts.forget();
    this.start();
  }

  /** Delivers a port to the host, now or as soon as there is one. @param window key: a later wish takes the place of an earlier one */
  connect(window: number, deliver: (port: MessagePortMain) => void): void {
    if (this.#state.state === 'running') this.#attach(deliver);
    else this.#waiting.set(window, deliver);
  }

  /** Resolves when it has ended, by itself or else by force. */
  async end(): Promise<void> {
    this.#ending = true;
    const channel = this.#channel;
    if (!channel) return;
    const ended = new Promise<void>((resolve) => (this.#onEnded = resolve));
    channel.end();
    const timer = setTimeout(() => channel.kill(), patience);
    await ended;
    clearTimeout(timer);
  }

  #attach(deliver: (port: MessagePortMain) => void): void {
    const { port1, port2 } = new MessageChannelMain();
    this.#channel?.attach(this.#windows++, port1);
    deliver(port2);
  }

  #ended(how: string, said: string): void {
    this.#watchdog?.[Symbol.dispose]();
    this.#channel = undefined;
    this.#jobs = 0;
    if (this.#ending) return this.#onEnded?.();
    console.error(`gatescope: the host has ended (${how})`);
    this.#change({ state: 'ended', how, said });
    const wait = this.#restarts.afterDeath(performance.now());
    if (wait !== undefined) setTimeout(() => this.start(), wait);
  }

  #change(state: HostState): void {
    this.#state = state;
    this.#onState(state);
  }
}
