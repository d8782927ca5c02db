/**
 * What the window and the host say to each other, over whatever carries plain data: a MessagePort in Electron, a WebSocket in served mode.
 * Neither Node nor DOM is known here, so that both ends share it.
 */
import type { Failure } from '../../engine/base/errors.ts';

/** Carries messages that survive structured clone. Posting never throws: a wire that has closed is heard of through `onClose`. */
export interface Wire {
  readonly post: (message: unknown) => void;
  readonly onMessage: (listener: (message: unknown) => void) => void;
  /** The listener is called once, also if the wire has closed already. */
  readonly onClose: (listener: () => void) => void;
}

/** What a method is given besides its arguments. */
export interface CallContext<Progress = unknown> {
  /** Fires when the caller calls it off, or is gone. */
  readonly signal: AbortSignal;
  readonly progress: (progress: Progress) => void;
}

export interface CallOptions<Progress = unknown> {
  readonly signal?: AbortSignal;
  readonly progress?: (progress: Progress) => void;
}

/** A method of the host: one object of arguments, and a context. */
export type Method<Arguments = never, Result = unknown> = (given: Arguments, context: CallContext) => Result | Promise<Result>;

/** The same as its caller sees it. */
export type Remote<Api> = {
  readonly [Name in keyof Api]: Api[Name] extends (given: infer Arguments, context: CallContext<infer Progress>) => infer Result
    ? (given: Arguments, options?: CallOptions<Progress>) => Promise<Awaited<Result>>
    : never;
};

/** How a call ends: errors keep their class across the wire. */
export type Outcome = { readonly result: unknown } | { readonly failure: Failure };

/** What the host does for the window. */
export interface HostEnd {
  readonly call: (id: number, method: string, given: unknown) => Promise<Outcome>;
  readonly cancel: (id: number) => void;
}

/** What the window hears. */
export interface WindowEnd {
  readonly progress: (id: number, progress: unknown) => void;
  readonly event: (event: unknown) => void;
}
