/** Low-rank additions to the hidden layers' weights: z = x·W + b + (x·A)·B (Hu et al. 2021, arXiv:2106.09685). */
import { UserError } from '../../base/errors.ts';
import { add, matmul } from '../../ops/index.ts';
import { hiddenLayers, type Adapter } from './adapter.ts';

/** Far above any rank that could mean something, far below what memory cannot hold. */
const MAXIMAL_RANK = 1 << 12;

/** A ~ N(0, 1/√d_in) [in, rank], B = 0 [rank, out]: at the start nothing is changed. Parameters: rank · (in + out) per layer. */
export function lora(rank: number): Adapter {
  if (!Number.isInteger(rank) || rank < 1 || rank > MAXIMAL_RANK)
    throw new UserError('lora: rank', `must be an integer in [1, ${MAXIMAL_RANK}]`, rank);
  return {
    id: `lora-r${rank}`,
    gated: false,
    contextual: false,
    trains: 'own',
    parameters: (config) =>
      hiddenLayers(config).flatMap(({ layer, width }) => {
        const fanIn = config.widths[layer];
        return [
          {
            name: `layers.${layer}.lora.A`,
            shape: [fanIn, rank],
            initialiser: { kind: 'normal' as const, deviation: 1 / Math.sqrt(fanIn) },
          },
          { name: `layers.${layer}.lora.B`, shape: [rank, width], initialiser: { kind: 'constant' as const, value: 0 } },
        ];
      }),
    hooks: ({ widths }, { parameters }) => ({
      linear(layer, x, weight, bias) {
        const base = matmul(x, weight, { bias });
        if (layer >= widths.length - 2) return base;
        return add(base, matmul(matmul(x, parameters[`layers.${layer}.lora.A`]), parameters[`layers.${layer}.lora.B`]));
      },
    }),
  };
}
