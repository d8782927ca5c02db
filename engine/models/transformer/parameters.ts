/**
 * The parameters of a transformer, named as in TransformerLens. Matrices are [in, out]; the columns of W_Q, W_K, W_V and the rows of W_O are
 * head-major. Beyond TransformerLens: `attn.gate` (headGate), `mlp.gate` and `mlp.experts.N` (experts), `exit`.
 */
import { uniformFanIn, type Initialiser, type ParameterSpec } from '../parameters.ts';
import { settled, type TransformerConfig } from './config.ts';

const EMBEDDING: Initialiser = { kind: 'normal', deviation: 0.02 };
const ONES: Initialiser = { kind: 'constant', value: 1 };
const ZEROS: Initialiser = { kind: 'constant', value: 0 };

export function transformerParameters(config: TransformerConfig): ParameterSpec[] {
  const { vocabulary, positions, width, heads, layers, mlp, ...options } = settled(config);
  const { headWidth, keyValueHeads, normalisation, activation, biases, experts } = options;
  const specs: ParameterSpec[] = [{ name: 'embed.W_E', shape: [vocabulary, width], initialiser: EMBEDDING }];
  const vector = (name: string, length: number, initialiser: Initialiser) => specs.push({ name, shape: [length], initialiser });
  /** A matrix W and its bias b, named `place.W_<letter>` and `place.b_<letter>`. */
  const linear = (place: string, letter: string, rows: number, columns: number) => {
    specs.push({ name: `${place}.W${letter}`, shape: [rows, columns], initialiser: uniformFanIn(rows) });
    if (biases) vector(`${place}.b${letter}`, columns, uniformFanIn(rows));
  };
  const norm = (place: string) => {
    if (normalisation === 'none') return;
    vector(`${place}.w`, width, ONES);
    if (normalisation === 'layer' && biases) vector(`${place}.b`, width, ZEROS);
  };
  const hidden = (place: string) => {
    if (activation === 'silu-gated') linear(place, '_gate', width, mlp);
    linear(place, '_in', width, mlp);
    linear(place, '_out', mlp, width);
  };
  if (options.positional.kind === 'learned') specs.push({ name: 'pos_embed.W_pos', shape: [positions, width], initialiser: EMBEDDING });
  for (let layer = 0; layer < layers; layer++) {
    const block = `blocks.${layer}`;
    norm(`${block}.ln1`);
    linear(`${block}.attn`, '_Q', width, heads * headWidth);
    linear(`${block}.attn`, '_K', width, keyValueHeads * headWidth);
    linear(`${block}.attn`, '_V', width, keyValueHeads * headWidth);
    linear(`${block}.attn`, '_O', heads * headWidth, width);
    if (options.headGate) linear(`${block}.attn.gate`, '', width, heads);
    norm(`${block}.ln2`);
    if (!experts) hidden(`${block}.mlp`);
    else {
      linear(`${block}.mlp.gate`, '', width, experts.count);
      for (let expert = 0; expert < experts.count; expert++) hidden(`${block}.mlp.experts.${expert}`);
    }
    if (options.exit?.after === layer) {
      norm('exit.ln');
      specs.push({ name: 'exit.unembed.W_U', shape: [width, vocabulary], initialiser: uniformFanIn(width) });
    }
  }
  norm('ln_final');
  if (!options.tied) specs.push({ name: 'unembed.W_U', shape: [width, vocabulary], initialiser: uniformFanIn(width) });
  return specs;
}
