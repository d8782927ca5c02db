/** Entry of a host process. Under Electron 25 SQLite's library takes its process down when it is loaded: nothing here does before a session is opened. */
import { existsSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { z } from 'zod';
import { runHost } from './hostProcess.ts';
import { HOST_SETTINGS, type HostSettings } from './parent.ts';
import { forkLink, portLink } from './parentLink.ts';
import { forkEngine, spawnEngine, type SpawnEngine } from './spawn.ts';

const settingsSchema: z.ZodType<HostSettings> = z.object({
  userData: z.string(),
  sessionsFolder: z.string(),
  demonstration: z.string().exactOptional(),
  transport: z.enum(['ports', 'relay']),
});

const settings = settingsSchema.parse(JSON.parse(process.env[HOST_SETTINGS] ?? 'null'));
runHost({
  settings,
  link: settings.transport === 'ports' ? portLink() : forkLink(),
  fork: engineFork(),
  exit: () => process.exit(0),
});
// Ctrl-C reaches the whole process group; what is to become of sessions then is for the parent to say.
process.on('SIGINT', () => undefined);

/** The engine that was built beside this host; the source where this is not built. */
function engineFork(): SpawnEngine {
  const { GATESCOPE_ENGINE: given } = process.env;
  if (given) return forkEngine(pathToFileURL(given));
  const built = new URL('../engine/engine.cjs', import.meta.url);
  return existsSync(fileURLToPath(built)) ? forkEngine(built) : spawnEngine;
}
