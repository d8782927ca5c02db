/**
 * `config.json` of a Hugging Face folder → the transformer it describes, for the Llama family: llama, mistral, qwen2.
 *
 * Both generations are read: transformers 4 (`rope_theta`, `rope_scaling`) and 5 (`rope_parameters`). A key that is missing stands for the default
 * of its class, so those are kept here. Whatever would change the numbers and is not built is refused by its name; nothing is guessed.
 * Defaults: transformers, configuration_{llama,mistral,qwen2}.py.
 */
import { z } from 'zod';
import { UserError } from '../../base/errors.ts';
import { between, parseWith, wholeBetween } from '../../base/schema.ts';
import type { LanguageModel } from '../../models/languageModel.ts';
import { rotary, rotarySchema } from './rotary.ts';

export type Family = 'llama' | 'mistral' | 'qwen2';

/** Which linear maps of a checkpoint have biases; the rest of the family's have none. */
export interface Biases {
  readonly attentionIn: boolean;
  readonly attentionOut: boolean;
  readonly mlp: boolean;
}

export interface FolderConfig {
  readonly family: Family;
  readonly transformer: LanguageModel['config'];
  readonly biases: Biases;
}

interface Defaults {
  readonly architecture: string;
  readonly vocab_size: number;
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  /** Where `null` or nothing is said: of the class, or as many as heads. */
  readonly num_key_value_heads: number | undefined;
  readonly max_position_embeddings: number;
  readonly sliding_window: number | undefined;
  readonly bias: Partial<Biases>;
}

const families: Readonly<Record<Family, Defaults>> = {
  llama: {
    architecture: 'LlamaForCausalLM',
    vocab_size: 32000,
    hidden_size: 4096,
    intermediate_size: 11008,
    num_hidden_layers: 32,
    num_attention_heads: 32,
    num_key_value_heads: undefined,
    max_position_embeddings: 2048,
    sliding_window: undefined,
    bias: {},
  },
  mistral: {
    architecture: 'MistralForCausalLM',
    vocab_size: 32000,
    hidden_size: 4096,
    intermediate_size: 14336,
    num_hidden_layers: 32,
    num_attention_heads: 32,
    num_key_value_heads: 8,
    max_position_embeddings: 131072,
    sliding_window: 4096,
    bias: {},
  },
  qwen2: {
    architecture: 'Qwen2ForCausalLM',
    vocab_size: 151936,
    hidden_size: 4096,
    intermediate_size: 22016,
    num_hidden_layers: 32,
    num_attention_heads: 32,
    num_key_value_heads: 32,
    max_position_embeddings: 32768,
    sliding_window: undefined, // one only with use_sliding_window
    bias: { attentionIn: true },
  },
};
const EPSILON = 1e-6;

const text = z.string('must be a text');
const flag = z.boolean('must be true or false');
const named = z.object(
  { model_type: text.nullish(), architectures: z.array(text, 'must be a list of texts').nullish() },
  'must be an object',
);
const quantised = z.object({ quantization_config: z.record(z.string(), z.unknown(), 'must be an object').nullish() });
/** Limits far above any model there is: what is derived from them stays a number, and lists of layers stay short. */
const WIDE = 2 ** 20;
const schema = z.object({
  vocab_size: wholeBetween(1, 2 ** 24).nullish(),
  hidden_size: wholeBetween(1, WIDE).nullish(),
  intermediate_size: wholeBetween(1, WIDE).nullish(),
  num_hidden_layers: wholeBetween(1, 1024).nullish(),
  num_attention_heads: wholeBetween(1, 4096).nullish(),
  num_key_value_heads: wholeBetween(1, 4096).nullish(),
  head_dim: wholeBetween(1, WIDE).nullish(),
  hidden_act: text.nullish(),
  max_position_embeddings: wholeBetween(1, 2 ** 26).nullish(),
  rms_norm_eps: between(1e-30, 1).nullish(),
  tie_word_embeddings: flag.nullish(),
  attention_bias: flag.nullish(),
  mlp_bias: flag.nullish(),
  sliding_window: wholeBetween(1, Number.MAX_SAFE_INTEGER).nullish(),
  use_sliding_window: flag.nullish(),
  layer_types: z.array(text, 'must be a list of texts').nullish(),
  ...rotarySchema,
});

