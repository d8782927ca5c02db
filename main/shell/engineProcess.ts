/**
 * Entry of an engine below the shell: as a utility process it serves the host over a port that the shell hands it, as a fork of the host over
 * their channel. What an engine does is engine/engine.ts's business.
 */
import type { MessageEvent, MessagePortMain } from 'electron';
import { serve, serveParent, type Port } from '../../engine/engine.ts';
import type { ToEngine } from '../../engine/contract.ts';

/** What Electron adds to the process object. */
interface Utility {
  readonly parentPort?: { once(event: 'message', listener: (event: MessageEvent) => void): void };
}

const { parentPort } = process as Utility;
if (parentPort) parentPort.once('message', ({ ports: [host] }) => serveHost(host));
else serveParent();

/** Ends with its host: the shell kills it, and should that be gone too, Electron ends all of its processes. */
function serveHost(host: MessagePortMain): void {
  const port: Port = {
    send: (message, sent) => {
      host.postMessage(message);
      // Messages leave in order and by another thread: a turn of the loop is all there is to wait for.
      if (sent) setImmediate(sent);
    },
    onMessage: (listener) => {
      host.on('message', ({ data }) => listener(data as ToEngine));
      host.start();
    },
  };
  const report = serve(port);
  host.on('close', () => process.exit());
  process.on('uncaughtException', (error) => {
    console.error(error);
    report(error, () => process.exit(1));
  });
}
