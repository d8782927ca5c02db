/** A pair set as it comes from a message or a file: the shape of its fields; what must hold between them is checkPairs' to say. */
import { z } from 'zod';
import { wholeBetween } from '../base/schema.ts';
import type { PairSet } from './pairs.ts';

const integers = z.custom<Int32Array>((value) => value instanceof Int32Array, 'must be an Int32Array');
const count = wholeBetween(1, 2 ** 31 - 1);
const names = z.array(z.string('must be a name'), 'must be a list of names');
const byArm = <T extends z.ZodType>(each: T) =>
  z.strictObject({
    sensitive: each.exactOptional(),
    control: each.exactOptional(),
    cipher: each.exactOptional(),
    benignCipher: each.exactOptional(),
  });
const tokenList = z.array(z.int('must be a token').min(0, 'must be a token'), 'must be a list of tokens');
const tokenSets = z.strictObject({ count, tokens: integers });

export const pairSet: z.ZodType<PairSet> = z.strictObject(
  {
    pairs: count,
    length: count,
    arms: z.strictObject({
      sensitive: integers,
      control: integers,
      cipher: integers.exactOptional(),
      benignCipher: integers.exactOptional(),
    }),
    roles: integers.exactOptional(),
    roleNames: names.exactOptional(),
    read: integers,
    metric: z.strictObject({ positive: tokenSets, negative: tokenSets }),
    content: integers.exactOptional(),
    marks: z.record(z.string(), integers).exactOptional(),
    labels: z
      .strictObject({
        expected: byArm(integers).exactOptional(),
        answer: byArm(integers).exactOptional(),
        policy: z.strictObject({ refuse: tokenList, evade: tokenList }).exactOptional(),
        topic: byArm(integers).exactOptional(),
        topicNames: names.exactOptional(),
        severity: integers.exactOptional(),
      })
      .exactOptional(),
  },
  'must be a set of pairs',
);
