/** The assembler by itself: LEB128 against its definition, and the instructions by running them. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { assembleModule, f32x4, FunctionBuilder, i32, repeat, signed, unsigned, v128 } from './assembler.ts';
import { createMemory, webAssembly } from './memory.ts';

test('LEB128 of the examples of the DWARF standard (4, §7.6)', () => {
  expect([2, 127, 128, 129, 12857].map(unsigned)).toEqual([[2], [0x7f], [0x80, 1], [0x81, 1], [0xb9, 0x64]]);
  expect([2, -2, 127, -127, 128, -128, 129, -129].map(signed)).toEqual(
    [[2], [0x7e], [0xff, 0], [0x81, 0x7f], [0x80, 1], [0x80, 0x7f], [0x81, 1], [0xff, 0x7e]], // prettier-ignore
  );
});

test('LEB128 says its integer, in as few bytes as it needs', () => {
  const sum = (bytes: number[]) => bytes.reduce((total, byte, index) => total + (byte & 0x7f) * 2 ** (7 * index), 0);
  fc.assert(
    fc.property(fc.nat(0xffffffff), (value) => {
      expect(sum(unsigned(value))).toBe(value);
      expect(unsigned(value).length).toBe(Math.max(1, Math.ceil(Math.log2(value + 1) / 7)));
    }),
  );
  fc.assert(
    fc.property(fc.integer(), (value) => {
      const bytes = signed(value);
      const negative = (bytes[bytes.length - 1] & 0x40) !== 0;
      expect(sum(bytes) - (negative ? 2 ** (7 * bytes.length) : 0)).toBe(value);
    }),
  );
});

test('every instruction does what its name says', () => {
  const kernel = new FunctionBuilder('kernel');
  const count = kernel.parameter('i32');
  const from = kernel.parameter('i32');
  const scalar = kernel.parameter('f32');
  const x = kernel.local('v128');
  const { add, subtract, multiply, divide, squareRoot, splat } = f32x4;
  kernel.define(
    repeat(
      count,
      x.set(v128.load(from.get)),
      v128.store(from.get, divide(subtract(multiply(x.get, add(x.get, splat(scalar.get))), squareRoot(x.get)), splat(scalar.get))),
      from.set(i32.add(from.get, i32.constant(16))),
    ),
    i32.isZero(i32.subtract(from.get, v128.anyTrue(v128.or(x.get, x.get)))),
  );
  const memory = createMemory(1);
  const module = new webAssembly.Module(assembleModule([kernel]));
  const exports = new webAssembly.Instance(module, { environment: { memory } }).exports as {
    kernel: (count: number, from: number, scalar: number) => number;
  };
  const floats = new Float32Array(memory.buffer);
  floats.set([0, 1, 4, 9, 16, 25, 36, 49, 64]);
  expect(exports.kernel(2, 0, 4)).toBe(0);
  expect(Array.from(floats.subarray(0, 9))).toEqual([...[0, 1, 4, 9, 16, 25, 36, 49].map((x) => (x * (x + 4) - Math.sqrt(x)) / 4), 64]);
  expect(exports.kernel(0, 0, 4)).toBe(1); // the loop does not run, x stays zeros: 0 - 0 is zero
  expect(floats[8]).toBe(64);
});

test('parameters come before locals', () => {
  const kernel = new FunctionBuilder('kernel');
  kernel.local('v128');
  expect(() => kernel.parameter('i32')).toThrow('kernel: parameters must be declared before locals');
});
