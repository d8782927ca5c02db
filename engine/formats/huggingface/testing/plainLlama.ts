/**
 * A Llama-family forward in plain loops and double precision straight from a checkpoint's own names and its config.json, as the transformers library
 * has it: matrices are [out, in]. Nothing of the engine is used, so that it is a second road to what a loaded model says. For tests.
 */
import type { Config, Tensors } from './checkpoints.ts';

type Vector = number[];
const range = (n: number) => Array.from({ length: n }, (_none, i) => i);

/** Logits of every position of one prompt. @param scaled what becomes of each frequency of the rotary positions */
export function plainLlama(
  config: Config,
  tensors: Tensors,
  tokens: readonly number[],
  scaled = (frequency: number) => frequency,
): Vector[] {
  const [width, heads] = [config.hidden_size as number, config.num_attention_heads as number];
  const keyHeads = (config.num_key_value_heads as number | undefined) ?? heads;
  const size = (config.head_dim as number | undefined) ?? width / heads;
  const rope = config.rope_parameters as { rope_theta?: number } | undefined;
  const theta = rope?.rope_theta ?? (config.rope_theta as number | undefined) ?? 10_000;
  const linear = (x: Vector, name: string): Vector => {
    const { data, shape } = tensors[`${name}.weight`];
    const bias = (tensors as Partial<Tensors>)[`${name}.bias`]?.data;
    return range(shape[0]).map((row) => x.reduce((sum, value, i) => sum + value * data[row * x.length + i], bias?.[row] ?? 0));
  };
  const norm = (x: Vector, name: string): Vector => {
    const square = x.reduce((sum, value) => sum + value * value, 0) / x.length;
    return x.map((value, i) => (tensors[name].data[i] * value) / Math.sqrt(square + ((config.rms_norm_eps as number | undefined) ?? 1e-6)));
  };
  const heading = (x: Vector, head: number) => x.slice(head * size, (head + 1) * size);
  /** x·cos + rotate_half(x)·sin, rotate_half(x) = (−second half, first half). */
  const turn = (x: Vector, position: number): Vector =>
    x.map((value, i) => {
      const angle = position * scaled(theta ** ((-2 * (i % (size / 2))) / size));
      const partner = i < size / 2 ? -x[i + size / 2] : x[i - size / 2];
      return value * Math.cos(angle) + partner * Math.sin(angle);
    });
  const add = (a: Vector, b: Vector) => a.map((value, i) => value + b[i]);
  const embedding = tensors['model.embed_tokens.weight'].data;
  let stream = tokens.map((token) => Array.from(embedding.slice(token * width, (token + 1) * width)));
  for (const layer of range(config.num_hidden_layers as number)) {
    const block = `model.layers.${layer}.`;
    const inputs = stream.map((x) => norm(x, `${block}input_layernorm.weight`));
    const [q, k, v] = ['q', 'k', 'v'].map((letter) => inputs.map((x) => linear(x, `${block}self_attn.${letter}_proj`)));
    stream = stream.map((x, query) => {
      const attended = range(heads).flatMap((head) => {
        const group = Math.floor(head / (heads / keyHeads));
        const asked = turn(heading(q[query], head), query);
        const weights = range(query + 1).map((key) =>
          Math.exp(turn(heading(k[key], group), key).reduce((sum, value, i) => sum + value * asked[i], 0) / Math.sqrt(size)),
        );
        const total = weights.reduce((a, b) => a + b);
        return range(size).map((i) => weights.reduce((sum, weight, key) => sum + (weight / total) * heading(v[key], group)[i], 0));
      });
      return add(x, linear(attended, `${block}self_attn.o_proj`));
    });
    stream = stream.map((x) => {
      const input = norm(x, `${block}post_attention_layernorm.weight`);
      const gate = linear(input, `${block}mlp.gate_proj`);
      const up = linear(input, `${block}mlp.up_proj`);
      return add(
        x,
        linear(
          gate.map((value, i) => (value / (1 + Math.exp(-value))) * up[i]),
          `${block}mlp.down_proj`,
        ),
      );
    });
  }
  const head = config.tie_word_embeddings ? 'model.embed_tokens' : 'lm_head';
  return stream.map((x) => linear(norm(x, 'model.norm.weight'), head));
}
