/** A gain for each hidden unit and nothing else: out = γ · a. IA³ on an MLP (Liu et al. 2022, arXiv:2205.05638). */
import { multiply } from '../../ops/index.ts';
import { hiddenLayers, type Adapter } from './adapter.ts';
import { gateParameter } from './gated.ts';

/** γ = 1: at the start nothing is changed, bit for bit. */
export const gain: Adapter = {
  id: 'gain',
  gated: false,
  contextual: false,
  trains: 'own',
  parameters: (config) =>
    hiddenLayers(config).map(({ layer, width }) => ({
      name: gateParameter(layer, 'gain'),
      shape: [width],
      initialiser: { kind: 'constant', value: 1 },
    })),
  hooks: (_config, { parameters }) => ({
    hidden: (layer, activation) => multiply(parameters[gateParameter(layer, 'gain')], activation),
  }),
};
