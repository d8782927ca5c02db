/** Commands in this process, with engines in it too: quick, and every engine that is started is counted. */
import { vi } from 'vitest';
import type { SpawnEngine } from '../../host/spawn.ts';
import { engineHere } from '../../host/testing/engineHere.ts';
import { gatescope } from '../command.ts';
import { complaints } from './command.ts';

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly bytes: Buffer;
  /** Without progress. */
  readonly stderr: string;
  /** Engines that were started for it. */
  readonly engines: number;
}

/** Runs one command; one at a time. @param spawn another kind of engine */
export async function here(
  words: readonly string[],
  { signal = new AbortController().signal, spawn = engineHere }: { signal?: AbortSignal; spawn?: SpawnEngine } = {},
): Promise<Ended> {
  const written = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((chunk: string | Uint8Array, ...rest: unknown[]) => {
      written[name].push(Buffer.from(chunk));
      const done = rest.find((given) => typeof given === 'function') as (() => void) | undefined;
      if (done) setImmediate(done);
      return true;
    }),
  );
  let engines = 0;
  try {
    const code = await gatescope(words, {
      signal,
      spawn: (events) => {
        engines++;
        return spawn(events);
      },
    });
    const bytes = Buffer.concat(written.stdout);
    return { code, bytes, stdout: bytes.toString(), stderr: complaints(Buffer.concat(written.stderr).toString()), engines };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}
