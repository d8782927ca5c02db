/** Engines in the process of the test: quick to start, and quick to end. */
import type { FromEngine, JobKind, ToEngine } from '../../../engine/contract.ts';
import { serve } from '../../../engine/engine.ts';
import { jobKinds } from '../../../engine/jobs/index.ts';
import type { SpawnEngine } from '../spawn.ts';

/** What is sent is cloned, as between processes. */
export const engineHere: SpawnEngine = engineWith(jobKinds);

export function engineWith(kinds: readonly JobKind[]): SpawnEngine {
  return ({ onMessage, onEnd }) => {
    let listener: (message: ToEngine) => void = () => undefined;
    let alive = true;
    const send = (message: FromEngine, sent?: () => void) => {
      const copy = structuredClone(message);
      setImmediate(() => {
        if (alive) onMessage(copy);
        sent?.();
      });
    };
    serve({ send, onMessage: (given) => (listener = given) }, kinds);
    return {
      pid: undefined,
      send: (message) => {
        const copy = structuredClone(message);
        setImmediate(() => alive && listener(copy));
      },
      kill: () => {
        if (!alive) return;
        alive = false;
        setImmediate(() => onEnd('signal SIGKILL', ''));
      },
    };
  };
}
