/** Engines as utility processes, started and killed when the host says so; what they and the host say to each other goes over a port of theirs. */
import { MessageChannelMain, utilityProcess, type MessagePortMain, type UtilityProcess } from 'electron';
import type { ToHost } from '../host/parent.ts';
import { endOfUtility } from './processEnd.ts';
import { tailOf } from './stderrTail.ts';

export interface Engines {
  readonly start: (engine: number) => void;
  readonly kill: (engine: number) => void;
  readonly killAll: () => void;
}

/** @param file the built entry @param tellHost the host's ear, deaf once it is gone */
export function startEngines(file: string, tellHost: (message: ToHost, ports?: MessagePortMain[]) => void): Engines {
  const running = new Map<number, UtilityProcess>();
  return {
    start: (engine) => {
      const child = utilityProcess.fork(file, [], { serviceName: `Gatescope engine ${engine}`, stdio: ['ignore', 'inherit', 'pipe'] });
      running.set(engine, child);
      const tail = tailOf(child.stderr);
      const { port1, port2 } = new MessageChannelMain();
      child.postMessage('host', [port1]);
      child.once('spawn', () => tellHost({ type: 'engine', engine, pid: child.pid }, [port2]));
      child.once('exit', (code) => {
        running.delete(engine);
        void tail.ended().then(() => tellHost({ type: 'engineEnded', engine, how: endOfUtility(code), said: tail.said() }));
      });
    },
    kill: (engine) => end(running.get(engine)),
    killAll: () => {
      for (const child of running.values()) end(child);
    },
  };
}

/** At once: one that is inside a native run hears no polite request. */
function end(child: UtilityProcess | undefined): void {
  if (!child) return;
  try {
    if (child.pid === undefined) child.kill();
    else process.kill(child.pid, 'SIGKILL');
  } catch {
    // It has ended by itself meanwhile: 'exit' says so.
  }
}
