/**
 * Where each parameter of a transformer stands in a Llama-family checkpoint. Linear maps are [out, in] there and [in, out] here; the columns of
 * W_Q, W_K, W_V and the rows of W_O are head-major in both, and rotary pairs are half-split in both, so turning over is all there is to do.
 */
import type { Biases } from './config.ts';

export interface Source {
  /** The tensor's name in the checkpoint. */
  readonly tensor: string;
  readonly transpose: boolean;
}

const ofModel: Readonly<Record<string, Source>> = {
  'embed.W_E': { tensor: 'model.embed_tokens.weight', transpose: false },
  'ln_final.w': { tensor: 'model.norm.weight', transpose: false },
  'unembed.W_U': { tensor: 'lm_head.weight', transpose: true },
};

const matrix = (tensor: string): Source => ({ tensor: `${tensor}.weight`, transpose: true });
const vector = (tensor: string): Source => ({ tensor, transpose: false });

const ofBlock: Readonly<Record<string, Source>> = {
  'ln1.w': vector('input_layernorm.weight'),
  'ln2.w': vector('post_attention_layernorm.weight'),
  'attn.W_Q': matrix('self_attn.q_proj'),
  'attn.W_K': matrix('self_attn.k_proj'),
  'attn.W_V': matrix('self_attn.v_proj'),
  'attn.W_O': matrix('self_attn.o_proj'),
  'attn.b_Q': vector('self_attn.q_proj.bias'),
  'attn.b_K': vector('self_attn.k_proj.bias'),
  'attn.b_V': vector('self_attn.v_proj.bias'),
  'attn.b_O': vector('self_attn.o_proj.bias'),
  'mlp.W_gate': matrix('mlp.gate_proj'),
  'mlp.W_in': matrix('mlp.up_proj'),
  'mlp.W_out': matrix('mlp.down_proj'),
  'mlp.b_gate': vector('mlp.gate_proj.bias'),
  'mlp.b_in': vector('mlp.up_proj.bias'),
  'mlp.b_out': vector('mlp.down_proj.bias'),
};

/**
 * The tensor of a parameter; `zeros` for a bias that the checkpoint has not, where the model has all of them or none.
 * @throws Error for a parameter no checkpoint of the family has: the configuration asked for none such
 */
export function sourceOf(parameter: string, biases: Biases): Source | 'zeros' {
  const [, layer, part] = /^blocks\.(\d+)\.(.+)$/.exec(parameter) ?? [];
  const source = part === undefined ? ofModel[parameter] : ofBlock[part];
  if (hasBias(part ?? parameter, biases) === false) return 'zeros';
  if (!source) throw new Error(`huggingface: no checkpoint has ${parameter}`);
  return part === undefined ? source : { ...source, tensor: `model.layers.${layer}.${source.tensor}` };
}

/** Undefined for what is no bias. */
function hasBias(part: string, biases: Biases): boolean | undefined {
  if (/^attn\.b_[QKV]$/.test(part)) return biases.attentionIn;
  if (part === 'attn.b_O') return biases.attentionOut;
  if (/^mlp\.b_/.test(part)) return biases.mlp;
  return /^(.*\.)?b(_.*)?$/.test(part) ? false : undefined;
}

/** What a checkpoint may hold besides its parameters: buffers that older versions saved, which are computed here. */
export const isBuffer = (tensor: string): boolean =>
  /(^|\.)rotary_emb\.(inv_freq|cos_cached|sin_cached)$|\.self_attn\.masked_bias$/.test(tensor);

/** The marks of quantised weights: GPTQ and AWQ, bitsandbytes, compressed-tensors, FP8. */
export const isQuantised = (tensor: string): boolean =>
  /\.(qweight|qzeros|g_idx|SCB|weight_format|absmax|quant_map|weight_packed|weight_scale(_inv)?|input_scale|weight\.(absmax|quant_map|quant_state\..*))$/.test(
    tensor,
  );
