/** config.json: both generations say the same; what is missing is the default of its class; what is not built is refused by its name. */
import { describe, expect, test } from 'vitest';
import { UserError } from '../../base/errors.ts';
import { readConfig } from './config.ts';
import { small, type Config } from './testing/checkpoints.ts';

const read = (config: unknown) => readConfig(config, 'it');
const llama: Config = { model_type: 'llama' };

describe('config.json', () => {
  test('every key has its place', () => {
    const config = { ...small, head_dim: 6, rms_norm_eps: 3e-5, tie_word_embeddings: true };
    expect(read(config)).toEqual({
      family: 'llama',
      biases: { attentionIn: false, attentionOut: false, mlp: false },
      transformer: {
        vocabulary: 11,
        positions: 16,
        width: 32,
        heads: 4,
        layers: 2,
        mlp: 24,
        headWidth: 6,
        keyValueHeads: 2,
        normalisation: 'rms',
        epsilon: 3e-5,
        positional: { kind: 'rotary', base: 100 },
        activation: 'silu-gated',
        tied: true,
        biases: false,
      },
    });
  });

  test('what is missing is the default of its class, and null is nothing', () => {
    const sizes = (config: object) => {
      const { vocabulary, positions, width, heads, layers, mlp, headWidth, keyValueHeads } = read(config).transformer;
      return [vocabulary, positions, width, heads, layers, mlp, headWidth, keyValueHeads];
    };
    expect(sizes(llama)).toEqual([32000, 2048, 4096, 32, 32, 11008, 128, 32]);
    expect(sizes({ ...llama, num_attention_heads: 16, head_dim: null, num_key_value_heads: null })[7]).toBe(16);
    expect(sizes({ ...llama, num_attention_heads: 16 }).slice(6)).toEqual([256, 16]);
    expect(sizes({ model_type: 'mistral', sliding_window: null })).toEqual([32000, 131072, 4096, 32, 32, 14336, 128, 8]);
    expect(sizes({ model_type: 'mistral', sliding_window: null, num_key_value_heads: null })[7]).toBe(32);
    expect(sizes({ model_type: 'qwen2' })).toEqual([151936, 32768, 4096, 32, 32, 22016, 128, 32]);
    expect(read(llama).transformer).toMatchObject({ epsilon: 1e-6, tied: false, positional: { kind: 'rotary', base: 10_000 } });
  });

  test.each<[string, Config]>([
    ['4', { rope_theta: 5e5, rope_scaling: null, torch_dtype: 'bfloat16' }],
    ['4, the default named', { rope_theta: 5e5, rope_scaling: { type: 'default' } }],
    ['5', { rope_parameters: { rope_theta: 5e5, rope_type: 'default' }, dtype: 'bfloat16' }],
    ['5 with the key of 4 beside it', { rope_theta: 5e5, rope_parameters: { rope_theta: 5e5, rope_type: 'default' } }],
    ['between 4 and 5', { rope_theta: 5e5, rope_parameters: { rope_type: 'default' } }],
  ])('rotary positions as transformers %s writes them', (_generation, config) => {
    expect(read({ ...llama, ...config }).transformer.positional).toEqual({ kind: 'rotary', base: 5e5 });
  });

  test('frequencies that are scaled, in both generations', () => {
    const positional = (config: Config) => read({ ...llama, ...config }).transformer.positional;
    const llama3 = { rope_type: 'llama3', factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192 };
    const scaling = { kind: 'llama3', factor: 8, low: 1, high: 4, original: 8192 };
    expect(positional({ rope_theta: 5e5, rope_scaling: llama3 })).toEqual({ kind: 'rotary', base: 5e5, scaling });
    expect(positional({ rope_parameters: { ...llama3, rope_theta: 5e5 } })).toEqual({ kind: 'rotary', base: 5e5, scaling });
    expect(positional({ rope_scaling: { type: 'linear', factor: 4 } })).toEqual({
      kind: 'rotary',
      base: 1e4,
      scaling: { kind: 'linear', factor: 4 },
    });
  });

  test('the class alone, or the type alone, names the family', () => {
    expect(read({ architectures: ['Qwen2ForCausalLM'] }).family).toBe('qwen2');
    expect(read({ architectures: ['MistralForCausalLM'], sliding_window: null }).family).toBe('mistral');
    expect(read(small).family).toBe('llama');
  });

  test('biases: of queries, keys and values with qwen2; where llama says so; never where the class does not read the key', () => {
    expect(read({ model_type: 'qwen2', attention_bias: true }).biases).toEqual({ attentionIn: true, attentionOut: false, mlp: false });
    expect(read({ ...llama, attention_bias: true }).biases).toEqual({ attentionIn: true, attentionOut: true, mlp: false });
    expect(read({ ...llama, mlp_bias: true })).toMatchObject({ biases: { attentionIn: false, mlp: true }, transformer: { biases: true } });
    expect(read({ model_type: 'mistral', sliding_window: null, attention_bias: true }).transformer.biases).toBe(false);
  });

  test('a window that no prompt outgrows, or that is not used, is none', () => {
    expect(read({ model_type: 'mistral', max_position_embeddings: 4096 }).transformer.positions).toBe(4096);
    expect(read({ model_type: 'qwen2', sliding_window: 8, use_sliding_window: false }).family).toBe('qwen2');
    expect(read({ ...llama, sliding_window: 8 }).family).toBe('llama');
  });

  test.each<[string, unknown, string]>([
    ['no object', [], 'it must be an object, got []'],
    ['null', null, 'it must be an object, got null'],
    ['no name', {}, 'it: architectures must be one of LlamaForCausalLM, MistralForCausalLM, Qwen2ForCausalLM, got "nothing"'],
    [
      'another type',
      { model_type: 'gpt2', architectures: ['GPT2LMHeadModel'] },
      'it: model_type must be one of llama, mistral, qwen2, got "gpt2"',
    ],
    ['a type that is the name of a method', { model_type: 'toString' }, 'got "toString"'],
    ['another class', { architectures: ['GPTNeoXForCausalLM'] }, 'got [GPTNeoXForCausalLM]'],
    [
      'another head',
      { model_type: 'llama', architectures: ['LlamaForSequenceClassification'] },
      'it: architectures must be LlamaForCausalLM, as model_type is llama',
    ],
    [
      'quantised weights',
      { ...llama, quantization_config: { quant_method: 'gptq', bits: 4 } },
      'it: quantization_config must be absent: quantised weights are not read, got "gptq"',
    ],
    ['another activation', { ...llama, hidden_act: 'gelu' }, 'it: hidden_act must be silu, got "gelu"'],
    ['a size that is none', { ...llama, hidden_size: 0 }, 'it: hidden_size must be an integer in [1, 1048576], got 0'],
    ['a size without end', { ...llama, num_hidden_layers: 1e9 }, 'it: num_hidden_layers must be an integer in [1, 1024]'],
    ['a text for a number', { ...llama, vocab_size: '7' }, 'it: vocab_size must be an integer'],
    ['heads that do not divide', { ...llama, num_attention_heads: 31 }, 'it: num_attention_heads must divide the hidden_size 4096'],
    [
      'groups that do not divide',
      { ...llama, num_key_value_heads: 5 },
      'it: num_key_value_heads must divide the 32 attention heads, got 5',
    ],
    ['odd heads', { ...llama, head_dim: 5 }, 'it: head_dim must be even'],
    ['a window', { model_type: 'mistral', sliding_window: 4096 }, 'it: sliding_window must be null or at least the 131072 positions'],
    ['the window of its class', { model_type: 'mistral' }, 'it: sliding_window must be null'],
    ['a window that is used', { model_type: 'qwen2', use_sliding_window: true, sliding_window: 64 }, 'it: sliding_window must be null'],
    [
      'other layers',
      { ...llama, layer_types: ['full_attention', 'sliding_attention'] },
      'it: layer_types must be full_attention, got "sliding_attention"',
    ],
    ['yarn', { ...llama, rope_scaling: { rope_type: 'yarn', factor: 4 } }, 'it: rope_scaling: rope_type must be'],
    ['dynamic frequencies by their old name', { ...llama, rope_scaling: { type: 'dynamic', factor: 2 } }, 'got "dynamic"'],
    [
      'yarn of generation 5',
      { ...llama, rope_parameters: { rope_type: 'yarn', rope_theta: 1e4 } },
      'it: rope_parameters: rope_type must be',
    ],
    [
      'frequencies by layer',
      { ...llama, rope_parameters: { full_attention: { rope_theta: 1e4 } } },
      'must be the same for all layers, got "full_attention"',
    ],
    ['linear without a factor', { ...llama, rope_scaling: { rope_type: 'linear' } }, 'it: rope_scaling: factor must be a number in'],
    [
      'a blend from fast to slow',
      {
        ...llama,
        rope_scaling: { rope_type: 'llama3', factor: 8, low_freq_factor: 4, high_freq_factor: 1, original_max_position_embeddings: 99 },
      },
      'low_freq_factor must be below the high_freq_factor 1, got 4',
    ],
    ['half-turned heads', { ...llama, partial_rotary_factor: 0.5 }, 'it: partial_rotary_factor must be 1'],
    ['half-turned heads of generation 5', { ...llama, rope_parameters: { partial_rotary_factor: 0.5 } }, 'partial_rotary_factor must be 1'],
    [
      'two thetas',
      { ...llama, rope_theta: 1e4, rope_parameters: { rope_theta: 1e6 } },
      'rope_theta must be the rope_theta beside it, 10000, got 1000000',
    ],
    ['a theta that is none', { ...llama, rope_theta: 0 }, 'it: rope_theta must be a number in'],
  ])('refuses %s', (_name, config, message) => {
    expect(() => read(config)).toThrow(UserError);
    expect(() => read(config)).toThrow(message);
  });
});
