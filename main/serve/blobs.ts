/** Large arrays on their way to a window: kept under a random id until they are fetched, once. */
import { randomBytes } from 'node:crypto';
import type { BlobReference } from '../rpc/socketWire.ts';

/** An array of more bytes than this goes by HTTP. */
export const LARGE = 256 * 1024;
/** Milliseconds that an array is kept for somebody who does not come. */
const PATIENCE = 60_000;

type Large = ArrayBufferView & { readonly length: number };

export class Blobs {
  readonly #kept = new Map<string, { readonly bytes: Uint8Array; readonly owner: object; readonly timer: NodeJS.Timeout }>();

  /** How many wait to be fetched. */
  get size(): number {
    return this.#kept.size;
  }

  /** The message with references in the place of its large arrays. @param owner with whom they go */
  without(message: unknown, owner: object): unknown {
    if (typeof message !== 'object' || message === null) return message;
    if (ArrayBuffer.isView(message))
      return message.byteLength > LARGE && !(message instanceof DataView) ? this.#keep(message as Large, owner) : message;
    if (Array.isArray(message)) return message.map((entry) => this.without(entry, owner));
    if (Object.getPrototypeOf(message) !== Object.prototype) return message;
    return Object.fromEntries(Object.entries(message).map(([name, entry]) => [name, this.without(entry, owner)]));
  }

  /** The bytes under an id, which are then gone. */
  take(id: string): Uint8Array | undefined {
    const kept = this.#kept.get(id);
    if (!kept) return undefined;
    clearTimeout(kept.timer);
    this.#kept.delete(id);
    return kept.bytes;
  }

  /** The window has gone. */
  forget(owner: object): void {
    for (const [id, kept] of this.#kept) if (kept.owner === owner) this.take(id);
  }

  #keep(array: Large, owner: object): BlobReference {
    const id = randomBytes(16).toString('hex');
    const timer = setTimeout(() => this.#kept.delete(id), PATIENCE);
    timer.unref();
    this.#kept.set(id, { bytes: new Uint8Array(array.buffer, array.byteOffset, array.byteLength), owner, timer });
    return { $blob: id, type: array.constructor.name, length: array.length };
  }
}
