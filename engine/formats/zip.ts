/**
 * Zip archives as far as npz needs them (PKWARE's APPNOTE.TXT): stored or deflated members, no encryption, no 64-bit directory.
 *
 * Written by fflate. Read here, since fflate's reader checks neither checksums nor how much a member unpacks to: a damaged archive would give
 * wrong numbers, a hostile one all of the memory.
 */
import { zipSync } from 'fflate';
import { crc32, inflateRawSync } from 'node:zlib';
import { UserError } from '../base/errors.ts';

export interface Archive {
  /** In the order of the archive's directory. */
  readonly names: readonly string[];
  /** What a member unpacks to. @throws UserError if there is none of that name, or it is damaged or too large */
  read(name: string): Uint8Array;
}

interface Member {
  readonly method: number;
  readonly encrypted: boolean;
  readonly checksum: number;
  readonly size: number;
  readonly unpacked: number;
  readonly offset: number;
}

const END = { signature: 0x06054b50, bytes: 22, comment: 0xffff };
const ENTRY = { signature: 0x02014b50, bytes: 46 };
const LOCAL = { signature: 0x04034b50, bytes: 30 };
const STORED = 0;
const DEFLATED = 8;
/** Deflate makes nothing more than 1032 times smaller: a member that says otherwise is refused before room is made for it. */
const LARGEST_RATIO = 1032;

/** @param limit the most bytes one member may unpack to @throws UserError if this is not a zip archive */
export function openZip(bytes: Uint8Array, place: string, limit: number): Archive {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const members = directory(bytes, view, place);
  return {
    names: [...members.keys()],
    read(name) {
      const member = members.get(name);
      if (!member) throw new UserError(place, `must hold ${name}`, [...members.keys()]);
      return unpack(bytes, view, member, `${place}: ${name}`, limit);
    },
  };
}

/** Members stored as they are, in the order given, dated 1980-01-01: the same content gives the same bytes. */
export function writeZip(members: ReadonlyMap<string, Uint8Array>): Uint8Array<ArrayBuffer> {
  // fflate reads the local time of the date, so a local date gives the same bytes in every time zone.
  return zipSync(Object.fromEntries(members), { level: 0, mtime: new Date(1980, 0, 1) });
}

function directory(bytes: Uint8Array, view: DataView, place: string): Map<string, Member> {
  let end = bytes.length - END.bytes;
  const last = Math.max(0, end - END.comment);
  while (end >= last && view.getUint32(end, true) !== END.signature) end--;
  if (end < last) throw new UserError(place, 'must be a whole zip archive', 'no directory at its end');
  const count = view.getUint16(end + 10, true);
  const members = new Map<string, Member>();
  let at = view.getUint32(end + 16, true);
  for (let i = 0; i < count; i++) {
    if (at + ENTRY.bytes > end || view.getUint32(at, true) !== ENTRY.signature)
      throw new UserError(`${place}: directory`, `must have its ${count} entries where it says`, `none at byte ${at}`);
    const flags = view.getUint16(at + 8, true);
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) => view.getUint16(at + field, true));
    const name = Buffer.from(bytes.subarray(at + ENTRY.bytes, at + ENTRY.bytes + nameBytes)).toString(flags & 0x800 ? 'utf8' : 'latin1');
    if (members.has(name)) throw new UserError(`${place}: directory`, 'must name a member once', name);
    members.set(name, {
      method: view.getUint16(at + 10, true),
      encrypted: (flags & 1) !== 0,
      checksum: view.getUint32(at + 16, true),
      size: view.getUint32(at + 20, true),
      unpacked: view.getUint32(at + 24, true),
      offset: view.getUint32(at + 42, true),
    });
    at += ENTRY.bytes + nameBytes + extraBytes + commentBytes;
  }
  return members;
}

function unpack(bytes: Uint8Array, view: DataView, member: Member, place: string, limit: number): Uint8Array {
  const { method, encrypted, checksum, size, unpacked, offset } = member;
  if (encrypted) throw new UserError(place, 'must not be encrypted', 'an encrypted member');
  if (method !== STORED && method !== DEFLATED) throw new UserError(`${place}: compression`, 'must be 0 (stored) or 8 (deflated)', method);
  if (unpacked > limit) throw new UserError(place, `must unpack to at most ${limit} bytes`, unpacked);
  if (unpacked > LARGEST_RATIO * size) throw new UserError(place, `must unpack to what ${size} bytes can hold`, unpacked);
  if (offset + LOCAL.bytes > bytes.length || view.getUint32(offset, true) !== LOCAL.signature)
    throw new UserError(place, 'must be where the directory says', `byte ${offset}`);
  const begin = offset + LOCAL.bytes + view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true);
  if (begin + size > bytes.length) throw new UserError(place, `must have the ${size} bytes the directory says`, bytes.length - begin);
  const packed = bytes.subarray(begin, begin + size);
  const content = method === STORED ? packed : inflate(packed, unpacked, place);
  if (content.length !== unpacked) throw new UserError(place, `must unpack to ${unpacked} bytes`, content.length);
  if (crc32(content) !== checksum) throw new UserError(place, 'must be undamaged', 'another checksum');
  return content;
}

function inflate(packed: Uint8Array, unpacked: number, place: string): Uint8Array {
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(1, unpacked) });
  } catch (error) {
    throw new UserError(place, 'must be undamaged', (error as NodeJS.ErrnoException).code ?? String(error), { cause: error });
  }
}
