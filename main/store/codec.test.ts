/** Plain data through JSON and back: nothing is lost, nothing is mistaken for one of our marks. */
import { deepStrictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decode, encode, isModel, referencesIn, type Keeper, type Recaller } from './codec.ts';
import type { TypedArray } from './tensors.ts';
import { plainData } from './testing/plainData.ts';
import { adapted } from './testing/sessions.ts';

/** Keeps things in memory, by their number. */
function memory(): Keeper & Recaller {
  const kept: unknown[] = [];
  const keep = (value: unknown) => String(kept.push(value) - 1);
  return {
    tensor: (given: TypedArray | string) => (typeof given === 'string' ? kept[Number(given)] : keep(given)) as never,
    model: (given: unknown) => (typeof given === 'string' ? kept[Number(given)] : keep(given)) as never,
  };
}

test('any nesting of plain data comes back as it was', () => {
  fc.assert(
    fc.property(plainData, (value) => {
      const keeper = memory();
      deepStrictEqual(decode(encode(value, keeper), keeper), value); // Vitest's own takes a field `constructor` for the class
    }),
    { seed: 1, numRuns: 500 },
  );
});

test('what JSON cannot say is told from what looks like it', () => {
  const keeper = memory();
  const value = {
    none: undefined,
    nan: NaN,
    zero: -0,
    big: 12n,
    $number: 'NaN',
    $$: { $undefined: true },
    holes: Object.assign(new Array<unknown>(3), { 0: 1, 2: 3 }),
  };
  expect(JSON.parse(encode(value, keeper))).toEqual({
    none: { $undefined: true },
    nan: { $number: 'NaN' },
    zero: { $number: '-0' },
    big: { $bigint: '12' },
    $$number: 'NaN',
    $$$: { $$undefined: true },
    holes: [1, { $undefined: true }, 3],
  });
});

test('models stand by themselves, wherever they are', () => {
  const keeper = memory();
  const model = adapted();
  const json = encode({ list: [{ model }] }, keeper);
  expect(JSON.parse(json)).toEqual({ list: [{ model: { $model: '0' } }] });
  expect(decode(json, keeper)).toStrictEqual({ list: [{ model }] });
  expect(isModel({ architecture: 'mlp', widths: [] })).toBe(false);
});

test('references are found', () => {
  const json = encode([new Float32Array(1), { model: adapted(), more: [new Int32Array(2)] }], memory());
  expect(referencesIn(json)).toEqual({ tensors: ['0', '2'], models: ['1'] });
});

test('what is not plain data is refused, saying where', () => {
  const keeper = memory();
  expect(() => encode({ a: [0, () => 0] }, keeper)).toThrow('encode: a.1 must be plain data, got a function');
  expect(() => encode({ when: new Date(0) }, keeper)).toThrow('encode: when must be plain data, got a Date');
  expect(() => encode(new Uint8ClampedArray(1), keeper)).toThrow('encode: value must be plain data, got a Uint8ClampedArray');
  expect(() => decode('{"$unheard": 1}', keeper)).toThrow('decode: $unheard is nothing we write');
});
