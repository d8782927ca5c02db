/** A host that a test kills: runs one job of the kind it is told on the test engine and prints the engine's pid once the job is at work. */
import { MemoryJobStore } from '../jobStore.ts';
import { EnginePool } from '../pool.ts';
import { forkEngine } from '../spawn.ts';

const spawn = forkEngine(new URL('testEngine.ts', import.meta.url));
let pid: number | undefined;
const pool = new EnginePool({
  cores: 1,
  store: new MemoryJobStore(),
  spawn: (events) => {
    const engine = spawn(events);
    pid = engine.pid;
    return engine;
  },
});
const announce = (): void => void process.stdout.write(`${pid}\n`);
await pool.submit({ kind: process.argv[2], parameters: { milliseconds: 60_000 } }, { onProgress: announce });
