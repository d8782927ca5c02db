/** What a set of pairs must be, what is read off it, and that choosing pairs chooses all that belongs to them. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UserError } from '../base/errors.ts';
import { armsOf, checkPairs, firstDifferences, prompts, rolesOf, sameTokens, selectPairs, type PairSet } from './pairs.ts';

/** Three pairs of four tokens, every field there. */
const set: PairSet = {
  pairs: 3,
  length: 4,
  arms: {
    sensitive: Int32Array.of(0, 1, 2, 3, 0, 5, 2, 3, 0, 1, 2, 3),
    control: Int32Array.of(0, 4, 2, 3, 0, 5, 6, 3, 0, 1, 2, 3),
    cipher: Int32Array.of(0, 7, 2, 3, 0, 5, 7, 3, 7, 1, 2, 3),
  },
  roles: Int32Array.of(0, 1, 2, 2, 0, 2, 1, 2, 0, 2, 2, 1),
  roleNames: ['bos', 'word', 'other'],
  read: Int32Array.of(3, 3, 2),
  metric: { positive: sameTokens(3, [6, 7]), negative: { count: 1, tokens: Int32Array.of(1, 2, 3) } },
  content: Int32Array.of(1, 2, 0),
  marks: { intent: Int32Array.of(0, 1, 2) },
  labels: {
    expected: { sensitive: Int32Array.of(6, 6, 7) },
    topic: { control: Int32Array.of(0, 1, 1) },
    topicNames: ['weather', 'war'],
    severity: Int32Array.of(2, 1, 0),
  },
};

test('a set that is right is taken, and its parts are read off it', () => {
  expect(() => checkPairs(set, 8)).not.toThrow();
  expect(armsOf(set)).toEqual(['sensitive', 'control', 'cipher']);
  expect([...firstDifferences(set)]).toEqual([1, 2, 4]);
  expect([...firstDifferences(set, 'cipher', 'sensitive')]).toEqual([1, 2, 0]);
  expect([...rolesOf(set, 1)!]).toEqual([0, 2, 1, 2]);
  expect(rolesOf({ ...set, roles: Int32Array.of(0, 1, 2, 2) }, 2)).toEqual(Int32Array.of(0, 1, 2, 2));
  expect([...sameTokens(2, [4, 5]).tokens]).toEqual([4, 5, 4, 5]);
  expect(() => prompts(set, 'benignCipher')).toThrow('pairs: arm must be one of sensitive, control, cipher, got "benignCipher"');
});

describe('a set that breaks a rule is refused by name', () => {
  const cases: [string, Partial<PairSet>, string][] = [
    ['no pairs', { pairs: 0 }, 'pairs: pairs must be an integer in [1, 2147483647], got 0'],
    ['arms of unequal size', { arms: { ...set.arms, control: new Int32Array(11) } }, 'pairs: control must hold 3 × 4 tokens, got 11'],
    [
      'a token the model does not know',
      { arms: { ...set.arms, cipher: new Int32Array(12).fill(8) } },
      'pairs: cipher must hold integers in [0, 7], got 8',
    ],
    [
      'a token below 0',
      { arms: { ...set.arms, sensitive: new Int32Array(12).fill(-1) } },
      'pairs: sensitive must hold integers in [0, 7], got -1',
    ],
    [
      'no control',
      { arms: { sensitive: set.arms.sensitive } as unknown as PairSet['arms'] },
      'pairs: control must be there, got undefined',
    ],
    ['a position out of range', { read: Int32Array.of(3, 4, 2) }, 'pairs: read must hold integers in [0, 3], got 4'],
    ['too few positions', { read: Int32Array.of(3) }, 'pairs: read must hold 3 positions, got 1'],
    ['content out of range', { content: Int32Array.of(1, 2, 9) }, 'pairs: content must hold integers in [0, 3], got 9'],
    ['a mark out of range', { marks: { intent: Int32Array.of(1, 2, -1) } }, 'pairs: marks.intent must hold integers in [0, 3], got -1'],
    ['a role without a name', { roleNames: ['bos', 'word'] }, 'pairs: roles must hold integers in [0, 1], got 2'],
    ['roles of another length', { roles: new Int32Array(5) }, 'pairs: roles must hold 4 or 3 × 4 roles, got 5'],
    [
      'an empty side of the metric',
      { metric: { ...set.metric, negative: sameTokens(3, []) } },
      'pairs: metric.negative.count must be an integer in [1, 8], got 0',
    ],
    [
      'a metric of an unknown token',
      { metric: { ...set.metric, positive: sameTokens(3, [8]) } },
      'pairs: metric.positive.tokens must hold integers in [0, 7], got 8',
    ],
    [
      'a label that is no token',
      { labels: { expected: { control: Int32Array.of(0, 1, 8) } } },
      'pairs: labels.expected.control must hold integers in [0, 7], got 8',
    ],
    [
      'a topic without a name',
      { labels: { topic: { control: Int32Array.of(0, 1, 2) }, topicNames: ['a', 'b'] } },
      'pairs: labels.topic.control must hold integers in [0, 1], got 2',
    ],
    ['too many severities', { labels: { severity: new Int32Array(4) } }, 'pairs: labels.severity must hold 3 severities, got 4'],
  ];
  test.each(cases)('%s', (_what, change, message) => {
    const refused = () => checkPairs({ ...set, ...change }, 8);
    expect(refused).toThrow(UserError);
    expect(refused).toThrow(message);
  });
});

test('pairs that are chosen keep everything that is theirs, in the order chosen', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 6 }), (indices) => {
      const chosen = selectPairs(set, indices);
      checkPairs(chosen, 8);
      expect(chosen.pairs).toBe(indices.length);
      indices.forEach((from, to) => {
        const one = selectPairs(chosen, [to]);
        expect([...one.arms.cipher!]).toEqual([...set.arms.cipher!.subarray(from * 4, from * 4 + 4)]);
        expect([...one.arms.control]).toEqual([...set.arms.control.subarray(from * 4, from * 4 + 4)]);
        expect([...rolesOf(chosen, to)!]).toEqual([...rolesOf(set, from)!]);
        expect([...one.metric.positive.tokens, ...one.metric.negative.tokens]).toEqual([6, 7, from + 1]);
        expect([one.read[0], one.content![0], one.marks!.intent[0]]).toEqual([set.read[from], set.content![from], from]);
        const { expected, topic, severity, topicNames } = one.labels!;
        expect([expected!.sensitive![0], topic!.control![0], severity![0]]).toEqual([from === 2 ? 7 : 6, from === 0 ? 0 : 1, 2 - from]);
        expect(topicNames).toBe(set.labels!.topicNames);
      });
    }),
  );
  expect(() => selectPairs(set, [3])).toThrow('selectPairs: index must be an integer in [0, 2], got 3');
});
