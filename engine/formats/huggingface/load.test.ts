/**
 * Checkpoints of the Llama family: random ones against plain loops over their own names; every way one can be wrong; and stories260K against the
 * numbers its folder comes with, on both executors.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test, type TestContext } from 'vitest';
import { greedy } from '../../analyses/generate.ts';
import { Cancelled, UserError } from '../../base/errors.ts';
import { EXACT, expectClose } from '../../base/testing/closeTo.ts';
import { shared } from '../../base/testing/shared.ts';
import { evaluateOnce, type Executor } from '../../execute/executor.ts';
import { OnnxRuntimeExecutor } from '../../execute/onnxruntime.ts';
import { TensorFlowExecutor } from '../../execute/tensorflow.ts';
import { symbol } from '../../graph/dimension.ts';
import { Graph } from '../../graph/graph.ts';
import { program } from '../../graph/program.ts';
import { parseLanguageModel, type LanguageModel } from '../../models/languageModel.ts';
import { parameterInputs } from '../../models/parameters.ts';
import { causalMask, transformer, transformerInputs, transformerParameters } from '../../models/transformer.ts';
import { dense } from '../denseArray.ts';
import { writeSafetensors } from '../safetensors.ts';
import { loadHuggingFace, openCheckpoint } from './load.ts';
import { checkpoint, folderOf, narrow, rawFile, small, weightsOf, type Config, type Tensors } from './testing/checkpoints.ts';
import { plainLlama } from './testing/plainLlama.ts';

const onnx = new OnnxRuntimeExecutor({ cacheBytes: 0 });
const tensorflow = new TensorFlowExecutor();
afterAll(() => onnx.dispose());

/** Values of one prompt: the logits and the sites named, each by its name. */
function run(executor: Executor, { config, parameters }: LanguageModel, tokens: readonly number[], sites: readonly string[] = []) {
  const graph = new Graph();
  const specs = transformerParameters(config);
  const logits = transformer(config, parameterInputs(graph, specs), transformerInputs(config, graph, symbol('rows'), symbol('positions')));
  const { length } = tokens;
  const results = evaluateOnce(executor, program({ logits, ...Object.fromEntries(sites.map((name) => [name, graph.sites.get(name)!])) }), {
    ...Object.fromEntries(specs.map(({ name, shape }) => [name, { data: parameters[name], shape }])),
    tokens: { data: Int32Array.from(tokens), shape: [1, length] },
    positions: { data: Int32Array.from(tokens.keys()), shape: [length] },
    mask: { data: causalMask(length), shape: [length, length] },
  });
  return Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, data as Float32Array]));
}

