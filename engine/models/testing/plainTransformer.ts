/** A transformer in plain loops and double precision, from the description of its options alone: nothing of the graph is used. For tests. */
import type { Random } from '../../base/random.ts';
import { initialise, type ParameterSpec, type Tensors } from '../parameters.ts';
import { settled, transformerParameters, type TransformerConfig } from '../transformer.ts';

type Vector = number[];

export const range = (n: number): number[] => Array.from({ length: n }, (_entry, i) => i);
const dot = (a: Vector, b: Vector) => a.reduce((total, entry, i) => total + entry * b[i], 0);
const plus = (a: Vector, b: Vector) => a.map((entry, i) => entry + b[i]);
const scaled = (a: Vector, factor: number) => a.map((entry) => entry * factor);
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const shares = (x: Vector) => {
  const weights = x.map((entry) => Math.exp(entry - Math.max(...x)));
  const total = weights.reduce((a, b) => a + b, 0);
  return scaled(weights, 1 / total);
};
const activations = {
  gelu: (x: number) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  relu: (x: number) => Math.max(x, 0),
  'silu-gated': (x: number) => x * sigmoid(x),
};

export interface PlainRun {
  /** By position. */
  readonly logits: readonly Vector[];
  /** The most probable experts of every layer and position. */
  readonly chosen: readonly (readonly number[])[][];
  /** How near the nearest choice of experts was to another one. */
  readonly margin: number;
  /** How sure the early exit was, where there is one. */
  readonly confidence?: number;
}

