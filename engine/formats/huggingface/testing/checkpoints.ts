/** Small checkpoints as Hugging Face would save them, with random weights, written to folders; and a place for folders. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { Random } from '../../../base/random.ts';
import { dense, type DenseArray } from '../../denseArray.ts';
import { writeSafetensors } from '../../safetensors.ts';

export type Tensors = Record<string, DenseArray>;
export type Config = Record<string, unknown>;

/** Heads of 8: with 2 both layouts of rotary pairs are the same. */
export const small: Config = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  vocab_size: 11,
  hidden_size: 32,
  intermediate_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  hidden_act: 'silu',
  max_position_embeddings: 16,
  rms_norm_eps: 1e-5,
  rope_theta: 100,
  tie_word_embeddings: false,
};

/** Every tensor such a checkpoint has, gains around 1 and everything else around 0. */
export function weightsOf(config: Config, seed = 1): Tensors {
  const number = (key: string) => config[key] as number;
  const [width, hidden, heads] = [number('hidden_size'), number('intermediate_size'), number('num_attention_heads')];
  const headWidth = (config.head_dim as number | undefined) ?? width / heads;
  const keys = ((config.num_key_value_heads as number | undefined) ?? heads) * headWidth;
  const random = new Random(seed);
  const tensors: Tensors = {};
  const put = (name: string, shape: number[], mean = 0, deviation = 0.3) => {
    const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
    random.fork('tensor', name).fillNormal(data, mean, deviation);
    tensors[name] = dense(data, shape);
  };
  const linear = (name: string, rows: number, columns: number, bias: unknown) => {
    put(`${name}.weight`, [rows, columns]);
    if (bias) put(`${name}.bias`, [rows]);
  };
  const qwen = config.model_type === 'qwen2';
  put('model.embed_tokens.weight', [number('vocab_size'), width], 0, 1);
  for (let layer = 0; layer < number('num_hidden_layers'); layer++) {
    const block = `model.layers.${layer}.`;
    put(`${block}input_layernorm.weight`, [width], 1);
    put(`${block}post_attention_layernorm.weight`, [width], 1);
    linear(`${block}self_attn.q_proj`, heads * headWidth, width, qwen || config.attention_bias);
    linear(`${block}self_attn.k_proj`, keys, width, qwen || config.attention_bias);
    linear(`${block}self_attn.v_proj`, keys, width, qwen || config.attention_bias);
    linear(`${block}self_attn.o_proj`, width, heads * headWidth, config.attention_bias);
    linear(`${block}mlp.gate_proj`, hidden, width, config.mlp_bias);
    linear(`${block}mlp.up_proj`, hidden, width, config.mlp_bias);
    linear(`${block}mlp.down_proj`, width, hidden, config.mlp_bias);
  }
  put('model.norm.weight', [width], 1);
  if (!config.tie_word_embeddings) put('lm_head.weight', [number('vocab_size'), width], 0, 0.5);
  return tensors;
}

/** A folder of these files, gone after the test. */
export function folderOf(files: Record<string, string | Uint8Array | object>): string {
  const folder = mkdtempSync(join(tmpdir(), 'gatescope-huggingface-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    if (name.endsWith('/')) mkdirSync(join(folder, name));
    else
      writeFileSync(join(folder, name), typeof content === 'string' || content instanceof Uint8Array ? content : JSON.stringify(content));
  }
  return folder;
}

/** A folder of one file of weights. */
export const checkpoint = (config: Config, tensors = weightsOf(config)): string =>
  folderOf({ 'config.json': config, 'model.safetensors': writeSafetensors(tensors) });

/** A safetensors file from the bytes of its tensors, of types the writer does not write, or of headers that lie. */
export function rawFile(header: object | string, data: Uint8Array | number = 0): Uint8Array {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return new Uint8Array(Buffer.concat([length, text, typeof data === 'number' ? Buffer.alloc(data) : data]));
}

/** float32 → bfloat16, rounded to the nearest even; float32 → half, for numbers a half has exactly. */
export const narrow = {
  BF16: (values: Float32Array): Uint8Array => {
    const words = new Uint32Array(values.slice().buffer);
    return new Uint8Array(Uint16Array.from(words, (word) => (word + 0x7fff + ((word >> 16) & 1)) >>> 16).buffer);
  },
  F16: (values: Float32Array): Uint8Array =>
    new Uint8Array(
      Uint16Array.from(values, (value) => {
        if (value === 0) return 0;
        const exponent = Math.floor(Math.log2(Math.abs(value)));
        return (value < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | Math.round((Math.abs(value) / 2 ** exponent - 1) * 1024);
      }).buffer,
    ),
};