describe('a checkpoint', () => {
  test.each<[string, Config]>([
    ['llama', small],
    ['llama, tied, heads of another width', { ...small, tie_word_embeddings: true, head_dim: 12 }],
    ['llama with all biases', { ...small, attention_bias: true, mlp_bias: true }],
    ['llama with biases of the MLP', { ...small, mlp_bias: true, num_key_value_heads: 4 }],
    ['llama of generation 5', { ...small, rope_theta: undefined, rope_parameters: { rope_theta: 50, rope_type: 'default' } }],
    ['mistral', { ...small, architectures: ['MistralForCausalLM'], model_type: 'mistral', sliding_window: null }],
    ['qwen2', { ...small, architectures: ['Qwen2ForCausalLM'], model_type: 'qwen2', rms_norm_eps: undefined }],
  ])('%s says what plain loops over its own names say, on both executors', async (_name, config) => {
    const tensors = weightsOf(config);
    const model = await loadHuggingFace(checkpoint(config, tensors));
    expect(() => parseLanguageModel('loaded', model)).not.toThrow();
    const tokens = [3, 1, 4, 1, 5, 9, 2, 6, 5, 10, 0, 8];
    const expected = plainLlama(config, tensors, tokens).flat();
    // Single precision over two layers: the largest logits are near 10.
    for (const executor of [onnx, tensorflow])
      expectClose(run(executor, model, tokens).logits, expected, { relative: 2e-6, absolute: 2e-6 }, executor.name);
  });

  test.each<[string, object, (frequency: number) => number]>([
    ['linear', { rope_type: 'linear', factor: 3 }, (frequency) => frequency / 3],
    [
      'llama3',
      { rope_type: 'llama3', factor: 4, low_freq_factor: 1, high_freq_factor: 3, original_max_position_embeddings: 30 },
      // By wavelengths, as the transformers library says it: below 10 as it is, above 30 slowed down, blended between. There is one of each kind.
      (frequency) => {
        const wavelength = (2 * Math.PI) / frequency;
        if (wavelength < 10) return frequency;
        if (wavelength > 30) return frequency / 4;
        const smooth = (30 / wavelength - 1) / (3 - 1);
        return ((1 - smooth) * frequency) / 4 + smooth * frequency;
      },
    ],
  ])('frequencies scaled by %s', async (_name, rope_scaling, scaled) => {
    const config = { ...small, rope_theta: 20, rope_scaling };
    const tensors = weightsOf(config);
    const tokens = [3, 1, 4, 1, 5, 9, 2, 6, 5, 10, 0, 8];
    const expected = plainLlama(config, tensors, tokens, scaled).flat();
    const model = await loadHuggingFace(checkpoint(config, tensors));
    expectClose(run(onnx, model, tokens).logits, expected, { relative: 2e-6, absolute: 2e-6 }, 'logits');
    // It shows: unscaled, they are others.
    expect(() => expectClose(plainLlama(config, tensors, tokens).flat(), expected, { relative: 1e-2, absolute: 0 }, 'logits')).toThrow();
  });

  test.each(['BF16', 'F16'] as const)('of %s, in shards, is the model of the rounded weights', async (dtype) => {
    const coarse = Object.fromEntries(
      Object.entries(weightsOf(small)).map(([name, { data, shape }]) => [
        name,
        dense(
          Float32Array.from(data, (value) => Math.round(value * 16) / 16 + 0),
          [...shape],
        ),
      ]),
    );
    const names = Object.keys(coarse);
    const parts = [names.slice(0, 7), names.slice(7)];
    const fileOf = (part: readonly string[]) => {
      let end = 0;
      const header = part.map((name) => {
        const begin = end;
        end += 2 * coarse[name].data.length;
        return [name, { dtype, shape: coarse[name].shape, data_offsets: [begin, end] }] as const;
      });
      return rawFile(Object.fromEntries(header), Buffer.concat(part.map((name) => narrow[dtype](coarse[name].data as Float32Array))));
    };
    const shards = Object.fromEntries(parts.map((part, i) => [`part-${i}.safetensors`, fileOf(part)]));
    const weight_map = Object.fromEntries(parts.flatMap((part, i) => part.map((name) => [name, `part-${i}.safetensors`])));
    const model = await loadHuggingFace(folderOf({ ...shards, 'config.json': small, 'model.safetensors.index.json': { weight_map } }));
    const whole = await loadHuggingFace(checkpoint(small, coarse));
    expect(Object.keys(model.parameters)).toEqual(Object.keys(whole.parameters));
    for (const [name, values] of Object.entries(whole.parameters)) expectClose(model.parameters[name], values, EXACT, name);
  });

  test('says how far it is, and stops when called off', async () => {
    const folder = checkpoint(small);
    const told: [number, number][] = [];
    await loadHuggingFace(folder, { progress: (read, total) => told.push([read, total]) });
    const bytes = Object.values(weightsOf(small)).reduce((sum, { data }) => sum + data.byteLength, 0);
    expect(told).toHaveLength(Object.keys(weightsOf(small)).length);
    expect(told.at(-1)).toEqual([bytes, bytes]);
    await expect(loadHuggingFace(folder, { signal: AbortSignal.abort() })).rejects.toThrow(Cancelled);
  });

  test('buffers of older versions are left aside, and a tied unembedding may be stored when it is the embedding', async () => {
    const tied = { ...small, tie_word_embeddings: true };
    const tensors: Tensors = weightsOf(tied);
    const plain = await loadHuggingFace(checkpoint(tied, tensors));
    tensors['model.layers.0.self_attn.rotary_emb.inv_freq'] = dense(Float32Array.of(1, 2, 3, 4));
    tensors['lm_head.weight'] = tensors['model.embed_tokens.weight'];
    expect((await loadHuggingFace(checkpoint(tied, tensors))).parameters).toEqual(plain.parameters);
    const { data, shape } = tensors['lm_head.weight'];
    tensors['lm_head.weight'] = dense(
      (data as Float32Array).map((value, i) => (i === 40 ? 7 : value)),
      [...shape],
    );
    await expect(loadHuggingFace(checkpoint(tied, tensors))).rejects.toThrow('huggingface: lm_head.weight: entry 40 must be the embedding');
  });

  const changed = (change: (tensors: Tensors) => void, config = small) => {
    const tensors = weightsOf(config);
    change(tensors);
    return checkpoint(config, tensors);
  };
  test.each<[string, () => string, string]>([
    ['no folder', () => join(folderOf({}), 'nothing'), 'huggingface: folder must exist'],
    ['a file', () => join(folderOf({ a: 'b' }), 'a'), 'huggingface: folder must be a folder'],
    ['no config', () => folderOf({ 'model.safetensors': '' }), 'huggingface: config.json must exist'],
    ['a config that is no JSON', () => folderOf({ 'config.json': '{"a":' }), 'huggingface: config.json must be JSON'],
    [
      'no weights',
      () => folderOf({ 'config.json': small }),
      'must hold model.safetensors or model.safetensors.index.json, got "no file of weights"',
    ],
    [
      'a pickle',
      () => folderOf({ 'config.json': small, 'pytorch_model.bin': '' }),
      'pickles are not opened, as they can run code: save the model as safetensors, got "pytorch_model.bin"',
    ],
    ['another format', () => folderOf({ 'config.json': small, 'model.gguf': '' }), 'model.safetensors.index.json, got "model.gguf"'],
    [
      'another architecture',
      () => checkpoint({ ...small, model_type: 'gpt_neox' }),
      'huggingface: config.json: model_type must be one of llama, mistral, qwen2, got "gpt_neox"',
    ],
    [
      'a truncated file',
      () => folderOf({ 'config.json': small, 'model.safetensors': writeSafetensors(weightsOf(small)).slice(0, -9) }),
      'huggingface: model.safetensors: ',
    ],
    [
      'a tensor that is missing',
      () => changed((tensors) => delete tensors['model.layers.1.mlp.up_proj.weight']),
      'huggingface: model.layers.1.mlp.up_proj.weight must be there for blocks.1.mlp.W_in',
    ],
    [
      'an untied unembedding that is missing',
      () => changed((tensors) => delete tensors['lm_head.weight']),
      'huggingface: lm_head.weight must be there for unembed.W_U',
    ],
    [
      'a tensor of another shape',
      () => changed((tensors) => (tensors['model.norm.weight'] = dense(new Float32Array(31)))),
      'huggingface: model.norm.weight: shape must be [32], as config.json says, got [31]',
    ],
    [
      'a matrix that lies on its side',
      () => changed((tensors) => (tensors['lm_head.weight'] = dense(new Float32Array(352), [32, 11]))),
      'lm_head.weight: shape must be [11, 32]',
    ],
    [
      'a bias the config does not know',
      () => changed((tensors) => (tensors['model.layers.0.self_attn.q_proj.bias'] = dense(new Float32Array(32)))),
      'huggingface: tensors must be parameters of the model config.json describes, got "model.layers.0.self_attn.q_proj.bias"',
    ],
    [
      'norms of another architecture',
      () => changed((tensors) => (tensors['model.layers.0.self_attn.q_norm.weight'] = dense(new Float32Array(8)))),
      'got "model.layers.0.self_attn.q_norm.weight"',
    ],
    [
      'integers',
      () => changed((tensors) => (tensors['model.norm.weight'] = dense(new Int32Array(32)))),
      'huggingface: model.norm.weight: dtype must be one of F32, F16, BF16, got "I32"',
    ],
    [
      'GPTQ',
      () => changed((tensors) => (tensors['model.layers.0.mlp.up_proj.qweight'] = dense(new Int32Array(4)))),
      'huggingface: tensors must not be quantised: load the weights they were made of, got "model.layers.0.mlp.up_proj.qweight"',
    ],
    [
      '8-bit floats',
      () =>
        folderOf({ 'config.json': small, 'model.safetensors': rawFile({ a: { dtype: 'F8_E4M3', shape: [1], data_offsets: [0, 1] } }, 1) }),
      'huggingface: model.safetensors: a: dtype must be one of',
    ],
    [
      'a weight that is no number',
      () => changed((tensors) => (tensors['model.norm.weight'].data[3] = NaN)),
      'huggingface: model.norm.weight: entry 3 must be a finite number, got NaN',
    ],
  ])('refuses %s', async (_name, folder, message) => {
    const path = folder();
    await expect(loadHuggingFace(path)).rejects.toThrow(UserError);
    await expect(loadHuggingFace(path)).rejects.toThrow(message);
  });

  test('more memory than allowed is refused before a weight is read', async () => {
    const folder = changed((tensors) => (tensors['model.norm.weight'].data[3] = NaN));
    const weights = Object.values(weightsOf(small)).reduce((sum, { data }) => sum + 4 * data.length, 0);
    await expect(loadHuggingFace(folder, { limit: weights })).rejects.toThrow(
      `huggingface: memory must be at most ${weights} bytes for weights (${weights}) and a forward of 1 × 16 tokens, got `,
    );
  });
});

