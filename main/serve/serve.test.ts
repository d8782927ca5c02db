/** Served mode: who is let in, what is handed out, and a whole errand over a socket with arrays that go by HTTP. */
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect as connectTo, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { UserError } from '../../engine/base/errors.ts';
import type { HostApi, HostEvent } from '../host/hostApi.ts';
import { brief, HostFixture, settled } from '../host/testing/window.ts';
import { until } from '../host/testing/until.ts';
import { connect, Disconnected } from '../rpc/client.ts';
import { serve } from '../rpc/serve.ts';
import { socketWire } from '../rpc/socketWire.ts';
import type { Wire } from '../rpc/wire.ts';
import { Blobs, LARGE } from './blobs.ts';
import { Guard } from './guard.ts';
import { sendFile } from './pages.ts';
import { serveWindow, type Serving } from './server.ts';

let folder: string;
const open: Serving[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatescope-serve-'));
  mkdirSync(join(folder, 'page', 'assets'), { recursive: true });
  writeFileSync(join(folder, 'page', 'index.html'), '<!doctype html><title>Gatescope</title>');
  writeFileSync(join(folder, 'page', 'assets', 'main.js'), 'export {};');
  writeFileSync(join(folder, 'secret.js'), 'secret');
  symlinkSync(join(folder, 'secret.js'), join(folder, 'page', 'link.js'));
});
afterEach(async () => {
  for (const serving of open.splice(0)) await serving.close();
  rmSync(folder, { recursive: true, force: true });
});

async function served(connectWindow: (wire: Wire) => void = () => undefined, more: { readonly pulse?: number } = {}): Promise<Serving> {
  const serving = await serveWindow({ folder: join(folder, 'page'), host: '127.0.0.1', port: 0, connect: connectWindow, ...more });
  open.push(serving);
  return serving;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** As it is given: no client tidies the path or the headers. */
function get({ port }: Serving, path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    httpRequest({ host: '127.0.0.1', port, path, headers, method }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body }));
    })
      .on('error', reject)
      .end();
  });
}

/** How an upgrade ends: `open`, or the status. */
function upgrade({ port, token }: Serving, { query = `?token=${token}`, headers = {}, path = '/host' } = {}): Promise<string> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}${query}`, { headers });
    socket.on('open', () => {
      resolve('open');
      socket.close();
    });
    socket.on('unexpected-response', (_request, response) => resolve(String(response.statusCode)));
    socket.on('error', () => undefined);
  });
}

test('the page, with a policy that lets it speak to this server alone', async () => {
  const serving = await served();
  const { status, headers, body } = await get(serving, '/');
  expect([status, body, headers['content-type'], headers['cache-control']]).toEqual([
    200,
    '<!doctype html><title>Gatescope</title>',
    'text/html; charset=utf-8',
    'no-store',
  ]);
  expect(headers['content-security-policy']).toBe(
    `default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self' ws://127.0.0.1:${serving.port}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  );
  expect(headers['x-content-type-options']).toBe('nosniff');
  expect((await get(serving, '/assets/main.js')).headers['content-type']).toBe('text/javascript; charset=utf-8');
  expect(serving.address).toBe(`http://127.0.0.1:${serving.port}/#token=${serving.token}`);
  expect((await get(serving, '/', {}, 'POST')).status).toBe(405);
});

test('nothing outside the page, by dots, codes or links', async () => {
  const serving = await served();
  for (const path of [
    '/../secret.js',
    '/%2e%2e/secret.js',
    '/..%2fsecret.js',
    '/assets/..%5c..%5csecret.js',
    '/link.js',
    '/%00',
    '/%',
    '/assets',
    '/none.js',
    '//',
  ])
    expect((await get(serving, path)).status, path).toBe(404);
});

test('by a name that somebody else could give this machine nothing is to be had', async () => {
  const serving = await served();
  for (const host of ['evil.example', `evil.example:${serving.port}`, '127.0.0.1.evil.example', '127.0.0.1@evil.example'])
    expect((await get(serving, '/', { host })).status, host).toBe(403);
  for (const host of ['localhost', '127.0.0.1:9', `[::1]:${serving.port}`, 'LOCALHOST:80'])
    expect((await get(serving, '/', { host })).status, host).toBe(200);
});

