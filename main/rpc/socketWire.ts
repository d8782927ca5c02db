/**
 * The window's end of a socket to a served host: packed messages over a WebSocket, large arrays by the way of HTTP, since sockets are slow for
 * them. What is used of socket and fetch is handed in: neither DOM nor Node is known here.
 */
import { Packr } from 'msgpackr';
import type { Wire } from './wire.ts';

/** What stands in a message for an array that is fetched. */
export interface BlobReference {
  readonly $blob: string;
  /** Name of its class: `Float32Array`. */
  readonly type: string;
  /** Elements. */
  readonly length: number;
}

/** A WebSocket, as far as it is used here. */
export interface SocketLike {
  binaryType: string;
  readonly readyState: number;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: 'close', listener: () => void): void;
}

/** @returns the bytes that are kept under an id */
export type FetchBlob = (id: string) => Promise<ArrayBuffer>;

const OPEN = 1;
const CLOSED = 3;

/** Keeps typed arrays and undefined as they are, but makes objects of maps; no shared records, so that every message stands alone. */
export const packing = (): Packr => new Packr({ structuredClone: true, useRecords: false });

const types = {
  Float32Array,
  Float64Array,
  Int8Array,
  Int16Array,
  Int32Array,
  Uint8Array,
  Uint8ClampedArray,
  Uint16Array,
  Uint32Array,
  BigInt64Array,
  BigUint64Array,
};

/** Messages arrive in the order they were sent, also where one waits for its arrays. */
export function socketWire(socket: SocketLike, fetchBlob: FetchBlob): Wire {
  socket.binaryType = 'arraybuffer';
  const packr = packing();
  let closed = socket.readyState === CLOSED;
  const closeListeners: (() => void)[] = [];
  socket.addEventListener('close', () => {
    closed = true;
    for (const listener of closeListeners.splice(0)) listener();
  });
  return {
    post: (message) => {
      if (socket.readyState === OPEN) socket.send(Uint8Array.from(packr.pack(message)));
    },
    onMessage: (listener) => {
      let before = Promise.resolve();
      socket.addEventListener('message', ({ data }) => {
        const whole = (async () => withBlobs(packr.unpack(new Uint8Array(data as ArrayBuffer)) as unknown, fetchBlob))();
        // What was lost on the way would be waited for for ever: the wire closes, and whoever waits hears of that.
        whole.catch(() => socket.close());
        before = before.then(async () => listener(await whole)).catch(() => undefined);
      });
    },
    onClose: (listener) => {
      if (closed) listener();
      else closeListeners.push(listener);
    },
  };
}

/** The message with arrays in the place of their references. */
async function withBlobs(message: unknown, fetchBlob: FetchBlob): Promise<unknown> {
  if (typeof message !== 'object' || message === null || ArrayBuffer.isView(message)) return message;
  if (isReference(message)) {
    const type = Object.hasOwn(types, message.type) ? types[message.type as keyof typeof types] : Uint8Array;
    return new type(await fetchBlob(message.$blob), 0, message.length);
  }
  if (Array.isArray(message)) return Promise.all(message.map((entry) => withBlobs(entry, fetchBlob)));
  if (Object.getPrototypeOf(message) !== Object.prototype) return message;
  const entries = await Promise.all(
    Object.entries(message).map(async ([name, entry]) => [name, await withBlobs(entry, fetchBlob)] as const),
  );
  return Object.fromEntries(entries);
}

const isReference = (value: object): value is BlobReference => '$blob' in value && typeof value.$blob === 'string';