describe('stories260K', () => {
  const golden = <T>(context: TestContext, file: string): T =>
    JSON.parse(readFileSync(join(shared(context, 'models/stories260K'), file), 'utf8')) as T;
  const load = (context: TestContext, folder = 'hf') => loadHuggingFace(join(shared(context, 'models/stories260K'), folder));
  const TOLERANCE = { relative: 0, absolute: 5e-5 };
  interface Prompt {
    readonly ids: number[];
    readonly logits_last: number[];
    readonly argmax_each_pos: number[];
    readonly nll_mean: number;
    readonly 'residual_norms[layer+1][pos]': number[][];
    readonly 'attn_last_query[layer][head][key]': number[][][];
  }
  const argmax = (row: Float32Array) => row.indexOf(row.reduce((a, b) => Math.max(a, b)));

  for (const executor of [onnx, tensorflow])
    test(`logits, residuals and attention of a prompt on ${executor.name}`, async (context) => {
      const prompt = golden<Prompt>(context, 'golden_prompt.json');
      const model = await load(context);
      const { vocabulary, layers, width, heads } = model.config;
      const positions = prompt.ids.length;
      const residuals = ['blocks.0.hook_resid_pre', ...Array.from({ length: layers }, (_none, l) => `blocks.${l}.hook_resid_post`)];
      const patterns = Array.from({ length: layers }, (_none, l) => `blocks.${l}.attn.hook_pattern`);
      const values = run(executor, model, prompt.ids, [...residuals, ...patterns]);
      const row = (position: number) => values.logits.subarray(position * vocabulary, (position + 1) * vocabulary);
      expectClose(row(positions - 1), prompt.logits_last, TOLERANCE, 'logits of the last position');
      expect(prompt.ids.map((_id, position) => argmax(row(position)))).toEqual(prompt.argmax_each_pos);
      const losses = prompt.ids.slice(1).map((id, position) => {
        const logits = row(position);
        const highest = logits[argmax(logits)];
        return highest + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - highest), 0)) - logits[id];
      });
      expectClose([losses.reduce((a, b) => a + b) / losses.length], [prompt.nll_mean], { relative: 1e-5, absolute: 0 }, 'mean loss');
      const norms = residuals.map((name) =>
        prompt.ids.map((_id, position) => Math.hypot(...values[name].subarray(position * width, (position + 1) * width))),
      );
      expectClose(norms.flat(), prompt['residual_norms[layer+1][pos]'].flat(), TOLERANCE, 'norms of the residual');
      const last = patterns.map((name) =>
        Array.from({ length: heads }, (_none, head) => [
          ...values[name].subarray(((head + 1) * positions - 1) * positions, (head + 1) * positions ** 2),
        ]),
      );
      expectClose(last.flat(2), prompt['attn_last_query[layer][head][key]'].flat(2), TOLERANCE, 'attention of the last query');
    });

  for (const executor of [onnx, tensorflow])
    test(`logits after the beginning mark on ${executor.name}`, async (context) => {
      const { logits } = run(executor, await load(context), [1]);
      expectClose(logits, golden<number[]>(context, 'logits_bos.json'), TOLERANCE, 'logits');
    });

  test('its 256 greedy ids exactly; the ids of its bfloat16 weights up to position 185', async (context) => {
    const { start, ids } = golden<{ start: number; ids: number[] }>(context, 'golden_greedy256.json');
    expect([...greedy(onnx, await load(context), [start], ids.length)]).toEqual(ids);
    const rounded = [...greedy(onnx, await load(context, 'hf-bf16'), [start], ids.length)];
    expect(rounded.findIndex((id, position) => id !== ids[position])).toBe(185);
  });

  test('bfloat16 weights are those of float32 to eight bits, and half of them on disk', async (context) => {
    const [whole, half] = await Promise.all(['hf', 'hf-bf16'].map((folder) => load(context, folder)));
    for (const [name, values] of Object.entries(whole.parameters)) {
      const other = half.parameters[name];
      const worst = values.reduce((most, value, i) => Math.max(most, Math.abs(value - other[i]) - Math.abs(value) * 2 ** -8), 0);
      expect(worst, name).toBeLessThan(1e-9);
    }
    const [one, other] = await Promise.all(
      ['hf', 'hf-bf16'].map((folder) => openCheckpoint(join(shared(context, 'models/stories260K'), folder))),
    );
    expect(one.storedBytes).toBe(2 * other.storedBytes);
  });
});
