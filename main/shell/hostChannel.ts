/**
 * The two ways a host process can run below the shell, behind one interface (main/host/parent.ts says what goes over it).
 *
 * A utility process is Electron's own: windows and engines get ports straight to it. Where Electron's Node-API is older than SQLite's binding
 * needs — that of the runtime tests fall back to — a Node of one's own runs the host instead, and what windows say is relayed here.
 */
import { utilityProcess, type MessagePortMain } from 'electron';
import { fork } from 'node:child_process';
import { HOST_SETTINGS, type FromHost, type HostSettings, type ToHost } from '../host/parent.ts';
import { startEngines } from './engineProcesses.ts';
import { endOf, endOfUtility } from './processEnd.ts';
import { tailOf } from './stderrTail.ts';

export interface HostEvents {
  /** Of the host's messages, those that are not about ports and engines. */
  readonly onReady: () => void;
  readonly onBusy: (jobs: number) => void;
  readonly onAlive: () => void;
  /** Once, when it is no more. */
  readonly onEnd: (how: string, said: string) => void;
}

export interface HostChannel {
  /** Gives a window, by a number of its own, a port to the host. */
  readonly attach: (window: number, port: MessagePortMain) => void;
  /** Asks it to store what can be stored and end. */
  readonly end: () => void;
  readonly kill: () => void;
}

export type StartHost = (events: HostEvents) => HostChannel;

/** @param files the built entries of host and engine */
export function utilityHost(
  files: { readonly host: string; readonly engine: string },
  settings: Omit<HostSettings, 'transport'>,
): StartHost {
  return ({ onReady, onBusy, onAlive, onEnd }) => {
    const child = utilityProcess.fork(files.host, [], {
      serviceName: 'Gatescope host',
      stdio: ['ignore', 'inherit', 'pipe'],
      env: { ...process.env, [HOST_SETTINGS]: JSON.stringify({ ...settings, transport: 'ports' } satisfies HostSettings) },
    });
    const tail = tailOf(child.stderr);
    const post = (message: ToHost, ports: MessagePortMain[] = []): void => child.postMessage(message, ports);
    const engines = startEngines(files.engine, post);
    child.on('message', (message: FromHost) => {
      switch (message.type) {
        case 'ready':
          return onReady();
        case 'busy':
          return onBusy(message.jobs);
        case 'alive':
          return onAlive();
        case 'startEngine':
          return engines.start(message.engine);
        case 'killEngine':
          return engines.kill(message.engine);
        case 'message':
          return; // under ports windows hear it themselves
        default:
          return message satisfies never;
      }
    });
    child.once('exit', (code) => {
      engines.killAll();
      void tail.ended().then(() => onEnd(endOfUtility(code), tail.said()));
    });
    return {
      attach: (window, port) => post({ type: 'window', window }, [port]),
      end: () => post({ type: 'end' }),
      kill: () => void child.kill(),
    };
  };
}

/** @param node the program to run it on @param host the built entry */
export function relayedHost(node: string, host: string, settings: Omit<HostSettings, 'transport'>): StartHost {
  return ({ onReady, onBusy, onAlive, onEnd }) => {
    const child = fork(host, [], {
      execPath: node,
      execArgv: [],
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
      env: { ...process.env, [HOST_SETTINGS]: JSON.stringify({ ...settings, transport: 'relay' } satisfies HostSettings) },
    });
    const tail = tailOf(child.stderr);
    const ports = new Map<number, MessagePortMain>();
    const post = (message: ToHost): void => {
      if (child.connected) child.send(message, () => undefined);
    };
    child.on('message', (message: FromHost) => {
      if (message.type === 'ready') onReady();
      else if (message.type === 'busy') onBusy(message.jobs);
      else if (message.type === 'alive') onAlive();
      else if (message.type === 'message') ports.get(message.window)?.postMessage(message.data);
    });
    let ended = false;
    const end = (how: string): void => {
      if (ended) return;
      ended = true;
      for (const port of ports.values()) port.close();
      onEnd(how, tail.said());
    };
    child.on('close', (code, signal) => end(endOf(code, signal)));
    child.on('error', (error) => {
      if (child.pid === undefined) end(error.message);
    });
    return {
      attach: (window, port) => {
        ports.set(window, port);
        port.on('message', ({ data }) => post({ type: 'message', window, data: data as unknown }));
        port.on('close', () => {
          if (ports.delete(window)) post({ type: 'gone', window });
        });
        port.start();
      },
      end: () => post({ type: 'end' }),
      kill: () => void child.kill('SIGKILL'),
    };
  };
}