/** One prompt. @param roles the role of each position, where the config has roles */
export function plainTransformer(
  given: TransformerConfig,
  weights: Tensors,
  tokens: readonly number[],
  roles: readonly number[] = [],
): PlainRun {
  const config = settled(given);
  const { width, heads, layers, headWidth, keyValueHeads, positional } = config;
  const row = (name: string, i: number): Vector => [...weights[name].subarray(i * width, (i + 1) * width)];
  const linear = (x: Vector, matrix: string, bias: string): Vector => {
    const columns = weights[matrix].length / x.length;
    const shift = (weights as Partial<Tensors>)[bias];
    return range(columns).map((j) => x.reduce((total, entry, i) => total + entry * weights[matrix][i * columns + j], shift?.[j] ?? 0));
  };
  const norm = (x: Vector, name: string): Vector => {
    if (config.normalisation === 'none') return x;
    const average = config.normalisation === 'layer' ? x.reduce((a, b) => a + b) / x.length : 0;
    const square = x.reduce((total, entry) => total + (entry - average) ** 2, 0) / x.length;
    const shift = (weights as Partial<Tensors>)[`${name}.b`];
    return x.map((entry, i) => ((entry - average) / Math.sqrt(square + config.epsilon)) * weights[`${name}.w`][i] + (shift?.[i] ?? 0));
  };
  /** Coordinates i and i + headWidth/2 as a complex number, turned by position · base^(−2i/headWidth). */
  const turned = (x: Vector, position: number): Vector => {
    if (positional.kind !== 'rotary') return x;
    const half = headWidth / 2;
    return x.map((_entry, i) => {
      const angle = position * positional.base ** ((-2 * (i % half)) / headWidth);
      const [real, imaginary] = [x[i % half], x[(i % half) + half]];
      return i < half ? real * Math.cos(angle) - imaginary * Math.sin(angle) : real * Math.sin(angle) + imaginary * Math.cos(angle);
    });
  };
  const part = (x: Vector, head: number) => x.slice(head * headWidth, (head + 1) * headWidth);

  let stream = tokens.map((token, position) =>
    positional.kind === 'learned' ? plus(row('embed.W_E', token), row('pos_embed.W_pos', position)) : row('embed.W_E', token),
  );
  const chosen: number[][][] = [];
  let margin = Infinity;
  let early: { logits: Vector[]; confidence: number } | undefined;
  for (const layer of range(layers)) {
    const name = (suffix: string) => `blocks.${layer}.${suffix}`;
    const may = (kind: 'attention' | 'mlp', position: number) => config.writes?.[layer][kind][roles[position]] ?? true;
    const normal = stream.map((x) => norm(x, name('ln1')));
    const [q, k, v] = ['Q', 'K', 'V'].map((letter) => normal.map((x) => linear(x, name(`attn.W_${letter}`), name(`attn.b_${letter}`))));
    const gates = normal.map((x) => (config.headGate ? linear(x, name('attn.gate.W'), name('attn.gate.b')).map(sigmoid) : []));
    const attended = stream.map((_x, query) => {
      const z = range(heads).flatMap((head) => {
        const shared = Math.floor(head / (heads / keyValueHeads));
        const seen = range(query + 1).filter((key) => config.reads?.[layer][head][roles[query]][roles[key]] ?? true);
        const asks = turned(part(q[query], head), query);
        const pattern = shares(seen.map((key) => config.scale * dot(asks, turned(part(k[key], shared), key))));
        const sum = seen.reduce((total, key, i) => plus(total, scaled(part(v[key], shared), pattern[i])), range(headWidth).fill(0));
        return config.headGate ? scaled(sum, gates[query][head]) : sum;
      });
      return linear(z, name('attn.W_O'), name('attn.b_O'));
    });
    stream = stream.map((x, position) => (may('attention', position) ? plus(x, attended[position]) : x));
    const activate = activations[config.activation];
    const hidden = (x: Vector, place: string): Vector => {
      const entering = linear(x, `${place}.W_in`, `${place}.b_in`);
      const post =
        config.activation === 'silu-gated'
          ? linear(x, `${place}.W_gate`, `${place}.b_gate`).map((entry, i) => activate(entry) * entering[i])
          : entering.map(activate);
      return linear(post, `${place}.W_out`, `${place}.b_out`);
    };
    const choices: number[][] = [];
    stream = stream.map((x, position) => {
      const normal = norm(x, name('ln2'));
      let given: Vector;
      if (!config.experts) given = hidden(normal, name('mlp'));
      else {
        const probability = shares(linear(normal, name('mlp.gate.W'), name('mlp.gate.b')));
        const order = range(probability.length).sort((a, b) => probability[b] - probability[a]);
        const best = order.slice(0, config.experts.chosen);
        if (best.length < order.length) margin = Math.min(margin, probability[best.at(-1)!] - probability[order[best.length]]);
        choices.push(best);
        const total = best.reduce((sum, expert) => sum + probability[expert], 0);
        given = best.map((expert) => scaled(hidden(normal, name(`mlp.experts.${expert}`)), probability[expert] / total)).reduce(plus);
      }
      return may('mlp', position) ? plus(x, given) : x;
    });
    chosen.push(choices);
    if (config.exit?.after === layer) {
      const logits = stream.map((x) => linear(norm(x, 'exit.ln'), 'exit.unembed.W_U', ''));
      early = { logits, confidence: Math.max(...shares(logits.at(-1)!)) };
    }
  }
  const final = stream.map((x) => norm(x, 'ln_final'));
  const late = final.map((x) =>
    config.tied ? range(config.vocabulary).map((token) => dot(x, row('embed.W_E', token))) : linear(x, 'unembed.W_U', ''),
  );
  const leaves = early && early.confidence >= config.exit!.threshold;
  return { logits: leaves ? early!.logits : late, chosen, margin, ...(early && { confidence: early.confidence }) };
}

/** Every parameter random, biases and gains too: a term left out shows. */
export function randomWeights(config: TransformerConfig, random: Random): Tensors {
  const specs = transformerParameters(config).map((spec): ParameterSpec =>
    spec.shape.length === 1 || spec.name.includes('embed.W_') ? { ...spec, initialiser: { kind: 'normal', deviation: 0.7 } } : spec,
  );
  return initialise(specs, random);
}
