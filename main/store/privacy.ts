/** Texts without where things lie on somebody's machine: of every absolute path, only its last part. */
import { posix, win32 } from 'node:path';

/** A folder's name: blanks and quotes may be within it, but what ends with them is more likely the words before another path. */
const folder = String.raw`[^\s"<>|\\/](?:[^"<>|\r\n\\/]*[^\s"'<>|\\/([=,;:\u0060])?[\\/]`;

/** An absolute path of at least two parts, as POSIX or Windows writes it, by itself or within a longer text; not part of a word, as in `km/s/h`. */
const longPath = new RegExp(String.raw`(?<![\w.~)\]/\\])(?:file:/+(?:[a-z]:/)?|[a-z]:[\\/]+|\\\\|/)(?:${folder}[\\/]*)+`, 'giu');

/** For texts in which a single `/s` is more likely a unit than a place. */
export const withoutLongPaths = (text: string): string => text.replace(longPath, '');

/** Also of a text that is a path of one part, as a folder of data may be. */
export function withoutPaths(text: string): string {
  const without = withoutLongPaths(text);
  if (posix.isAbsolute(without)) return posix.basename(without);
  return win32.isAbsolute(without) ? win32.basename(without) : without;
}

/** JSON as codec.ts writes it, with its texts and names changed so. Two names never become one, nor one a mark of the codec's. */
export function withoutPathsIn(json: string, clean: (text: string) => string): string {
  const cleaned = (value: unknown): unknown => {
    if (typeof value === 'string') return clean(value);
    if (value === null || typeof value !== 'object') return value;
    if (Array.isArray(value)) return value.map(cleaned);
    const taken = new Set(Object.keys(value));
    return Object.fromEntries(Object.entries(value).map(([name, entry]) => [cleanName(name, clean, taken), cleaned(entry)]));
  };
  return JSON.stringify(cleaned(JSON.parse(json)));
}

function cleanName(name: string, clean: (text: string) => string, taken: Set<string>): string {
  const without = clean(name);
  if (without === name) return name;
  const plain = without.startsWith('$') ? `$${without}` : without;
  let free = plain;
  for (let i = 2; taken.has(free); i++) free = `${plain} (${i})`;
  taken.add(free);
  return free;
}
