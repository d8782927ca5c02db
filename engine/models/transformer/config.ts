/** What a decoder-only transformer may be: its sizes and options, what they default to, and which of them do not go together. */
import { UserError } from '../../base/errors.ts';
import type { RotaryScaling } from './frequencies.ts';

export interface TransformerConfig {
  readonly vocabulary: number;
  /** The most positions a prompt may have. */
  readonly positions: number;
  readonly width: number;
  readonly heads: number;
  readonly layers: number;
  /** Hidden width of the MLPs; of each expert, where there are experts. */
  readonly mlp: number;
  /** Width of one head (default width / heads). */
  readonly headWidth?: number;
  /** Heads that have keys and values of their own; each serves heads / keyValueHeads neighbouring heads (default: all). */
  readonly keyValueHeads?: number;
  /** Norm before attention, MLP and unembedding (default `layer`); `none` leaves out all of them. */
  readonly normalisation?: 'layer' | 'rms' | 'none';
  /** What is added to the variance or the mean square (default 1e-5). */
  readonly epsilon?: number;
  /** How positions enter (default `learned`). `rotary`: halves of q and k are rotated against each other, as in Hugging Face's Llama. */
  readonly positional?: Positional;
  /** Of the MLPs (default `gelu`, in the tanh form). `silu-gated`: silu(x·W_gate) ∘ (x·W_in). */
  readonly activation?: 'gelu' | 'silu-gated' | 'relu';
  /** The unembedding is the transposed embedding and has no parameter of its own (default false). */
  readonly tied?: boolean;
  /** Whether linear maps and norms have biases (default true). The unembedding never has one. */
  readonly biases?: boolean;
  /** What attention scores are multiplied by (default 1/√headWidth). */
  readonly scale?: number;
  /** Names of what a position may be (`content`, `ask`). With roles the graph takes the role of each position. */
  readonly roles?: readonly string[];
  /** [layer][head][role of the query][role of the key]: who may read whom, on top of the causal mask (default: all). */
  readonly reads?: readonly (readonly (readonly (readonly boolean[])[])[])[];
  /** [layer], by role: whether what attention and the MLP give there is written to the residual; else it is multiplied by 0 (default: all). */
  readonly writes?: readonly { readonly attention: readonly boolean[]; readonly mlp: readonly boolean[] }[];
  /** z of each head times σ(x·w + b) of the query's normalised residual x (Gated Attention, arXiv:2505.06708, headwise form). */
  readonly headGate?: boolean;
  /** MLPs are `count` experts, of which each token takes the `chosen` most probable, weighted by their share of the probability. */
  readonly experts?: { readonly count: number; readonly chosen: number };
  /**
   * A second norm and unembedding after block `after` (0 for the first). A row whose largest probability there, at its last position, is at
   * least `threshold` takes its logits from it at every position.
   */
  readonly exit?: { readonly after: number; readonly threshold: number };
}

export type Positional =
  | { readonly kind: 'learned' }
  | { readonly kind: 'rotary'; readonly base: number; readonly scaling?: RotaryScaling }
  | { readonly kind: 'none' };

/** A config with nothing left open. */
export interface SettledConfig extends TransformerConfig {
  readonly headWidth: number;
  readonly keyValueHeads: number;
  readonly normalisation: 'layer' | 'rms' | 'none';
  readonly epsilon: number;
  readonly positional: Positional;
  readonly activation: 'gelu' | 'silu-gated' | 'relu';
  readonly tied: boolean;
  readonly biases: boolean;
  readonly scale: number;
}

const fail = (field: string, rule: string, value: unknown): never => {
  throw new UserError(`transformer: ${field}`, rule, value);
};

function requireWhole(field: string, value: unknown, low: number, high = Infinity): void {
  if (Number.isInteger(value) && (value as number) >= low && (value as number) <= high) return;
  const rule = high < Infinity ? `must be an integer in [${low}, ${high}]` : low === 1 ? 'must be a positive integer' : `must be ≥ ${low}`;
  fail(field, rule, value);
}

function requireChoice(field: string, value: unknown, choices: readonly unknown[]): void {
  if (value !== undefined && !choices.includes(value)) fail(field, `must be one of ${choices.join(', ')}`, value);
}

function requirePositive(field: string, value: unknown): void {
  if (value !== undefined && !(typeof value === 'number' && Number.isFinite(value) && value > 0))
    fail(field, 'must be a number > 0', value);
}