test('a socket needs the token, the name and the origin', async () => {
  const serving = await served();
  const host = `127.0.0.1:${serving.port}`;
  expect(await upgrade(serving)).toBe('open');
  expect(await upgrade(serving, { headers: { origin: `http://${host}` } })).toBe('open');
  const refused = [
    { query: '' },
    { query: '?token=' },
    { query: `?token=${serving.token}x` },
    { query: `?token=${serving.token.slice(0, -1)}` },
    { path: '/other' },
    { headers: { origin: 'http://evil.example' } },
    { headers: { origin: `https://${host}` } },
    { headers: { origin: 'null' } },
    { headers: { host: 'evil.example', origin: 'http://evil.example' } },
  ];
  for (const given of refused) expect(await upgrade(serving, given), JSON.stringify(given)).toBe('403');
});

test('sockets that are reset while they are refused end nothing but themselves', async () => {
  const serving = await served();
  const sockets = await Promise.all(
    Array.from({ length: 50 }, async () => {
      const socket = connectTo(serving.port, '127.0.0.1');
      await once(socket, 'connect');
      return socket;
    }),
  );
  for (const socket of sockets) {
    socket.on('error', () => undefined);
    socket.write(`GET /host HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`, () =>
      socket.resetAndDestroy(),
    );
  }
  await Promise.all(
    sockets.map(async (socket) => {
      if (!socket.closed) await once(socket, 'close');
    }),
  );
  expect((await get(serving, '/')).status).toBe(200);
});

test('a file that goes while it is asked for ends its answer, and nothing else', async () => {
  const serving = await served();
  const gone = join(folder, 'page', 'gone.js');
  const lost = createServer((request, response) => sendFile(request, response, { path: gone, size: 10 }));
  await new Promise<void>((resolve) => lost.listen(0, '127.0.0.1', resolve));
  await expect(get({ ...serving, port: (lost.address() as AddressInfo).port }, '/gone.js')).rejects.toThrow('socket hang up');
  await new Promise((resolve) => lost.close(resolve));
});

test('a window that no longer answers is let go; one that does stays', async () => {
  let gone = 0;
  const serving = await served((wire) => wire.onClose(() => gone++), { pulse: 50 });
  const deaf = new WebSocket(`ws://127.0.0.1:${serving.port}/host?token=${serving.token}`, { autoPong: false });
  const { socket, opened } = browser(serving);
  let pings = 0;
  socket.on('ping', () => pings++);
  await Promise.all([opened, new Promise((resolve) => deaf.once('close', resolve))]);
  await until(() => pings >= 3);
  expect([gone, socket.readyState]).toEqual([1, socket.OPEN]);
});

test('two guards never have one token, and a guard knows its own', () => {
  const guard = new Guard('secret', '192.0.2.7');
  expect([guard.knowsToken('secret'), guard.knowsToken(null), guard.knowsToken('')]).toEqual([true, false, false]);
  expect(guard.knowsHost({ host: 'study.example' })).toBe(false);
  expect(new Guard('secret', 'study.example').knowsHost({ host: 'Study.example:80' })).toBe(true);
});

function browser({ port, token }: Serving) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/host?token=${token}`);
  const fetched: string[] = [];
  const wire = socketWire(socket, async (id) => {
    fetched.push(id);
    const response = await fetch(`http://127.0.0.1:${port}/blob/${id}?token=${token}`);
    if (!response.ok) throw new Error(String(response.status));
    return response.arrayBuffer();
  });
  return { socket, wire, fetched, opened: new Promise((resolve) => socket.once('open', resolve)) };
}

