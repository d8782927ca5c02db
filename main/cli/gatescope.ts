/** The `gatescope` command as a process: its words, its signals, its engines. */
import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

// Half of the time until a command begins goes into compiling what has not changed since the last one; engines start sooner, too.
const { XDG_CACHE_HOME: cache } = process.env;
process.env.NODE_COMPILE_CACHE ??= join(cache?.startsWith('/') ? cache : join(homedir(), '.cache'), 'gatescope', 'compiled');
enableCompileCache(process.env.NODE_COMPILE_CACHE);

const [{ gatescope }, { interruption }, { toleratePipes }, { spawnEngine }] = await Promise.all([
  import('./command.ts'),
  import('./interruption.ts'),
  import('./output.ts'),
  import('../host/spawn.ts'),
]);
toleratePipes();
process.exitCode = await gatescope(process.argv.slice(2), { signal: interruption().signal, spawn: spawnEngine });
