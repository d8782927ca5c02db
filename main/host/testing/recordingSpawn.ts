/** Starts engines and keeps them in sight. */
import type { EngineProcess, SpawnEngine } from '../spawn.ts';
import { forkEngine } from '../spawn.ts';

/** @param fork starts them; those of testEngine.ts unless given @returns a `spawn` for a pool, and every engine it started, with how each ended */
export function recordingSpawn(fork: SpawnEngine = forkEngine(new URL('testEngine.ts', import.meta.url))): {
  spawn: SpawnEngine;
  engines: (EngineProcess & { ended?: string })[];
} {
  const engines: (EngineProcess & { ended?: string })[] = [];
  return {
    engines,
    spawn: ({ onMessage, onEnd }) => {
      const engine: EngineProcess & { ended?: string } = fork({
        onMessage,
        onEnd: (how, said) => {
          engine.ended = how;
          onEnd(how, said);
        },
      });
      engines.push(engine);
      return engine;
    },
  };
}
