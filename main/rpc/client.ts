/** The window's end of a wire: the host's methods as functions that can be called off, and its events. */
import { createBirpc } from 'birpc';
import { Cancelled, fromFailure } from '../../engine/base/errors.ts';
import type { CallOptions, HostEnd, Remote, Wire, WindowEnd } from './wire.ts';

/** The other side is no longer there: whatever was asked gets no answer. */
export class Disconnected extends Error {
  override readonly name = 'Disconnected';
  constructor() {
    super('the host has gone');
  }
}

/**
 * Calls reject with the error of the method (UserError, Cancelled, Error for a bug), with Cancelled at once when their signal fires, and
 * with Disconnected when the wire closes.
 */
export function connect<Api, Event>(wire: Wire, onEvent: (event: Event) => void): Remote<Api> {
  let calls = 0;
  let closed = false;
  const listeners = new Map<number, (progress: never) => void>();
  const waiting = new Set<(error: Error) => void>();
  const own: WindowEnd = {
    progress: (id, progress) => listeners.get(id)?.(progress as never),
    event: (event) => onEvent(event as Event),
  };
  const end = createBirpc<HostEnd, WindowEnd>(own, { post: wire.post, on: wire.onMessage, timeout: -1 });
  wire.onClose(() => {
    closed = true;
    for (const reject of waiting) reject(new Disconnected());
  });

  const call =
    (method: string) =>
    async (given: unknown, { signal, progress }: CallOptions<never> = {}) => {
      if (closed) throw new Disconnected();
      if (signal?.aborted) throw new Cancelled();
      const id = calls++;
      if (progress) listeners.set(id, progress);
      let reject: (error: Error) => void = () => undefined;
      const left = new Promise<never>((_resolve, fail) => (reject = fail));
      waiting.add(reject);
      const cancel = (): void => {
        void end.cancel.asEvent(id);
        reject(new Cancelled());
      };
      signal?.addEventListener('abort', cancel, { once: true });
      try {
        const outcome = await Promise.race([end.call(id, method, given), left]);
        if ('failure' in outcome) throw fromFailure(outcome.failure);
        return outcome.result;
      } finally {
        listeners.delete(id);
        waiting.delete(reject);
        signal?.removeEventListener('abort', cancel);
      }
    };
  const methods = new Map<PropertyKey, unknown>();
  return new Proxy({} as Remote<Api>, {
    get: (_target, name) => {
      if (typeof name !== 'string' || name === 'then') return undefined;
      if (!methods.has(name)) methods.set(name, call(name));
      return methods.get(name);
    },
  });
}
