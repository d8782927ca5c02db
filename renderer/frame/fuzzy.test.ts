import { describe, expect, it } from 'vitest';
import { fuzzy, pieces } from './fuzzy.ts';

/** The same score by trying every way to place the letters. */
function byTrying(query: string, text: string): number | undefined {
  const letters = query.toLowerCase().replace(/\s+/g, '');
  const inside = text.toLowerCase();
  const begins = (i: number): boolean => i === 0 || !/[\p{L}\p{N}]/u.test(text[i - 1]) || (/\d/.test(text[i]) && !/\d/.test(text[i - 1]));
  let best: number | undefined;
  const place = (k: number, from: number, last: number, score: number): void => {
    if (k === letters.length) {
      if (best === undefined || score > best) best = score;
      return;
    }
    for (let i = from; i < inside.length; i++) {
      if (inside[i] !== letters[k]) continue;
      const step = k === 0 ? -0.1 * i : i === last + 1 ? 5 : -0.1 * (i - last - 1);
      place(k + 1, i + 1, i, score + 1 + (begins(i) ? 8 : 0) + step);
    }
  };
  place(0, 0, -1, 0);
  return best;
}

describe('fuzzy', () => {
  const texts = [
    'Save the session as…',
    'Switch theme',
    'Swap with the other member of the pair',
    'L1U41',
    'LoRA r = 4 45° on foundation 0°+45°, seed 0',
    'Undo',
  ];
  const queries = ['sw', 'se', 'seas', 'u41', 'l1u4', 'th', 'lora4', 'undo', 'zz', 'seed 0', 'sessionas'];

  it('scores as the best of all placings does', () => {
    for (const text of texts)
      for (const query of queries) {
        const expected = byTrying(query, text);
        const got = fuzzy(query, text);
        if (expected === undefined) expect(got, `${query} in ${text}`).toBeUndefined();
        else expect(got?.score, `${query} in ${text}`).toBeCloseTo(expected, 9);
      }
  });

  it('marks letters that spell the query', () => {
    for (const text of texts)
      for (const query of queries) {
        const got = fuzzy(query, text);
        if (got) expect(got.at.map((i) => text[i].toLowerCase()).join('')).toBe(query.replace(/\s/g, ''));
      }
  });

  it('prefers the beginnings of words', () => {
    expect(fuzzy('st', 'Switch theme')?.at).toEqual([0, 7]);
    expect(fuzzy('sw', 'Show what a swap does')?.at).toEqual([0, 5]);
  });

  it('pieces give the text back', () => {
    expect(pieces('Switch theme', [0, 7, 8])).toEqual([
      { text: 'S', hit: true },
      { text: 'witch ', hit: false },
      { text: 'th', hit: true },
      { text: 'eme', hit: false },
    ]);
  });
});
