/**
 * A decoder-only transformer: pre-norm blocks, learned positions, tanh-gelu, untied unembedding; sites as in TransformerLens.
 *
 * Activations keep rank 3 [rows, positions, width] with both leading dimensions symbolic; the mask and the position numbers are inputs, so
 * one graph serves every length and every padding, and position ranges can be cut out of it (interventions/).
 */
import { UserError } from '../base/errors.ts';
import { sameShape, shapeText, type Dimension } from '../graph/dimension.ts';
import type { Value } from '../graph/value.ts';
import { add, gather, gelu, layerNorm, matmul, mergeAxes, reshape, site, softmax, transpose } from '../ops/index.ts';
import { uniformFanIn, type Initialiser, type ParameterSpec, type Parameters } from './parameters.ts';

export interface TransformerConfig {
  readonly vocabulary: number;
  /** The most positions a prompt may have. */
  readonly positions: number;
  readonly width: number;
  readonly heads: number;
  readonly layers: number;
  /** Hidden width of the MLPs. */
  readonly mlp: number;
}

const EMBEDDING: Initialiser = { kind: 'normal', deviation: 0.02 };
const ONES: Initialiser = { kind: 'constant', value: 1 };
const ZEROS: Initialiser = { kind: 'constant', value: 0 };

/** What is added to the score of a key that may not be seen; exp of it is exactly 0. */
export const HIDDEN = -1e9;

export function checkTransformer(config: TransformerConfig): void {
  for (const name of ['vocabulary', 'positions', 'width', 'heads', 'layers', 'mlp'] as const) {
    const value = config[name];
    if (!Number.isInteger(value) || value < 1) throw new UserError(`transformer: ${name}`, 'must be a positive integer', value);
  }
  if (config.width % config.heads !== 0) throw new UserError('transformer: heads', `must divide the width ${config.width}`, config.heads);
}

/** Matrices are [in, out]; the columns of W_Q, W_K, W_V and the rows of W_O are head-major. */
export function transformerParameters(config: TransformerConfig): ParameterSpec[] {
  checkTransformer(config);
  const { vocabulary, positions, width, layers, mlp } = config;
  const specs: ParameterSpec[] = [
    { name: 'embed.W_E', shape: [vocabulary, width], initialiser: EMBEDDING },
    { name: 'pos_embed.W_pos', shape: [positions, width], initialiser: EMBEDDING },
  ];
  const matrix = (name: string, rows: number, columns: number) =>
    specs.push({ name, shape: [rows, columns], initialiser: uniformFanIn(rows) });
  const vector = (name: string, length: number, initialiser: Initialiser) => specs.push({ name, shape: [length], initialiser });
  for (let layer = 0; layer < layers; layer++) {
    const block = `blocks.${layer}`;
    vector(`${block}.ln1.w`, width, ONES);
    vector(`${block}.ln1.b`, width, ZEROS);
    for (const letter of ['Q', 'K', 'V', 'O']) {
      matrix(`${block}.attn.W_${letter}`, width, width);
      vector(`${block}.attn.b_${letter}`, width, uniformFanIn(width));
    }
    vector(`${block}.ln2.w`, width, ONES);
    vector(`${block}.ln2.b`, width, ZEROS);
    matrix(`${block}.mlp.W_in`, width, mlp);
    vector(`${block}.mlp.b_in`, mlp, uniformFanIn(width));
    matrix(`${block}.mlp.W_out`, mlp, width);
    vector(`${block}.mlp.b_out`, width, uniformFanIn(mlp));
  }
  vector('ln_final.w', width, ONES);
  vector('ln_final.b', width, ZEROS);
  matrix('unembed.W_U', width, vocabulary);
  return specs;
}

export interface TransformerInputs {
  /** int32 [rows, positions] */
  readonly tokens: Value;
  /** int32 [positions]: the number of each position, 0 for the first. */
  readonly positions: Value;
  /** float32 [positions, positions], added to the scores of [query, key]: 0 or {@link HIDDEN}. */
  readonly mask: Value;
}

/** Logits [rows, positions, vocabulary]. */
export function transformer(config: TransformerConfig, p: Parameters, { tokens, positions, mask }: TransformerInputs): Value {
  for (const { name, shape } of transformerParameters(config)) {
    const value = p[name] as Value | undefined;
    if (!value || !sameShape(value.shape, shape))
      throw new UserError(`transformer: parameter ${name}`, `must be float32${shapeText(shape)}`, value && String(value));
  }
  const { graph } = tokens;
  let residual = site('hook_embed', gather(p['embed.W_E'], tokens));
  residual = add(residual, site('hook_pos_embed', gather(p['pos_embed.W_pos'], positions)));
  for (let layer = 0; layer < config.layers; layer++)
    residual = graph.within('blocks', () =>
      graph.within(String(layer), () => block(config, (name) => p[`blocks.${layer}.${name}`], residual, mask)),
    );
  const normal = site('ln_final.hook_normalized', layerNorm(residual, p['ln_final.w'], p['ln_final.b']));
  return site(
    'hook_logits',
    graph.within('unembed', () => matmul(normal, p['unembed.W_U'])),
  );
}

function block(config: TransformerConfig, p: (name: string) => Value, input: Value, mask: Value): Value {
  const { graph } = input;
  const entering = site('hook_resid_pre', input);
  const attended = graph.within('attn', () => attention(config, p, layerNorm(entering, p('ln1.w'), p('ln1.b')), mask));
  const middle = site('hook_resid_mid', add(entering, site('hook_attn_out', attended)));
  const written = graph.within('mlp', () => {
    const pre = site('hook_pre', matmul(layerNorm(middle, p('ln2.w'), p('ln2.b')), p('mlp.W_in'), { bias: p('mlp.b_in') }));
    return matmul(site('hook_post', gelu(pre)), p('mlp.W_out'), { bias: p('mlp.b_out') });
  });
  return site('hook_resid_post', add(middle, site('hook_mlp_out', written)));
}

function attention({ width, heads }: TransformerConfig, p: (name: string) => Value, x: Value, mask: Value): Value {
  const headWidth = width / heads;
  const perHead: readonly Dimension[] = [...x.shape.slice(0, -1), heads, headWidth];
  const projected = (letter: 'Q' | 'K' | 'V') =>
    transpose(
      site(`hook_${letter.toLowerCase()}`, reshape(matmul(x, p(`attn.W_${letter}`), { bias: p(`attn.b_${letter}`) }), perHead)),
      [0, 2, 1, 3],
    );
  const [q, k, v] = [projected('Q'), projected('K'), projected('V')];
  const scores = site('hook_attn_scores', add(matmul(q, k, { transposeB: true, scale: 1 / Math.sqrt(headWidth) }), mask));
  const pattern = site('hook_pattern', softmax(scores));
  const z = site('hook_z', transpose(matmul(pattern, v), [0, 2, 1, 3]));
  return matmul(mergeAxes(z, 2, 4), p('attn.W_O'), { bias: p('attn.b_O') });
}

/** The causal mask for `length` positions, row-major [query, key]. */
export function causalMask(length: number): Float32Array {
  return Float32Array.from({ length: length * length }, (_entry, i) => (i % length > Math.floor(i / length) ? HIDDEN : 0));
}
