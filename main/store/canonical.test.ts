/** Digests of plain data: the same for what means the same, different for everything else. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalDigest } from './canonical.ts';
import { plainData } from './testing/plainData.ts';

describe('canonicalDigest', () => {
  test('is the same for what means the same', () => {
    const digest = canonicalDigest({ a: 1, b: { c: [2], d: 'x' } });
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
    expect(canonicalDigest({ b: { d: 'x', c: [2], e: undefined }, a: 1 })).toBe(digest);
    const floats = new Float32Array([9, 1, 2, 9]);
    expect(canonicalDigest(floats.subarray(1, 3))).toBe(canonicalDigest(new Float32Array([1, 2])));
    expect(canonicalDigest(Buffer.from('ab'))).toBe(canonicalDigest(new Uint8Array([97, 98])));
    const [otherNaN] = new Float64Array(new BigUint64Array([0xfff8_0000_0000_0001n]).buffer);
    expect(canonicalDigest(otherNaN)).toBe(canonicalDigest(NaN));
  });

  test('differs for what does not', () => {
    const different = [
      ...[undefined, null, false, true, 0, -0, 1, '1', 1n, NaN, '', [], {}, [[]], [undefined], [1], ['1'], [1, 2], [12]],
      ...[{ a: 1 }, { a: '1' }, { a: { b: 1 } }, { 'a.b': 1 }, ['ab', 'c'], ['a', 'bc'], 'é', 'e\u0301'],
      ...[new Float32Array(1), new Int32Array(1), new Float32Array(2), new Uint8Array([1]), new Uint8Array([2])],
    ];
    expect(new Set(different.map((value) => canonicalDigest(value))).size).toBe(different.length);
  });

  test('does not depend on the way through structured clone, nor on the order of properties', () => {
    fc.assert(
      fc.property(plainData, (value) => {
        expect(canonicalDigest(structuredClone(value))).toBe(canonicalDigest(value));
        expect(canonicalDigest(reversed(value))).toBe(canonicalDigest(value));
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  test('refuses what is not plain data, saying where', () => {
    expect(() => canonicalDigest({ a: [0, () => 0] }, 'request')).toThrow(
      'canonicalDigest: request.a[1] must be plain data, got a function',
    );
    expect(() => canonicalDigest({ when: new Date(0) })).toThrow('canonicalDigest: value.when must be plain data, got a Date');
  });
});

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (value === null || typeof value !== 'object' || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, entry]) => [name, reversed(entry)]),
  );
}
