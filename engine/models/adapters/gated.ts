/** A gate family on every hidden layer of an MLP. */
import { gate, type GateFamily } from '../../gates/gate.ts';
import type { Value } from '../../graph/value.ts';
import type { Adapter } from './adapter.ts';

export function gated(family: GateFamily): Adapter {
  const prefix = (layer: number) => `layers.${layer}.gate.`;
  return {
    id: family.id,
    gated: true,
    trains: 'own',
    parameters: ({ widths }) =>
      widths
        .slice(1, -1)
        .flatMap((width, layer) =>
          family
            .parameters(width)
            .map(({ name, shape, value }) => ({ name: prefix(layer) + name, shape, initialiser: { kind: 'constant' as const, value } })),
        ),
    hooks({ widths }, { parameters, temperature, form }) {
      const penalties: Value[] = [];
      return {
        penalties,
        hidden(layer, activation) {
          const own = Object.fromEntries(family.parameters(widths[layer + 1]).map(({ name }) => [name, parameters[prefix(layer) + name]]));
          const { output, openness } = gate(family, own, activation, { temperature, form });
          penalties.push(openness);
          return output;
        },
      };
    },
  };
}
