/** Attention of one block: projections, rotary positions, grouped queries, masked scores, the gate of heads. */
import type { Dimension } from '../../graph/dimension.ts';
import type { Value } from '../../graph/value.ts';
import {
  add,
  cast,
  concat,
  cos,
  expandAxis,
  gather,
  matmul,
  mergeAxes,
  multiply,
  negate,
  reshape,
  sigmoid,
  sin,
  site,
  softmax,
  split,
  transpose,
} from '../../ops/index.ts';
import type { Positional, SettledConfig } from './config.ts';
import { frequencies } from './frequencies.ts';

/** Cosines and sines of every position, [positions, 1, headWidth]. */
export interface Rotation {
  readonly cosine: Value;
  readonly sine: Value;
}

/**
 * Angles position · base^(−2i/headWidth), the same for i and i + headWidth/2 ("half-split": Hugging Face's Llama).
 * @param positions int32 [positions]
 */
export function rotation(
  { headWidth }: SettledConfig,
  { base, scaling }: Extract<Positional, { kind: 'rotary' }>,
  positions: Value,
): Rotation {
  const perPosition = positions.graph.constant(frequencies(headWidth, base, scaling), [headWidth]);
  const angles = multiply(reshape(cast(positions, 'float32'), [...positions.shape, 1, 1]), perPosition);
  return { cosine: cos(angles), sine: sin(angles) };
}

/** x [rows, positions, heads, headWidth], each pair of coordinates turned by the angle of its position. */
function rotated(x: Value, { cosine, sine }: Rotation): Value {
  const half = (x.shape.at(-1) as number) / 2;
  const [first, second] = split(x, -1, [half, half]);
  return add(multiply(x, cosine), multiply(concat([negate(second), first], -1), sine));
}

export interface AttentionInputs {
  /** The normalised residual, [rows, positions, width]. */
  readonly x: Value;
  /** Added to the scores: [positions, positions] or [heads, positions, positions]. */
  readonly mask: Value;
  readonly rotation: Rotation | undefined;
}

/** What attention adds to the residual. Parameters are those of the block (`attn.W_Q`); sites go into the current scope. */
export function attention(config: SettledConfig, p: (name: string) => Value | undefined, { x, mask, rotation }: AttentionInputs): Value {
  const { heads, keyValueHeads, headWidth, scale } = config;
  const linear = (input: Value, letter: string) => matmul(input, p(`attn.W_${letter}`)!, { bias: p(`attn.b_${letter}`) });
  const projected = (letter: 'Q' | 'K' | 'V') => {
    const count = letter === 'Q' ? heads : keyValueHeads;
    const perHead: readonly Dimension[] = [...x.shape.slice(0, -1), count, headWidth];
    let value = site(`hook_${letter.toLowerCase()}`, reshape(linear(x, letter), perHead));
    if (rotation && letter !== 'V') value = site(`hook_rot_${letter.toLowerCase()}`, rotated(value, rotation));
    const byHead = transpose(value, [0, 2, 1, 3]);
    return count === heads ? byHead : gather(byHead, groups(config, x), 1);
  };
  const [q, k, v] = [projected('Q'), projected('K'), projected('V')];
  const scores = site('hook_attn_scores', add(matmul(q, k, { transposeB: true, scale }), mask));
  const pattern = site('hook_pattern', softmax(scores));
  let z = transpose(matmul(pattern, v), [0, 2, 1, 3]);
  if (config.headGate) z = multiply(z, headGate(p, x));
  return linear(mergeAxes(site('hook_z', z), 2, 4), 'O');
}

/** Which head of keys and values each head reads: neighbours share one. */
function groups({ heads, keyValueHeads }: SettledConfig, { graph }: Value): Value {
  const size = heads / keyValueHeads;
  return graph.constant(
    Int32Array.from({ length: heads }, (_entry, head) => Math.floor(head / size)),
    [heads],
  );
}

/** How open each head of each query is, [rows, positions, heads, 1]. */
function headGate(p: (name: string) => Value | undefined, x: Value): Value {
  return x.graph.within('gate', () => {
    const logits = site('hook_logit', matmul(x, p('attn.gate.W')!, { bias: p('attn.gate.b') }));
    return expandAxis(site('hook_prob', sigmoid(logits)), -1);
  });
}
