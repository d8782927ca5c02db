/** Served mode: the window as a page, the host behind a WebSocket, large arrays by HTTP. Which host that is, its caller says. */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { UserError } from '../../engine/base/errors.ts';
import { packing } from '../rpc/socketWire.ts';
import type { Wire } from '../rpc/wire.ts';
import { Blobs } from './blobs.ts';
import { Guard } from './guard.ts';
import { fileOf, safetyHeaders, sendFile } from './pages.ts';

/** A message of a window: an image that was drawn, a request. */
const MOST_BYTES = 64 * 2 ** 20;
const TOKEN_BYTES = 24;
/** Milliseconds between two looks whether a window is still there. */
const PULSE = 30_000;

export interface ServeOptions {
  /** Of the built page. */
  readonly folder: string;
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly connect: (wire: Wire) => void;
  /** A new one unless given. */
  readonly token?: string;
  /** For tests: milliseconds between two looks whether a window is still there. */
  readonly pulse?: number;
}

export interface Serving {
  readonly port: number;
  readonly token: string;
  /** What to open in a browser: the token is in the fragment, which is sent to nobody. */
  readonly address: string;
  readonly close: () => Promise<void>;
}

/** @throws UserError if the port cannot be had */
export async function serveWindow({
  folder,
  host,
  port,
  connect,
  token = randomBytes(TOKEN_BYTES).toString('base64url'),
  pulse = PULSE,
}: ServeOptions): Promise<Serving> {
  const guard = new Guard(token, host);
  const blobs = new Blobs();
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MOST_BYTES, perMessageDeflate: false });
  /** Windows that have answered since they were last asked. */
  const alive = new WeakSet<WebSocket>();

  const server = createServer((request, response) => {
    for (const [name, value] of Object.entries(safetyHeaders(request.headers.host ?? ''))) response.setHeader(name, value);
    if (!guard.knowsHost(request.headers)) return refuse(response, 403, 'This address is not one of this server.');
    if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(response, 405, 'Only GET.');
    const { pathname, searchParams } = addressOf(request);
    if (pathname.startsWith('/blob/')) return sendBlob(pathname.slice('/blob/'.length), searchParams.get('token'), request, response);
    const file = fileOf(folder, pathname);
    if (file === undefined) return refuse(response, 404, 'Nothing is here.');
    sendFile(request, response, file);
  });

  const sendBlob = (id: string, given: string | null, request: IncomingMessage, response: ServerResponse): void => {
    response.setHeader('Cache-Control', 'no-store');
    if (!guard.knowsToken(given) || !guard.knowsOrigin(request.headers))
      return refuse(response, 403, 'The token is not that of this server.');
    const bytes = blobs.take(id);
    if (!bytes) return refuse(response, 404, 'Nothing is here.');
    response.writeHead(200, { 'Content-Type': 'application/octet-stream', 'Content-Length': bytes.byteLength });
    response.end(bytes);
  };

  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // Node no longer listens to a socket that is upgraded: one that is reset would end the process.
    socket.on('error', () => socket.destroy());
    const { pathname, searchParams } = addressOf(request);
    const { headers } = request;
    const allowed =
      pathname === '/host' && guard.knowsHost(headers) && guard.knowsOrigin(headers) && guard.knowsToken(searchParams.get('token'));
    if (!allowed) return void socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    sockets.handleUpgrade(request, socket, head, (open) => {
      alive.add(open);
      open.on('pong', () => alive.add(open));
      connect(wireOf(open, blobs));
    });
  });

  const listening = await listen(server, host, port);
  const beat = setInterval(() => {
    for (const client of sockets.clients) {
      // One that has not answered the last time is gone, whatever its socket says.
      if (!alive.delete(client)) client.terminate();
      else client.ping();
    }
  }, pulse);
  beat.unref();
  return {
    port: listening,
    token,
    address: `http://${host.includes(':') ? `[${host}]` : host}:${listening}/#token=${token}`,
    close: async () => {
      clearInterval(beat);
      for (const client of sockets.clients) client.terminate();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function listen(server: ReturnType<typeof createServer>, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new UserError('serve: --port', `must be one that can be listened on at ${host} (${error.code ?? error.message})`, port, {
          cause: error,
        }),
      ),
    );
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
}

/** The host's end of a socket. */
function wireOf(socket: WebSocket, blobs: Blobs): Wire {
  const packr = packing();
  socket.binaryType = 'arraybuffer';
  socket.on('error', () => socket.terminate()); // a message that is too large, or none of ours: 'close' follows
  socket.on('close', () => blobs.forget(socket));
  return {
    post: (message) => {
      if (socket.readyState === socket.OPEN) socket.send(packr.pack(blobs.without(message, socket)));
    },
    onMessage: (listener) =>
      void socket.on('message', (data) => {
        let message: unknown;
        try {
          message = packr.unpack(new Uint8Array(data as ArrayBuffer));
        } catch {
          return socket.terminate();
        }
        if (typeof message !== 'object' || message === null) return socket.terminate();
        listener(message);
      }),
    onClose: (listener) => {
      if (socket.readyState === socket.CLOSED) listener();
      else socket.once('close', listener);
    },
  };
}

const addressOf = ({ url = '/' }: IncomingMessage): URL => {
  try {
    return new URL(url, 'http://host');
  } catch {
    return new URL('http://host/none');
  }
};

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' });
  response.end(`${text}\n`);
}
