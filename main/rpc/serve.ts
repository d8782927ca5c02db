/** The host's end of a wire: calls methods by name, and tells of progress and events. What the methods do is the api's business. */
import { createBirpc } from 'birpc';
import { toFailure, UserError } from '../../engine/base/errors.ts';
import type { CallContext, HostEnd, Outcome, Wire, WindowEnd } from './wire.ts';

export type Methods = Readonly<Record<string, (given: never, context: CallContext) => unknown>>;

export interface Served<Event> {
  readonly send: (event: Event) => void;
}

/**
 * Answers calls until the wire closes, which calls off what still runs.
 * @param onBug hears of errors that are nobody's mistake
 */
export function serve<Event>(methods: Methods, wire: Wire, onBug: (error: unknown, method: string) => void): Served<Event> {
  const running = new Map<number, AbortController>();
  let open = true;
  const call = async (id: number, method: string, given: unknown): Promise<Outcome> => {
    const controller = new AbortController();
    running.set(id, controller);
    try {
      if (!Object.hasOwn(methods, method)) throw new UserError('host: method', 'must be one that the host has', method);
      const progress = (one: unknown): void => void (open && end.progress.asEvent(id, one));
      return { result: await methods[method](given as never, { signal: controller.signal, progress }) };
    } catch (error) {
      const failure = toFailure(error);
      if (failure.kind === 'bug') onBug(error, method);
      return { failure };
    } finally {
      running.delete(id);
    }
  };
  const own: HostEnd = { call, cancel: (id) => running.get(id)?.abort() };
  const end = createBirpc<WindowEnd, HostEnd>(own, { post: wire.post, on: wire.onMessage, timeout: -1 });
  wire.onClose(() => {
    open = false;
    for (const controller of running.values()) controller.abort();
  });
  return { send: (event) => void (open && end.event.asEvent(event)) };
}
