/**
 * A decoder-only transformer with pre-norm blocks; sites as in TransformerLens. What it may be is transformer/config.ts's to say; the
 * defaults are layer norm, learned positions, tanh-gelu and an untied unembedding.
 *
 * Activations keep rank 3 [rows, positions, width] with both leading dimensions symbolic; the mask and the position numbers are inputs, so
 * one graph serves every length and every padding, and position ranges can be cut out of it (interventions/).
 */
import { UserError } from '../base/errors.ts';
import { sameShape, shapeText, type Dimension } from '../graph/dimension.ts';
import type { Graph } from '../graph/graph.ts';
import type { Value } from '../graph/value.ts';
import { add, gather, matmul, site } from '../ops/index.ts';
import type { Parameters } from './parameters.ts';
import { attention, rotation, type Rotation } from './transformer/attention.ts';
import { settled, type SettledConfig, type TransformerConfig } from './transformer/config.ts';
import { exitAfter, takeExit, type Exit } from './transformer/exit.ts';
import { scoreMask, written } from './transformer/masks.ts';
import { feedForward } from './transformer/mlp.ts';
import { norm } from './transformer/norm.ts';
import { transformerParameters } from './transformer/parameters.ts';

export { checkTransformer, settled, type Positional, type SettledConfig, type TransformerConfig } from './transformer/config.ts';
export type { RotaryScaling } from './transformer/frequencies.ts';
export { causalMask, checkRoles, HIDDEN } from './transformer/masks.ts';
export { transformerParameters } from './transformer/parameters.ts';

export interface TransformerInputs {
  /** int32 [rows, positions] */
  readonly tokens: Value;
  /** int32 [positions]: the number of each position, 0 for the first. */
  readonly positions: Value;
  /** float32 [positions, positions], added to the scores of [query, key]: 0 or HIDDEN. */
  readonly mask: Value;
  /** int32 [positions]: the role of each position, where the config has roles. */
  readonly roles?: Value;
}

/** The inputs of a config as inputs of a graph, named as the fields are. */
export function transformerInputs({ roles }: TransformerConfig, graph: Graph, rows: Dimension, positions: Dimension): TransformerInputs {
  return {
    tokens: graph.input('tokens', [rows, positions], 'int32'),
    positions: graph.input('positions', [positions], 'int32'),
    mask: graph.input('mask', [positions, positions]),
    ...(roles && { roles: graph.input('roles', [positions], 'int32') }),
  };
}

/** Logits [rows, positions, vocabulary]. */
export function transformer(given: TransformerConfig, p: Parameters, { tokens, positions, mask, roles }: TransformerInputs): Value {
  const config = settled(given);
  for (const { name, shape } of transformerParameters(config)) {
    const value = p[name] as Value | undefined;
    if (!value || !sameShape(value.shape, shape))
      throw new UserError(`transformer: parameter ${name}`, `must be float32${shapeText(shape)}`, value && String(value));
  }
  if (config.roles && !roles) throw new UserError('transformer: roles', 'must be an input of the graph: the config has roles', roles);
  const { graph } = tokens;
  const { positional } = config;
  let residual = site('hook_embed', gather(p['embed.W_E'], tokens));
  if (positional.kind === 'learned') residual = add(residual, site('hook_pos_embed', gather(p['pos_embed.W_pos'], positions)));
  const turns = positional.kind === 'rotary' ? graph.within('rotary', () => rotation(config, positional, positions)) : undefined;
  let exit: Exit | undefined;
  for (let layer = 0; layer < config.layers; layer++) {
    const around: Around = { mask: scoreMask(config, layer, mask, roles), roles, rotation: turns, writes: config.writes?.[layer] };
    residual = graph.within('blocks', () =>
      graph.within(String(layer), () => block(config, (name) => p[`blocks.${layer}.${name}`], residual, around)),
    );
    if (config.exit?.after === layer) exit = exitAfter(config, (name) => p[name], residual);
  }
  const normal = norm(config, (name) => p[name], 'ln_final', residual);
  const logits = graph.within('unembed', () =>
    config.tied ? matmul(normal, p['embed.W_E'], { transposeB: true }) : matmul(normal, p['unembed.W_U']),
  );
  return site('hook_logits', exit ? takeExit(exit, logits) : logits);
}

/** What a block is given besides the residual. */
interface Around {
  readonly mask: Value;
  readonly roles: Value | undefined;
  readonly rotation: Rotation | undefined;
  readonly writes: NonNullable<TransformerConfig['writes']>[number] | undefined;
}

function block(config: SettledConfig, p: (name: string) => Value, input: Value, { mask, roles, rotation, writes }: Around): Value {
  const { graph } = input;
  const entering = site('hook_resid_pre', input);
  const first = norm(config, p, 'ln1', entering);
  const attended = graph.within('attn', () => written(attention(config, p, { x: first, mask, rotation }), writes?.attention, roles));
  const middle = site('hook_resid_mid', add(entering, site('hook_attn_out', attended)));
  const second = norm(config, p, 'ln2', middle);
  const given = graph.within('mlp', () => written(feedForward(config, p, second), writes?.mlp, roles));
  return site('hook_resid_post', add(middle, site('hook_mlp_out', given)));
}
