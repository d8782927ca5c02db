/** What the optimisers' tests share: a memory divided into regions filled from a seed. Not part of the engine. */
import type { Random } from '../../base/random.ts';
import { createMemory, type Memory, type Regions } from './optimiser.ts';

/** Five regions of `count` floats, in an order unlike the kernels', with a gap of 16 bytes after each. */
export function divide(count: number, shards: number): { memory: Memory; regions: Regions } {
  const stride = 4 * count + 16;
  const memory = createMemory(5 * stride);
  const [second, gradientB, parameters, gradientA, first] = [0, 1, 2, 3, 4].map((place) => place * stride);
  return { memory, regions: { parameters, first, second, gradients: [gradientA, gradientB].slice(0, shards), count } };
}

export function view(memory: Memory, offset: number, count: number): Float32Array {
  return new Float32Array(memory.buffer, offset, count);
}

/** Normals times a power of ten drawn from `exponents`, one in eight an exact zero. */
export function fill(target: Float32Array, random: Random, exponents: [low: number, high: number]): void {
  const [low, high] = exponents;
  for (let i = 0; i < target.length; i++) {
    const size = 10 ** (low + random.uniform() * (high - low));
    target[i] = random.uniform() < 1 / 8 ? 0 : random.normal() * size;
  }
}

/** The whole memory's bits with every NaN made the same one, since WebAssembly leaves a NaN's sign and payload open. */
export function bits(memory: Memory): Int32Array {
  const floats = new Float32Array(memory.buffer).slice();
  for (let i = 0; i < floats.length; i++) if (Number.isNaN(floats[i])) floats[i] = NaN;
  return new Int32Array(floats.buffer);
}

/** Where two memories' bits first differ, told so that a failing test shows it; undefined if nowhere. */
export function firstDifference(a: Memory, b: Memory): string | undefined {
  const [left, right] = [bits(a), bits(b)];
  const at = left.findIndex((each, index) => each !== right[index]);
  if (at < 0) return undefined;
  const value = (word: number) => new Float32Array(Int32Array.of(word).buffer)[0];
  return `float ${at}: ${value(left[at])} and ${value(right[at])}`;
}
