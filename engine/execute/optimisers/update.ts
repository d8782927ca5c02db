/**
 * Updates parameters in place in a shared memory with the SIMD kernels, after checking what it is given.
 *
 * The owner of the memory divides it into regions and keeps the step count; training decides the rate. The arithmetic and its order are
 * kernels.ts's; plain.ts is the same in scalar TypeScript. Takes settings that are checked already, so that a helper thread, of which every
 * training starts one, need not load the schema.
 */
import { UserError } from '../../base/errors.ts';
import { instantiateKernels } from './kernels.ts';
import type { Memory } from './memory.ts';
import { ADAM_SCALARS, adamScalars, checkStep, SGD_SCALARS, sgdScalars } from './scalars.ts';
import type { OptimiserSettings } from './spec.ts';

/**
 * Where the arrays are: byte offsets in [0, 2^32), multiples of 16, of `count` float32 each; `count` is a multiple of 4, the owner pads.
 * Padding that starts as zeros stays zero. Regions must not overlap (two gradients may).
 */
export interface Regions {
  parameters: number;
  /** Adam's first moment, or SGD's momentum buffer; ignored by an optimiser of 0 slots. Zeros before step 1. */
  first: number;
  /** Adam's second moment; ignored by an optimiser of fewer than 2 slots. Zeros before step 1. */
  second: number;
  /** One gradient, or the two shards' that are summed, in this order. */
  gradients: readonly number[];
  count: number;
}

/** The elements [begin, end) of all regions, both multiples of 4. */
export interface Range {
  begin: number;
  end: number;
}

export interface Optimiser {
  /**
   * Updates the parameters and moments of a range (all of them by default) with the gradient times `gradientScale` (1 by default; for a mean
   * over shards or a clipped norm). Ranges that cover the regions give the same bits as one step over all, in any order, on any threads.
   * Nothing here looks for NaN: ask {@link finite} first.
   * @param t the step, counted from 1 @param learningRate the current rate, in [0, 1000]
   * @throws UserError if an offset, count, range or scalar breaks its rule; nothing has been changed then
   */
  step(regions: Regions, t: number, learningRate: number, range?: Range, gradientScale?: number): void;
  /** Whether none of `count` floats at a byte offset is NaN or infinite. @throws UserError for an offset or count that breaks its rule */
  finite(offset: number, count: number): boolean;
}

/** @param memory a shared WebAssembly.Memory, see createMemory @throws UserError for a memory that is not shared */
export function optimiserOf(memory: Memory, settings: OptimiserSettings): Optimiser {
  if (!(memory.buffer instanceof SharedArrayBuffer)) throw new UserError('optimiser: memory', 'must be shared', 'one that is not');
  const kernels = instantiateKernels(memory);
  return {
    step(regions, t, learningRate, range = { begin: 0, end: regions.count }, gradientScale = 1) {
      checkStep(t, learningRate, gradientScale);
      const moments = settings.kind !== 'sgd' ? ([regions.first, regions.second] as const) : settings.momentum > 0 ? [regions.first] : [];
      const [vectors, offsets] = locate(memory, regions, moments, range);
      const shards = regions.gradients.length as 1 | 2;
      if (settings.kind === 'sgd') {
        const scalars = sgdScalars(settings, learningRate, gradientScale);
        const name = settings.momentum === 0 ? 'plain' : settings.nesterov ? 'nesterov' : 'momentum';
        kernels[`${name}${shards}`](vectors, ...offsets, ...SGD_SCALARS.map((each) => scalars[each]));
      } else {
        const scalars = adamScalars(settings, t, learningRate, gradientScale);
        kernels[`adam${shards}`](vectors, ...offsets, ...ADAM_SCALARS.map((each) => scalars[each]));
      }
    },
    finite(offset, count) {
      checkRegion(memory, 'finite: offset', offset, count);
      return kernels.finite(count / 4, offset) === 1;
    },
  };
}

/** Checks the regions in use and gives the range's vectors and the byte offsets where it begins, in the kernels' order. */
function locate(memory: Memory, regions: Regions, moments: readonly number[], { begin, end }: Range): [vectors: number, offsets: number[]] {
  const { parameters, gradients, count } = regions;
  if (gradients.length !== 1 && gradients.length !== 2)
    throw new UserError('optimiser.step: gradients', 'must be 1 or 2 offsets', gradients);
  checkRegion(memory, 'step: parameters', parameters, count);
  moments.forEach((offset, index) => checkRegion(memory, `step: ${index === 0 ? 'first' : 'second'}`, offset, count));
  gradients.forEach((offset, index) => checkRegion(memory, `step: gradients[${index}]`, offset, count));
  if (![begin, end].every((bound) => Number.isInteger(bound) && bound % 4 === 0) || begin < 0 || begin > end || end > count) {
    throw new UserError('optimiser.step: range', `must be begin ≤ end in [0, ${count}], both multiples of 4`, [begin, end]);
  }
  return [(end - begin) / 4, [parameters, ...moments, ...gradients].map((offset) => offset + 4 * begin)];
}

/** @throws UserError unless `count` floats at `offset` are whole vectors inside the memory */
function checkRegion(memory: Memory, where: string, offset: number, count: number): void {
  if (!Number.isInteger(count) || count < 0 || count % 4 !== 0) {
    throw new UserError(`optimiser.${where.split(':')[0]}: count`, 'must be a multiple of 4', count);
  }
  const last = memory.buffer.byteLength - 4 * count;
  if (!Number.isInteger(offset) || offset % 16 !== 0 || offset < 0 || offset > last) {
    throw new UserError(
      `optimiser.${where}`,
      `must be a multiple of 16 with room for ${count} floats in ${memory.buffer.byteLength} bytes`,
      offset,
    );
  }
}
