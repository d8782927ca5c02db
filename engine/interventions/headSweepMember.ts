/** One thread of a head sweep: programs of its own, weights, prompts and results in memory shared with the others. */
import type { Member } from '../execute/team.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import type { Tensors } from '../models/parameters.ts';
import type { TransformerConfig } from '../models/transformer.ts';
import { HeadSweep, type SweepPrompts } from './headSweep.ts';

export interface HeadSweepData {
  readonly config: TransformerConfig;
  readonly parameters: Tensors;
  readonly prompts: SweepPrompts;
  /** Positions to swap. */
  readonly positions: readonly number[];
  readonly pairs: number;
  readonly patched: Float32Array;
  readonly clean: Float32Array;
  readonly donor: Float32Array;
}

export function createMember(data: unknown): Member {
  const { config, parameters, prompts, positions, ...result } = data as HeadSweepData;
  const executor = new OnnxRuntimeExecutor();
  const sweep = new HeadSweep(executor, config, parameters, { lastOnly: positions.every((position) => position === prompts.length - 1) });
  return { run: (begin, end) => sweep.run(prompts, positions, begin, end, result), dispose: () => executor.dispose() };
}
