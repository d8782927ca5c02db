/** Weights for small models whose interventions move something. For tests. */
import { Random } from '../../base/random.ts';
import { initialise, type ParameterSpec, type Tensors } from '../../models/parameters.ts';
import { transformerParameters, type TransformerConfig } from '../../models/transformer.ts';

/** As fresh ones, but with embeddings as large as trained ones: prompts then differ, and a swap moves the metric. */
export function weights(config: TransformerConfig, seed: number): Tensors {
  const specs = transformerParameters(config).map((spec): ParameterSpec =>
    spec.name.includes('embed.W_') ? { ...spec, initialiser: { kind: 'normal', deviation: 1 } } : spec,
  );
  return initialise(specs, new Random(seed));
}

export const range = (end: number, begin = 0): number[] => Array.from({ length: end - begin }, (_entry, i) => begin + i);
