/**
 * One shard of a training step: a session whose parameters, gradients and row numbers lie in shared memory.
 *
 * The lead thread and its helper each run one; neither copies anything. stepRunner.ts says when.
 */
import { bindSession, openSession, type NativeSession, type TypedData } from './onnxruntime.ts';
import type { Memory } from './optimisers/optimiser.ts';
import { viewOf, type Placement } from './sharedMemory.ts';

/** What a shard needs to know; plain data that can be sent to a thread. */
export interface ShardPlan {
  /** The program as an ONNX model. */
  readonly model: Uint8Array;
  readonly memory: Memory;
  readonly inputs: Readonly<Record<string, Placement>>;
  readonly outputs: Readonly<Record<string, Placement>>;
  /** Byte offset of the row numbers, int32; input `index` [rows]. Absent for a program that reads no tables. */
  readonly index: number;
}

export class Shard {
  readonly #plan: ShardPlan;
  readonly #session: NativeSession;
  /** Bound runs by number of rows: a whole batch, and the last one of an epoch. */
  readonly #bound = new Map<number, () => unknown>();

  /** @param beside a shard of the same model on the same thread, whose session (and so whose scratch memory) is used */
  constructor(plan: ShardPlan, beside?: Shard) {
    this.#plan = plan;
    this.#session = beside ? beside.#session : openSession(plan.model, { memory: 'training' }, 'training step');
  }

  /** Computes the outputs for the first `rows` row numbers. */
  run(rows: number): void {
    let bound = this.#bound.get(rows);
    if (!bound) this.#bound.set(rows, (bound = this.#bind(rows)));
    bound();
  }

  dispose(): void {
    this.#session.dispose();
  }

  #bind(rows: number): () => unknown {
    const { memory, inputs, outputs, index } = this.#plan;
    const typed = (placements: Readonly<Record<string, Placement>>): Record<string, TypedData> =>
      Object.fromEntries(
        Object.entries(placements).map(([name, place]) => [name, { dtype: place.dtype, shape: place.shape, data: viewOf(memory, place) }]),
      );
    return bindSession(
      this.#session,
      typed({ ...inputs, index: { dtype: 'int32', shape: [rows], at: index } }),
      typed(outputs),
      'training step',
    );
  }
}
