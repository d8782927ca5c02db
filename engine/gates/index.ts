/** Gate families by id; ids are the file format. */
import type { GateFamily } from './gate.ts';
import { neuronGate, variants } from './neuron.ts';

export const gateFamilies: readonly GateFamily[] = variants.flatMap((variant) => [
  neuronGate('dopamine', variant, { gain: true }),
  neuronGate('threshold', variant, { gain: false }),
]);
