/** A host as a process: over a fork's channel with everything real, over ports with the parent's part played here. */
import { execFileSync, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { FromEngine, ToEngine } from '../../engine/contract.ts';
import { connect } from '../rpc/client.ts';
import type { Wire } from '../rpc/wire.ts';
import type { HostApi, HostEvent } from './hostApi.ts';
import { runHost } from './hostProcess.ts';
import { HOST_SETTINGS, type FromHost, type HostSettings, type ToHost } from './parent.ts';
import type { Port } from './parentLink.ts';
import { Session } from '../store/session.ts';
import { brief, settled } from './testing/window.ts';
import { engineHere } from './testing/engineHere.ts';
import { writeOwnImages } from '../cli/testing/ownImages.ts';
import { until } from './testing/until.ts';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'gatescope-process-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const settings = (transport: HostSettings['transport']): HostSettings => ({
  userData: join(folder, 'user'),
  sessionsFolder: join(folder, 'sessions'),
  transport,
});

test('relayed: a fork does a training for a window, says how busy it is, and stores when it is told to end', async () => {
  const source = join(folder, 'own.npz');
  writeOwnImages(source);
  const child = fork(fileURLToPath(new URL('process.ts', import.meta.url)), [], {
    serialization: 'advanced',
    execArgv: [],
    env: { ...process.env, [HOST_SETTINGS]: JSON.stringify(settings('relay')) },
  });
  const ended = new Promise((resolve) => child.on('exit', (code) => resolve(code)));
  const busy: number[] = [];
  const windows = new Map<number, (data: unknown) => void>();
  const ready = new Promise<void>((resolve) => {
    child.on('message', (given) => {
      const message = given as FromHost;
      if (message.type === 'ready') resolve();
      if (message.type === 'busy') busy.push(message.jobs);
      if (message.type === 'message') windows.get(message.window)?.(message.data);
    });
  });
  const say = (message: ToHost): void => void child.send(message);
  const window = (number: number) => {
    const wire: Wire = {
      post: (data) => say({ type: 'message', window: number, data }),
      onMessage: (listener) => void windows.set(number, listener),
      onClose: () => undefined,
    };
    return connect<HostApi, HostEvent>(wire, () => undefined);
  };
  await ready;
  const [api, other] = [window(1), window(2)];
  const { path } = await api.createSession({ name: 'relayed' });
  await other.openSession({ path });
  const { id } = await api.run({ kind: 'train', parameters: brief(source) });
  expect(await settled(other, id)).toMatchObject({ state: 'done' });
  say({ type: 'gone', window: 2 });
  await api.run({ kind: 'train', parameters: brief(source, { epochs: 1000, seed: 9 }) });
  await until(() => busy.at(-1) === 1);
  say({ type: 'end' });
  expect(await ended).toBe(0);
  expect(busy.slice(0, 3)).toEqual([1, 0, 1]);
  using session = Session.open(path, 'write');
  expect(session.runs().filter(({ state }) => state === 'done')).toHaveLength(1);
  expect(session.check()).toEqual([]);
});

/** Node's port as Electron hands it over: with events instead of messages. */
function asElectron(port: MessagePort): Port {
  const wrapped: Port = {
    postMessage: (message) => port.postMessage(message),
    on: (event: 'message' | 'close', listener: (event: { readonly data: unknown }) => void) =>
      event === 'message'
        ? port.on('message', (data: unknown) => listener({ data }))
        : port.on('close', () => listener({ data: undefined })),
    start: () => port.start(),
  };
  return wrapped;
}

test('by ports: engines are asked of the parent and spoken to directly; one that ends is asked for again', async () => {
  const source = join(folder, 'own.npz');
  writeOwnImages(source);
  const heard: FromHost[] = [];
  let receive: (message: ToHost, port?: Port) => void = () => undefined;
  const engines = new Map<number, () => void>();
  const startEngine = (engine: number): void => {
    const { port1, port2 } = new MessageChannel();
    const { send, kill } = engineHere({
      onMessage: (message: FromEngine) => port2.postMessage(message),
      onEnd: (how, said) => receive({ type: 'engineEnded', engine, how, said }),
    });
    port2.on('message', (message: ToEngine) => send(message));
    engines.set(engine, () => {
      kill();
      port2.close();
    });
    setImmediate(() => receive({ type: 'engine', engine, pid: 100 + engine }, asElectron(port1)));
  };
  let exited = false;
  const host = runHost({
    settings: settings('ports'),
    fork: () => {
      throw new Error('nothing is forked under ports');
    },
    exit: () => (exited = true),
    link: {
      send: (message) => {
        heard.push(message);
        if (message.type === 'startEngine') startEngine(message.engine);
        if (message.type === 'killEngine') engines.get(message.engine)!();
      },
      onMessage: (listener) => (receive = listener),
      onGone: () => undefined,
    },
  });
  expect(heard).toEqual([{ type: 'ready' }]);
  const { port1, port2 } = new MessageChannel();
  receive({ type: 'window', window: 1 }, asElectron(port1));
  const wire: Wire = {
    post: (message) => port2.postMessage(message),
    onMessage: (listener) => void port2.on('message', listener),
    onClose: (listener) => void port2.on('close', listener),
  };
  const api = connect<HostApi, HostEvent>(wire, () => undefined);
  await api.createSession({});
  const job = await api.run({ kind: 'train', parameters: brief(source, { epochs: 1000 }) });
  await until(async () => (await api.jobs({}))[0].progress?.figures?.loss !== undefined);
  engines.get(1)!();
  await until(async () => (await api.jobs({}))[0].restarts === 1);
  expect((await api.log({ job: job.id })).some(({ text }) => text.includes('its engine ended (signal SIGKILL)'))).toBe(true);
  expect(heard.filter(({ type }) => type === 'startEngine')).toHaveLength(2);
  await api.cancel({ job: job.id });
  expect(await settled(api, job.id)).toMatchObject({ state: 'cancelled' });
  port2.close();
  receive({ type: 'end' });
  await until(() => exited);
  expect(host.busy).toBe(0);
});

/** Asks a host of what needs no session, in a process of its own, and prints which native libraries that took. */
const script = `
import { MessageChannel } from 'node:worker_threads';
import { Host } from ${JSON.stringify(new URL('host.ts', import.meta.url).href)};
import { spawnEngine } from ${JSON.stringify(new URL('spawn.ts', import.meta.url).href)};
import { connect } from ${JSON.stringify(new URL('../rpc/client.ts', import.meta.url).href)};
const wireOf = (port) => ({ post: (m) => port.postMessage(m), onMessage: (l) => port.on('message', l), onClose: (l) => port.on('close', l) });
const [folder] = process.argv.slice(1);
const host = new Host({ spawn: spawnEngine, userData: folder, sessionsFolder: folder + '/none', served: false });
const { port1, port2 } = new MessageChannel();
host.connect(wireOf(port1));
const api = connect(wireOf(port2), () => undefined);
for (const name of ['about', 'describe', 'settings', 'jobs', 'sessions']) await api[name]({});
await api.changeSettings({ theme: 'dark' });
console.log(JSON.stringify(process.report.getReport().sharedObjects.filter((path) => path.endsWith('.node'))));
port2.close();
await host.dispose();
`;

test('what needs no session needs no SQLite, and a host never loads what computes', () => {
  const printed = execFileSync(process.execPath, ['--input-type=module', '-e', script, folder], { encoding: 'utf8' });
  const loaded = JSON.parse(printed) as string[];
  expect(loaded.filter((path) => /sqlite|onnx|tensorflow/.test(path))).toEqual([]);
});
