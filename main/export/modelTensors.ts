/** The tensors of a classifier with their shapes, by names that no two share: `base.layers.0.weight`, `adapter.layers.0.gate.gain`. */
import { adapterOf } from '../../engine/models/adapters/index.ts';
import type { ClassifierModel } from '../../engine/models/classifier.ts';
import { mlpParameters } from '../../engine/models/mlp.ts';

export interface NamedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export function modelTensors({ widths, base, adapter }: ClassifierModel): NamedTensor[] {
  const own = adapter ? adapterOf(adapter.id).parameters({ widths }, adapter.angles.length) : [];
  return [
    ...mlpParameters({ widths }).map(({ name, shape }) => ({ name: `base.${name}`, shape, data: base[name] })),
    ...own.map(({ name, shape }) => ({ name: `adapter.${name}`, shape, data: adapter!.parameters[name] })),
  ];
}
