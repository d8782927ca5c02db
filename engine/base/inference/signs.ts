/** Signs of pairs: relabellings of which member of a pair is the sensitive one, packed into bytes of eight pairs. Bit 1 is a minus. */
import { UserError } from '../errors.ts';
import type { Random } from '../random.ts';

/** Pairs that one byte holds the signs of. */
export const BYTE = 8;

export interface Signs {
  readonly pairs: number;
  readonly count: number;
  /** [⌈pairs / 8⌉, count]: bit k of byte (g, b) is the sign of pair 8·g + k in relabelling b. Bits without a pair are 0. */
  readonly bytes: Uint8Array;
}

/** 2^20 relabellings and as many maxima are still a few megabytes. */
const MOST_PAIRS = 20;

/** `count` relabellings drawn with replacement, each of the 2^pairs equally likely: they depend on the stream, the pairs and the count alone. */
export function drawSigns(pairs: number, count: number, random: Random): Signs {
  if (!Number.isInteger(count) || count < 1) throw new UserError('signFlip: permutations', 'must be an integer of at least 1', count);
  const groups = Math.ceil(pairs / BYTE);
  const bytes = new Uint8Array(groups * count);
  const last = 2 ** (pairs - BYTE * (groups - 1)) - 1;
  for (let b = 0; b < count; b++) {
    let word = 0;
    for (let group = 0; group < groups; group++) {
      if (group % 4 === 0) word = random.uint32();
      bytes[group * count + b] = group === groups - 1 ? word & last : word;
      word >>>= BYTE;
    }
  }
  return { pairs, count, bytes };
}

/** Every relabelling once, the given one first. @throws UserError for more than 20 pairs */
export function everySign(pairs: number): Signs {
  if (pairs > MOST_PAIRS) throw new UserError('signFlip: pairs', `must be at most ${MOST_PAIRS} for all relabellings`, pairs);
  const groups = Math.ceil(pairs / BYTE);
  const count = 2 ** pairs;
  const bytes = new Uint8Array(groups * count);
  for (let group = 0; group < groups; group++) for (let b = 0; b < count; b++) bytes[group * count + b] = b >>> (BYTE * group);
  return { pairs, count, bytes };
}
