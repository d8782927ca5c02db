/** A gate family on every hidden layer of an MLP. */
import { UserError } from '../../base/errors.ts';
import { gate, type GateFamily } from '../../gates/gate.ts';
import type { Value } from '../../graph/value.ts';
import { add, matmul } from '../../ops/index.ts';
import { hiddenLayers, type Adapter } from './adapter.ts';

export interface GatedOptions {
  /** Trained with hard decisions whose gradient is the soft one's (Bengio et al. 2013, arXiv:1308.3432, variant iv). */
  readonly straightThrough?: boolean;
  /** Thresholds τ₀ + c·U for the mode c of a row: one frozen network holds many modes (arXiv:2602.11726, future work). U begins at 0. */
  readonly context?: boolean;
}

/** Where a layer's gate keeps a parameter: `layers.0.gate.threshold`. */
export const gateParameter = (layer: number, name: string): string => `layers.${layer}.gate.${name}`;

export function gated(family: GateFamily, { straightThrough = false, context = false }: GatedOptions = {}): Adapter {
  const options = `${straightThrough ? '+straight-through' : ''}${context ? '+context' : ''}`;
  return {
    id: family.id + options,
    gated: true,
    family,
    contextual: context,
    trains: 'own',
    parameters: (config, modes = 1) =>
      hiddenLayers(config).flatMap(({ layer, width }) => [
        ...family.parameters(width).map(({ name, shape, value }) => ({
          name: gateParameter(layer, name),
          shape,
          initialiser: { kind: 'constant' as const, value },
        })),
        ...(context
          ? [{ name: gateParameter(layer, 'context'), shape: [modes, width], initialiser: { kind: 'constant' as const, value: 0 } }]
          : []),
      ]),
    hooks({ widths }, { parameters, temperature, form, modes }) {
      const penalties: Value[] = [];
      return {
        penalties,
        hidden(layer, activation, pre) {
          const own = Object.fromEntries(
            family.parameters(widths[layer + 1]).map(({ name }) => [name, parameters[gateParameter(layer, name)]]),
          );
          if (context) {
            if (!modes) throw new UserError(`adapter ${family.id}${options}: modes`, 'must be given: thresholds depend on them', modes);
            own.threshold = add(own.threshold, matmul(modes, parameters[gateParameter(layer, 'context')]));
          }
          const decided = form === 'training' ? (straightThrough ? 'hard' : 'soft') : form;
          const x = family.input === 'activation' ? activation : pre;
          const { output, openness } = gate(family, own, x, { temperature: temperature(layer), form: decided });
          penalties.push(openness);
          return output;
        },
      };
    },
  };
}
