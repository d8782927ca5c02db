/**
 * The digest of plain data: what results, models and requests are known by. Equal content gives the same digest in every file, process and
 * order of properties. What of a request counts at all is for whoever asks (main/host/prepare.ts).
 */
import { createHash, type Hash } from 'node:crypto';

/**
 * SHA-256, in hex, of the value's canonical form: the order of an object's properties and properties that are undefined make no difference;
 * typed arrays count by type and content, numbers by their bits (any NaN is the same).
 * @param place what to call the value in an error
 * @throws TypeError for what is not plain data (functions, symbols, instances of classes), naming where it is
 */
export function canonicalDigest(value: unknown, place = 'value'): string {
  const hash = createHash('sha256');
  write(hash, value, place);
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
      return void hash.update('n').update(new Float64Array([Number.isNaN(value) ? NaN : value]));
    case 'bigint':
      return writeText(hash, 'i', String(value));
    case 'string':
      return writeText(hash, 's', value);
    case 'object':
      return writeObject(hash, value, path);
    default:
      throw new TypeError(`canonicalDigest: ${path} must be plain data, got a ${typeof value}`);
  }
}

function writeObject(hash: Hash, value: object | null, path: string): void {
  if (value === null) return void hash.update('0');
  if (Array.isArray(value)) {
    hash.update(`[${value.length}:`);
    // Not forEach, which would pass over holes.
    for (let index = 0; index < value.length; index++) write(hash, value[index], `${path}[${index}]`);
    return;
  }
  if (ArrayBuffer.isView(value)) {
    // Its tag rather than its class: a Buffer is a Uint8Array again once it has crossed to another process.
    hash.update(`v${(value as Uint8Array)[Symbol.toStringTag]}:${value.byteLength}:`);
    return void hash.update(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null)
    throw new TypeError(`canonicalDigest: ${path} must be plain data, got a ${value.constructor.name}`);
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
