/** Offsets to every bias and nothing else: z = x·W + b + δ. BitFit on an MLP (Ben Zaken et al. 2021, arXiv:2106.10199). */
import { add, matmul } from '../../ops/index.ts';
import type { Adapter } from './adapter.ts';

const offset = (layer: number): string => `layers.${layer}.bias.offset`;

/** δ = 0: at the start nothing is changed. The output layer has offsets too. */
export const bias: Adapter = {
  id: 'bias',
  gated: false,
  contextual: false,
  trains: 'own',
  parameters: ({ widths }) =>
    widths.slice(1).map((width, layer) => ({ name: offset(layer), shape: [width], initialiser: { kind: 'constant', value: 0 } })),
  hooks: (_config, { parameters }) => ({
    linear: (layer, x, weight, ownBias) => add(matmul(x, weight, { bias: ownBias }), parameters[offset(layer)]),
  }),
};
