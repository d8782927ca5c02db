/** The optimisers' typed front. Kinds, ranges and defaults are spec.ts's, what a step does update.ts's. */
import type { Memory } from './memory.ts';
import { type OptimiserSpec, parseOptimiser } from './spec.ts';
import { type Optimiser, optimiserOf } from './update.ts';

export { createMemory, type Memory } from './memory.ts';
export { type OptimiserSettings, type OptimiserSpec, optimiserSchema, parseOptimiser, slots } from './spec.ts';
export type { Optimiser, Range, Regions } from './update.ts';

/** @param memory a shared WebAssembly.Memory, see createMemory @throws UserError for a memory that is not shared or a bad spec */
export function createOptimiser(memory: Memory, spec: OptimiserSpec): Optimiser {
  return optimiserOf(memory, parseOptimiser(spec));
}
