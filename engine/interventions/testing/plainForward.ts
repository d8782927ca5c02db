/**
 * One prompt through the default transformer in plain loops and double precision, with a hook at every site: the second road to what interventions
 * do. Nothing of graphs, executors or runners is used. For tests.
 */
import type { Tensors } from '../../models/parameters.ts';
import type { TransformerConfig } from '../../models/transformer.ts';

/** Changes a site in place: `values[position]`, heads one after another; for patterns `values[position]` is [heads, keys]. */
export type Hook = (site: string, values: Float64Array[]) => void;

const range = (n: number) => Array.from({ length: n }, (_entry, i) => i);

/** Logits of every position. */
export function plainForward(
  config: TransformerConfig,
  weights: Tensors,
  tokens: ArrayLike<number>,
  hook: Hook = () => {},
): Float64Array[] {
  const { width, heads, layers, mlp, vocabulary } = config;
  const size = width / heads;
  const length = tokens.length;
  const linear = (x: Float64Array, name: string, columns: number, bias?: string) =>
    Float64Array.from({ length: columns }, (_entry, j) => {
      let sum = bias ? weights[bias][j] : 0;
      for (let i = 0; i < x.length; i++) sum += x[i] * weights[name][i * columns + j];
      return sum;
    });
  const norm = (x: Float64Array, name: string) => {
    const mean = x.reduce((a, b) => a + b, 0) / x.length;
    const deviation = Math.sqrt(x.reduce((total, entry) => total + (entry - mean) ** 2, 0) / x.length + 1e-5);
    return x.map((entry, i) => ((entry - mean) / deviation) * weights[`${name}.w`][i] + weights[`${name}.b`][i]);
  };
  const gelu = (x: number) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
  const sum = (a: Float64Array, b: Float64Array) => a.map((entry, i) => entry + b[i]);
  const hooked = (site: string, values: Float64Array[]) => {
    hook(site, values);
    return values;
  };
  const row = (name: string, i: number) => Float64Array.from(weights[name].subarray(i * width, (i + 1) * width));
  const embedded = hooked(
    'hook_embed',
    range(length).map((position) => row('embed.W_E', tokens[position])),
  );
  let stream: Float64Array[] = embedded.map((x, position) => sum(x, row('pos_embed.W_pos', position)));
  for (const layer of range(layers)) {
    const at = (name: string) => `blocks.${layer}.${name}`;
    stream = hooked(
      at('hook_resid_pre'),
      stream.map((x) => x.slice()),
    );
    const normal = stream.map((x) => norm(x, at('ln1')));
    const [q, k, v] = ['Q', 'K', 'V'].map((letter) =>
      hooked(
        at(`attn.hook_${letter.toLowerCase()}`),
        normal.map((x) => linear(x, at(`attn.W_${letter}`), width, at(`attn.b_${letter}`))),
      ),
    );
    const pattern = hooked(
      at('attn.hook_pattern'),
      range(length).map((query) => {
        const own = new Float64Array(heads * length);
        for (const head of range(heads)) {
          const scores = range(query + 1).map((key) => {
            let dot = 0;
            for (let i = head * size; i < (head + 1) * size; i++) dot += q[query][i] * k[key][i];
            return Math.exp(dot / Math.sqrt(size));
          });
          const total = scores.reduce((a, b) => a + b, 0);
          scores.forEach((score, key) => (own[head * length + key] = score / total));
        }
        return own;
      }),
    );
    const z = hooked(
      at('attn.hook_z'),
      range(length).map((query) =>
        Float64Array.from({ length: width }, (_entry, i) => {
          let total = 0;
          for (let key = 0; key < length; key++) total += pattern[query][Math.floor(i / size) * length + key] * v[key][i];
          return total;
        }),
      ),
    );
    const attended = hooked(
      at('hook_attn_out'),
      z.map((x) => linear(x, at('attn.W_O'), width, at('attn.b_O'))),
    );
    const middle = hooked(
      at('hook_resid_mid'),
      stream.map((x, i) => sum(x, attended[i])),
    );
    const pre = hooked(
      at('mlp.hook_pre'),
      middle.map((x) => linear(norm(x, at('ln2')), at('mlp.W_in'), mlp, at('mlp.b_in'))),
    );
    const post = hooked(
      at('mlp.hook_post'),
      pre.map((x) => x.map(gelu)),
    );
    const written = hooked(
      at('hook_mlp_out'),
      post.map((x) => linear(x, at('mlp.W_out'), width, at('mlp.b_out'))),
    );
    stream = hooked(
      at('hook_resid_post'),
      middle.map((x, i) => sum(x, written[i])),
    );
  }
  return stream.map((x) => linear(norm(x, 'ln_final'), 'unembed.W_U', vocabulary));
}

/** Values of every site of a run. */
export function plainSites(
  config: TransformerConfig,
  weights: Tensors,
  tokens: ArrayLike<number>,
  hook?: Hook,
): Map<string, Float64Array[]> {
  const sites = new Map<string, Float64Array[]>();
  plainForward(config, weights, tokens, (site, values) => {
    hook?.(site, values);
    sites.set(
      site,
      values.map((own) => own.slice()),
    );
  });
  return sites;
}