test('arrays arrive as they were, the large ones by HTTP, once; messages keep their order', async () => {
  const large = Float64Array.from({ length: LARGE / 8 + 1 }, (_entry, i) => i / 3).subarray(1);
  const above = new Float32Array(LARGE / 4 + 1).fill(0.1);
  const methods = {
    arrays: () => ({
      small: Float32Array.of(1, -0, NaN),
      large,
      deep: { x: [above, undefined, 1n] },
      bytes: new Uint8Array(LARGE + 3).fill(7),
    }),
  };
  const serving = await served((wire) => {
    const end = serve<string>(methods, wire, () => undefined);
    end.send('before');
  });
  const { wire, fetched, opened } = browser(serving);
  const events: string[] = [];
  const host = connect<typeof methods, string>(wire, (event) => events.push(event));
  await opened;
  const answer = await host.arrays({});
  expect(answer).toEqual(methods.arrays());
  expect(events).toEqual(['before']);
  expect(fetched).toHaveLength(2); // one array has exactly the most that goes with the message
  const again = await get(serving, `/blob/${fetched[0]}?token=${serving.token}`);
  expect(again.status).toBe(404);
  expect((await get(serving, `/blob/${fetched[0]}`)).status).toBe(403);
  expect((await get(serving, `/blob/${fetched[0]}?token=${serving.token}`, { origin: 'http://evil.example' })).status).toBe(403);
});

test('an array that cannot be fetched ends the wire, and with it whoever waits for it', async () => {
  const methods = { array: () => new Uint8Array(LARGE + 1) };
  const serving = await served((wire) => void serve(methods, wire, () => undefined));
  const socket = new WebSocket(`ws://127.0.0.1:${serving.port}/host?token=${serving.token}`);
  const host = connect<typeof methods, never>(
    socketWire(socket, () => Promise.reject(new Error('no way'))),
    () => undefined,
  );
  await new Promise((resolve) => socket.once('open', resolve));
  await expect(host.array({})).rejects.toBeInstanceOf(Disconnected);
});

test('a message whose array has to be fetched is not overtaken by the next', async () => {
  const serving = await served((wire) => {
    wire.post({ n: 1, array: new Uint8Array(LARGE + 1) });
    wire.post({ n: 2 });
  });
  const { wire } = browser(serving);
  const heard: number[] = [];
  wire.onMessage((message) => void heard.push((message as { n: number }).n));
  await until(() => heard.length === 2);
  expect(heard).toEqual([1, 2]);
});

test('what nobody fetched goes with its window', () => {
  const blobs = new Blobs();
  const [mine, yours] = [{}, {}];
  blobs.without({ a: new Uint8Array(LARGE + 1), b: [new Uint8Array(LARGE + 2)] }, mine);
  blobs.without(new Uint8Array(LARGE + 1), yours);
  expect(blobs.size).toBe(3);
  blobs.forget(mine);
  expect(blobs.size).toBe(1);
});

test('a message that is none of ours ends its socket, and nothing else', async () => {
  const serving = await served((wire) => void serve({}, wire, () => undefined));
  for (const bytes of [[0xc1, 0xff, 0x00], [0x03], []]) {
    const { socket, opened, wire } = browser(serving);
    await opened;
    const closed = new Promise<void>((resolve) => wire.onClose(resolve));
    socket.send(Buffer.from(bytes));
    await closed;
  }
  expect(await upgrade(serving)).toBe('open');
});

test('a port that is taken is refused in words', async () => {
  const { port } = await served();
  await expect(serveWindow({ folder, host: '127.0.0.1', port, connect: () => undefined })).rejects.toThrow(UserError);
});

test('a page that is closed and opened again finds its session and its job', async () => {
  await using fixture = new HostFixture({ served: true, grace: 60_000 });
  const serving = await served((wire) => fixture.host.connect(wire));
  const first = browser(serving);
  const api = connect<HostApi, HostEvent>(first.wire, () => undefined);
  await first.opened;
  const { path } = await api.createSession({ name: 'served' });
  const { id } = await api.run({ kind: 'train', parameters: brief(fixture.images(), { epochs: 200 }) });
  first.socket.terminate();
  await expect(api.jobs({})).rejects.toBeInstanceOf(Disconnected);
  const second = browser(serving);
  const again = connect<HostApi, HostEvent>(second.wire, () => undefined);
  await second.opened;
  expect((await again.openSession({ path })).writable).toBe(true);
  expect(await settled(again, id)).toMatchObject({ state: 'done' });
  expect((await again.snapshot({})).models).toHaveLength(1);
  expect(fixture.bugs).toEqual([]);
});
