/**
 * The door to WebAssembly, typed: its names are in TypeScript's DOM library only, which the engine is compiled without.
 *
 * One shared memory holds parameters, moments and gradients, so that ONNX Runtime reads and writes them as views, several threads update
 * their halves, and nothing is copied. How the memory is divided is left to its owner.
 */
import { UserError } from '../../base/errors.ts';

/** A `WebAssembly.Memory`. The kernels want a shared one, so that `buffer` is a SharedArrayBuffer that may be posted to workers. */
export interface Memory {
  readonly buffer: ArrayBufferLike;
}

/** A compiled module: opaque. */
export type Module = { readonly [Symbol.toStringTag]: 'WebAssembly.Module' };

interface WebAssemblyNamespace {
  Memory: new (descriptor: { initial: number; maximum: number; shared: boolean }) => Memory;
  Module: new (bytes: Uint8Array<ArrayBuffer>) => Module;
  Instance: new (module: Module, imports: { environment: { memory: Memory } }) => { readonly exports: unknown };
}

export const webAssembly = (globalThis as unknown as { WebAssembly: WebAssemblyNamespace }).WebAssembly;

const PAGE = 65536;

/**
 * A zeroed shared memory of at least so many bytes (a multiple of 64 KiB) that never grows, so views of it stay valid.
 * @param bytes an integer in [1, 2^32] @throws UserError otherwise
 */
export function createMemory(bytes: number): Memory {
  if (!Number.isInteger(bytes) || bytes < 1 || bytes > 2 ** 32)
    throw new UserError('createMemory: bytes', 'must be an integer in [1, 2^32]', bytes);
  const pages = Math.ceil(bytes / PAGE);
  return new webAssembly.Memory({ initial: pages, maximum: pages, shared: true });
}
