/** Letters of a query found in order in a text, and how well: what palette and lists search by. */

export interface Match {
  readonly score: number;
  /** Places of the letters, rising. */
  readonly at: readonly number[];
}

/** Of a letter that begins a word, or follows the one before. */
const BEGINS = 8;
const FOLLOWS = 5;
/** Each letter passed over between two that match. */
const GAP = 0.1;

const plain = (text: string): string => text.toLowerCase();
const beginsWord = (text: string, i: number): boolean =>
  i === 0 || !/[\p{L}\p{N}]/u.test(text[i - 1]) || (/\d/.test(text[i]) && !/\d/.test(text[i - 1]));

/**
 * The best way to find the letters of the query in the text; undefined if there is none. Spaces of the query are passed over.
 * By dynamic programming over letters × places: a first match from the left would take the `s` of "session" for that of "swap".
 */
export function fuzzy(query: string, text: string): Match | undefined {
  const letters = plain(query).replace(/\s+/g, '');
  if (letters.length === 0) return { score: 0, at: [] };
  const inside = plain(text);
  if (inside.length !== text.length || letters.length > inside.length) return undefined;
  const n = inside.length;
  // best[i]: score of the letters so far with the last of them at place i.
  let best: number[] = Array.from({ length: n }, () => -Infinity);
  const from: number[][] = [];
  for (let k = 0; k < letters.length; k++) {
    const next: number[] = Array.from({ length: n }, () => -Infinity);
    const before: number[] = Array.from({ length: n }, () => -1);
    let far = -Infinity;
    let farAt = -1;
    for (let i = 0; i < n; i++) {
      // Of places before i − 1: less the gap they leave, which grows by one with each place.
      if (i >= 2) {
        far -= GAP;
        if (best[i - 2] - GAP > far) {
          far = best[i - 2] - GAP;
          farAt = i - 2;
        }
      }
      if (inside[i] !== letters[k]) continue;
      const own = 1 + (beginsWord(text, i) ? BEGINS : 0);
      if (k === 0) next[i] = own - GAP * i;
      else {
        const close = i >= 1 ? best[i - 1] + FOLLOWS : -Infinity;
        const value = Math.max(close, far);
        if (value > -Infinity) {
          next[i] = own + value;
          before[i] = close >= far ? i - 1 : farAt;
        }
      }
    }
    from.push(before);
    best = next;
  }
  let end = -1;
  for (let i = 0; i < n; i++) if (best[i] > -Infinity && (end < 0 || best[i] > best[end])) end = i;
  if (end < 0) return undefined;
  const score = best[end];
  const at: number[] = [];
  for (let k = letters.length - 1; k >= 0; k--) {
    at.unshift(end);
    end = from[k][end];
  }
  return { score, at };
}

/** The text in pieces, those that match marked. */
export function pieces(text: string, at: readonly number[]): { readonly text: string; readonly hit: boolean }[] {
  const parts: { text: string; hit: boolean }[] = [];
  const hits = new Set(at);
  for (let i = 0; i < text.length; i++) {
    const hit = hits.has(i);
    const last = parts[parts.length - 1];
    if (last?.hit === hit) last.text += text[i];
    else parts.push({ text: text[i], hit });
  }
  return parts;
}
