/**
 * What the host and the process that started it say to each other: the shell's main process, over a utility process's parent port or over a
 * fork's channel. Served mode and the command line have the host in their own process and need none of this.
 *
 * A utility process is given MessagePorts, by which windows and engines speak to the host directly. A fork cannot be given any: what windows
 * say is relayed by its parent, and it starts its engines itself.
 */

/** Settings of a host process, in the environment variable {@link HOST_SETTINGS}, as JSON. */
export interface HostSettings {
  /** Settings and the list of recent sessions. */
  readonly userData: string;
  readonly sessionsFolder: string;
  readonly demonstration?: string;
  /** `ports` in a utility process, `relay` in a fork. */
  readonly transport: 'ports' | 'relay';
}

export const HOST_SETTINGS = 'GATESCOPE_HOST';

export type ToHost =
  /** Under `ports`, with the window's port. */
  | { readonly type: 'window'; readonly window: number }
  /** Under `relay`. */
  | { readonly type: 'message'; readonly window: number; readonly data: unknown }
  | { readonly type: 'gone'; readonly window: number }
  /** Under `ports`, with the engine's port. */
  | { readonly type: 'engine'; readonly engine: number; readonly pid: number | undefined }
  | { readonly type: 'engineEnded'; readonly engine: number; readonly how: string; readonly said: string }
  /** Store what can be stored, close sessions, end. */
  | { readonly type: 'end' };

export type FromHost =
  | { readonly type: 'ready' }
  /** Every second: silence means that it hangs. */
  | { readonly type: 'alive' }
  | { readonly type: 'message'; readonly window: number; readonly data: unknown }
  /** Under `ports`. */
  | { readonly type: 'startEngine'; readonly engine: number }
  | { readonly type: 'killEngine'; readonly engine: number }
  /** How many jobs run or wait: asked about before the program ends. */
  | { readonly type: 'busy'; readonly jobs: number };