/** @param value what `config.json` holds @throws UserError naming the key whose value is wrong, or asks for what is not built */
export function readConfig(value: unknown, place: string): FolderConfig {
  const family = familyOf(value, place);
  const quantisation = parseWith(quantised, place, value).quantization_config;
  if (quantisation)
    throw new UserError(
      `${place}: quantization_config`,
      'must be absent: quantised weights are not read',
      quantisation.quant_method ?? 'unnamed',
    );
  const config = parseWith(schema, place, value);
  const defaults = families[family];
  const width = config.hidden_size ?? defaults.hidden_size;
  const heads = config.num_attention_heads ?? defaults.num_attention_heads;
  const keyValueHeads =
    config.num_key_value_heads ?? (config.num_key_value_heads === null ? heads : (defaults.num_key_value_heads ?? heads));
  if (heads % keyValueHeads !== 0)
    throw new UserError(`${place}: num_key_value_heads`, `must divide the ${heads} attention heads`, keyValueHeads);
  if (config.head_dim == null && width % heads !== 0)
    throw new UserError(`${place}: num_attention_heads`, `must divide the hidden_size ${width}, as there is no head_dim`, heads);
  const headWidth = config.head_dim ?? width / heads;
  if (headWidth % 2 !== 0) throw new UserError(`${place}: head_dim`, 'must be even: rotary positions turn pairs', headWidth);
  const activation = config.hidden_act ?? 'silu';
  if (activation !== 'silu' && activation !== 'swish') throw new UserError(`${place}: hidden_act`, 'must be silu', activation);
  const positions = config.max_position_embeddings ?? defaults.max_position_embeddings;
  checkWindow(family, config, positions, place);
  // Elsewhere these keys are in files all the same, and change nothing.
  const said = family === 'llama' ? config : {};
  const biases: Biases = {
    attentionIn: defaults.bias.attentionIn ?? said.attention_bias ?? false,
    attentionOut: said.attention_bias ?? false,
    mlp: said.mlp_bias ?? false,
  };
  return {
    family,
    biases,
    transformer: {
      vocabulary: config.vocab_size ?? defaults.vocab_size,
      positions,
      width,
      heads,
      layers: config.num_hidden_layers ?? defaults.num_hidden_layers,
      mlp: config.intermediate_size ?? defaults.intermediate_size,
      headWidth,
      keyValueHeads,
      normalisation: 'rms',
      epsilon: config.rms_norm_eps ?? EPSILON,
      positional: rotary(config, place),
      activation: 'silu-gated',
      tied: config.tie_word_embeddings ?? false,
      biases: Object.values(biases).some(Boolean),
    },
  };
}

/** By the class that made the weights; the model type must agree with it. */
function familyOf(value: unknown, place: string): Family {
  const { model_type: type, architectures } = parseWith(named, place, value);
  const known = Object.entries(families) as [Family, Defaults][];
  const architecture = architectures?.[0];
  if (type != null && !Object.hasOwn(families, type))
    throw new UserError(`${place}: model_type`, `must be one of ${known.map(([family]) => family).join(', ')}`, type);
  const family = (type ?? known.find(([, { architecture: name }]) => name === architecture)?.[0]) as Family | undefined;
  if (family === undefined || (architecture !== undefined && families[family].architecture !== architecture))
    throw new UserError(
      `${place}: architectures`,
      `must be ${family ? `${families[family].architecture}, as model_type is ${family}` : `one of ${known.map(([, { architecture: name }]) => name).join(', ')}`}`,
      architectures ?? 'nothing',
    );
  return family;
}

/** A window that no prompt outgrows hides nothing. */
function checkWindow(family: Family, config: z.output<typeof schema>, positions: number, place: string): void {
  const used = family === 'mistral' || (family === 'qwen2' && config.use_sliding_window === true);
  const window = config.sliding_window === undefined ? families[family].sliding_window : config.sliding_window;
  if (used && window != null && window < positions)
    throw new UserError(`${place}: sliding_window`, `must be null or at least the ${positions} positions: windows are not built`, window);
  const other = config.layer_types?.find((type) => type !== 'full_attention');
  if (other !== undefined) throw new UserError(`${place}: layer_types`, 'must be full_attention', other);
}
