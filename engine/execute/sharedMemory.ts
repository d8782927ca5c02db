/**
 * One shared WebAssembly memory that ONNX Runtime, the optimiser's kernels and several threads read and write in place.
 *
 * It is divided once, when what a step needs is known; nothing is freed on its own.
 */
import { createMemory, type Memory } from './optimisers/memory.ts';
import type { DType } from '../graph/value.ts';

/** A cache line, and more than any kernel asks for. */
const ALIGNMENT = 64;

/** A tensor's place in a shared buffer; plain data, so that it can be sent to another thread. */
export interface Placement {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Bytes from the start of the memory, or the buffer itself for data that lies outside it. */
  readonly at: number | SharedArrayBuffer;
}

/** Plans regions first, then makes a memory that has just room for them. */
export class MemoryPlan {
  #bytes = 0;

  /** Reserves `bytes` and returns their offset, a multiple of 64. */
  reserve(bytes: number): number {
    const offset = this.#bytes;
    this.#bytes = align(offset + bytes);
    return offset;
  }

  create(): Memory {
    return createMemory(Math.max(this.#bytes, ALIGNMENT));
  }
}

export const align = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/** The array at a placement. */
export function viewOf(memory: Memory, { dtype, shape, at }: Placement): Float32Array | Int32Array | Uint8Array {
  const length = shape.reduce((a, b) => a * b, 1);
  const [buffer, offset] = typeof at === 'number' ? [memory.buffer, at] : [at, 0];
  return dtype === 'float32'
    ? new Float32Array(buffer, offset, length)
    : dtype === 'int32'
      ? new Int32Array(buffer, offset, length)
      : new Uint8Array(buffer, offset, length);
}

/** A float32 or int32 array in memory that threads can share, filled from `data`. */
export function shared<T extends Float32Array | Int32Array>(data: T): T {
  if (data.buffer instanceof SharedArrayBuffer) return data;
  const copy = new (data.constructor as new (buffer: SharedArrayBuffer) => T)(new SharedArrayBuffer(data.byteLength));
  copy.set(data);
  return copy;
}
