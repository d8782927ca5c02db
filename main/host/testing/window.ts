/** A host with a folder of its own, and windows on it that speak to it over a real channel. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { writeOwnImages } from '../../cli/testing/ownImages.ts';
import { connect } from '../../rpc/client.ts';
import type { Remote, Wire } from '../../rpc/wire.ts';
import { Host, type HostOptions } from '../host.ts';
import type { HostApi, HostEvent, Job } from '../hostApi.ts';
import { engineHere } from './engineHere.ts';

export type Api = Remote<HostApi>;

export interface TestWindow {
  readonly api: Api;
  readonly events: HostEvent[];
  readonly close: () => void;
}

export function wireOf(port: MessagePort): Wire {
  return {
    post: (message) => port.postMessage(message),
    onMessage: (listener) => void port.on('message', listener),
    onClose: (listener) => void port.on('close', listener),
  };
}

export class HostFixture implements AsyncDisposable {
  readonly folder: string;
  readonly host: Host;
  /** What went wrong that is nobody's mistake. */
  readonly bugs: unknown[] = [];
  readonly #windows: TestWindow[] = [];
  readonly #ownsFolder: boolean;

  /** @param folder one that goes on, of an earlier host; else one that goes with this one */
  constructor(options: Partial<HostOptions> = {}, folder?: string) {
    this.#ownsFolder = folder === undefined;
    this.folder = folder ?? mkdtempSync(join(tmpdir(), 'gatescope-host-'));
    this.host = new Host({
      spawn: engineHere,
      cores: 2,
      userData: this.at('user'),
      sessionsFolder: this.at('sessions'),
      served: false,
      grace: 0,
      onBug: (error) => this.bugs.push(error),
      ...options,
    });
  }

  at(...names: string[]): string {
    return join(this.folder, ...names);
  }

  /** Three classes of small images. @returns their file */
  images(name = 'own.npz', seed = 1): string {
    writeOwnImages(this.at(name), seed);
    return this.at(name);
  }

  window(): TestWindow {
    const { port1, port2 } = new MessageChannel();
    this.host.connect(wireOf(port1));
    const events: HostEvent[] = [];
    const api = connect<HostApi, HostEvent>(wireOf(port2), (event) => events.push(event));
    const window = { api, events, close: () => port2.close() };
    this.#windows.push(window);
    return window;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { close } of this.#windows) close();
    await this.host.dispose();
    if (this.#ownsFolder) rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Waits until a job has come to rest. */
export async function settled(api: Api, id: number): Promise<Job> {
  for (;;) {
    const job = (await api.jobs({})).find((one) => one.id === id);
    if (!job) throw new Error(`no job ${id}`);
    if (job.state !== 'waiting' && job.state !== 'running') return job;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Of a foundation that is trained in a moment. */
export const brief = (source: string, more: object = {}) => ({
  epochs: 8,
  batch: 20,
  hidden: [8, 6],
  angles: [0, 45],
  seed: 3,
  data: { source },
  ...more,
});
