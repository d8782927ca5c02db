/** The key of a request: what its checkpoint and result are stored under, and how equal requests find one another. */
import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import type { Request } from '../../engine/contract.ts';

/**
 * SHA-256, in hex, of the request's canonical form: the order of an object's properties and properties that are undefined make no
 * difference; typed arrays count by type and content, numbers by their bits.
 * @param edition what else the numbers depend on, e.g. the version of the engine: another edition's results are not found
 * @throws TypeError for what is not plain data (functions, symbols, instances of classes), naming where it is
 */
export function requestKey({ kind, parameters }: Request, edition = ''): string {
  const hash = createHash('sha256');
  write(hash, [edition, kind, parameters], 'request');
  return hash.digest('hex');
}

/** Every value is a tag, then its length or bits, then what it holds: no two values are written alike. */
function write(hash: Hash, value: unknown, path: string): void {
  switch (typeof value) {
    case 'undefined':
      return void hash.update('u');
    case 'boolean':
      return void hash.update(value ? 't' : 'f');
    case 'number':
      return void hash.update('n').update(new Float64Array([value]));
    case 'bigint':
      return writeText(hash, 'i', String(value));
    case 'string':
      return writeText(hash, 's', value);
    case 'object':
      return writeObject(hash, value, path);
    default:
      throw new TypeError(`requestKey: ${path} must be plain data, got a ${typeof value}`);
  }
}

function writeObject(hash: Hash, value: object | null, path: string): void {
  if (value === null) return void hash.update('0');
  if (Array.isArray(value)) {
    hash.update(`[${value.length}:`);
    value.forEach((entry, index) => write(hash, entry, `${path}[${index}]`));
    return;
  }
  if (ArrayBuffer.isView(value)) {
    hash.update(`v${value.constructor.name}:${value.byteLength}:`);
    return void hash.update(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null)
    throw new TypeError(`requestKey: ${path} must be plain data, got a ${value.constructor.name}`);
  const entries = Object.entries(value)
    .filter(([, entry]) => entry !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  hash.update(`{${entries.length}:`);
  for (const [name, entry] of entries) {
    writeText(hash, 'k', name);
    write(hash, entry, `${path}.${name}`);
  }
}

function writeText(hash: Hash, tag: string, text: string): void {
  hash.update(`${tag}${Buffer.byteLength(text)}:`).update(text);
}
