/** How many bytes a transformer takes, before anything is read: its weights, reading them, and one forward of some prompts. An estimate for people and limits. */
import { countParameters } from '../../models/parameters.ts';
import { transformerParameters, type TransformerConfig } from '../../models/transformer.ts';

/** In bytes; all numbers are float32 once they are read. */
export interface MemoryEstimate {
  readonly weights: number;
  /** What a forward holds at most at one time besides the weights. */
  readonly activations: number;
  readonly total: number;
}

/**
 * The widest moment of a forward without gradients of `rows` prompts of `positions` tokens: one layer's attention or MLP beside the residual, or
 * the logits of all positions and their copy for whoever asked. Executors keep somewhat more, for what they have not let go of yet.
 */
export function estimateMemory(config: TransformerConfig, { rows, positions }: { rows: number; positions: number }): MemoryEstimate {
  const { width, heads, mlp, vocabulary } = config;
  const tokens = rows * positions;
  const across = heads * (config.headWidth ?? width / heads);
  // The residual with what is added to it, and the normal input of the part.
  const stream = 3 * tokens * width;
  // Queries, keys and values, repeated for grouped heads, turned and not; scores and pattern.
  const attention = 6 * tokens * across + 2 * rows * heads * positions ** 2;
  const hidden = (config.activation === 'silu-gated' ? 3 : 2) * tokens * mlp;
  const activations = 4 * (Math.max(stream + Math.max(attention, hidden), 2 * tokens * (width + vocabulary)) + positions ** 2);
  const weights = 4 * countParameters(transformerParameters(config));
  return { weights, activations, total: weights + activations };
}