/** @throws UserError naming the field of the first option that is wrong or does not go with another */
export function checkTransformer(config: TransformerConfig): void {
  for (const name of ['vocabulary', 'positions', 'width', 'heads', 'layers', 'mlp'] as const) requireWhole(name, config[name], 1);
  const { width, heads, layers, headWidth, keyValueHeads, positional, experts, exit } = config;
  if (headWidth !== undefined) requireWhole('headWidth', headWidth, 1);
  else if (width % heads !== 0) fail('heads', `must divide the width ${width}`, heads);
  if (keyValueHeads !== undefined) {
    requireWhole('keyValueHeads', keyValueHeads, 1);
    if (heads % keyValueHeads !== 0) fail('keyValueHeads', `must divide the heads ${heads}`, keyValueHeads);
  }
  requireChoice('normalisation', config.normalisation, ['layer', 'rms', 'none']);
  requirePositive('epsilon', config.epsilon);
  requireChoice('positional', positional?.kind, ['learned', 'rotary', 'none']);
  if (positional?.kind === 'rotary') {
    requirePositive('positional.base', positional.base);
    checkScaling(positional.scaling);
    const size = headWidth ?? width / heads;
    if (size % 2 !== 0) fail('headWidth', 'must be even with rotary positions', size);
  }
  requireChoice('activation', config.activation, ['gelu', 'silu-gated', 'relu']);
  for (const name of ['tied', 'biases', 'headGate'] as const) requireChoice(name, config[name], [true, false]);
  requirePositive('scale', config.scale);
  checkMasks(config);
  if (experts) {
    requireWhole('experts.count', experts.count, 1);
    requireWhole('experts.chosen', experts.chosen, 1, experts.count);
  }
  if (exit) {
    if (layers < 2) fail('exit', 'must have a layer after it: at least two layers', layers);
    requireWhole('exit.after', exit.after, 0, layers - 2);
    if (!(exit.threshold >= 0 && exit.threshold <= 1)) fail('exit.threshold', 'must be a probability', exit.threshold);
  }
}

function checkScaling(scaling: RotaryScaling | undefined): void {
  if (!scaling) return;
  requireChoice('positional.scaling.kind', scaling.kind, ['linear', 'llama3']);
  const { kind: _kind, ...numbers } = scaling;
  for (const [name, value] of Object.entries(numbers)) requirePositive(`positional.scaling.${name}`, value);
  if (scaling.kind === 'llama3' && scaling.low >= scaling.high)
    fail('positional.scaling.low', `must be below high, ${scaling.high}`, scaling.low);
}

function checkMasks({ roles, reads, writes, layers, heads }: TransformerConfig): void {
  if (roles !== undefined) {
    if (roles.length === 0 || roles.some((role) => typeof role !== 'string' || role === '')) fail('roles', 'must be names', roles);
    if (new Set(roles).size !== roles.length) fail('roles', 'must name each role once', roles);
  }
  if (roles === undefined && (reads ?? writes) !== undefined) fail(reads ? 'reads' : 'writes', 'must have roles to speak of', roles);
  const count = roles?.length ?? 0;
  const requireList = (field: string, list: unknown, length: number): void => {
    if (!Array.isArray(list) || list.length !== length)
      fail(field, `must be a list of ${length}`, Array.isArray(list) ? list.length : list);
  };
  const requireFlags = (field: string, list: readonly boolean[]): void => {
    requireList(field, list, count);
    const wrong = list.find((flag) => typeof flag !== 'boolean');
    if (wrong !== undefined) fail(field, 'must hold true and false', wrong);
  };
  if (reads) {
    requireList('reads', reads, layers);
    reads.forEach((ofLayer, layer) => {
      requireList(`reads[${layer}]`, ofLayer, heads);
      ofLayer.forEach((ofHead, head) => {
        requireList(`reads[${layer}][${head}]`, ofHead, count);
        ofHead.forEach((keys, query) => requireFlags(`reads[${layer}][${head}][${query}]`, keys));
      });
    });
  }
  if (writes) {
    requireList('writes', writes, layers);
    writes.forEach(({ attention, mlp }, layer) => {
      requireFlags(`writes[${layer}].attention`, attention);
      requireFlags(`writes[${layer}].mlp`, mlp);
    });
  }
}

/** The config with its defaults filled in. @throws UserError as {@link checkTransformer} */
export function settled(config: TransformerConfig): SettledConfig {
  checkTransformer(config);
  const headWidth = config.headWidth ?? config.width / config.heads;
  return {
    ...config,
    headWidth,
    keyValueHeads: config.keyValueHeads ?? config.heads,
    normalisation: config.normalisation ?? 'layer',
    epsilon: config.epsilon ?? 1e-5,
    positional: config.positional ?? { kind: 'learned' },
    activation: config.activation ?? 'gelu',
    tied: config.tied ?? false,
    biases: config.biases ?? true,
    scale: config.scale ?? 1 / Math.sqrt(headWidth),
  };
}
