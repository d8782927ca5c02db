/**
 * Direct effects of every component on the metric, with the scale of the final norm frozen where the run had it (TransformerLens' `logit_attrs`):
 *
 *   M = Σ_c  c · w,   w = (γ∘v − mean(γ∘v))/scale for layer norm, γ∘v/scale for RMS norm, v without a norm,   v = mean W_U[positive] − mean W_U[negative]
 *
 * over heads, MLPs, embeddings and biases. The scale is that of the residual *before* the final norm (trap T1 of *How Alignment Routes*: the last hidden
 * state of many libraries is already normed). There is no norm after attention or MLPs in this transformer, and its gains are stored whole (trap T2), so
 * the sum is M exactly; whoever uses this checks that it is ({@link requireComplete}).
 */
import { UserError } from '../../base/errors.ts';
import type { Observation } from '../../interventions/effects.ts';
import type { LanguageModel } from '../../models/languageModel.ts';
import { blockSite, headLabel, headOutput } from '../../models/sites.ts';
import { settled, type SettledConfig } from '../../models/transformer.ts';
import { checkPairs, type PairSet, type TokenSets } from '../../tasks/pairs.ts';

/** Relative to the gap: what float32 may cost a sum of logits. */
export const COMPLETE = 1e-3;

export class DirectEffects {
  /** Heads layer by layer, MLPs, embeddings, biases of attention, bias of the final norm. */
  readonly labels: readonly string[];
  /** The first of the labels are heads. */
  readonly heads: number;
  /** What has to be observed of a run, at the position that is read. */
  readonly observe: readonly Observation[];
  readonly #config: SettledConfig;
  readonly #parameters: LanguageModel['parameters'];
  readonly #pairs: PairSet;
  /** γ∘v of every pair (centred for layer norm), [pairs, width], and the constant that the bias of the final norm adds, [pairs]. */
  readonly #directions: Float64Array;
  readonly #constants: Float64Array;

  /** @throws UserError for pairs that do not fit the model */
  constructor({ config: given, parameters }: LanguageModel, pairs: PairSet) {
    const config = settled(given);
    const { layers, heads, width, positional, biases, normalisation } = config;
    checkPairs(pairs, config.vocabulary);
    this.#config = config;
    this.#parameters = parameters;
    this.#pairs = pairs;
    const each = <T>(act: (layer: number) => T): T[] => Array.from({ length: layers }, (_entry, layer) => act(layer));
    this.heads = layers * heads;
    this.labels = [
      ...each((layer) => Array.from({ length: heads }, (_entry, head) => headLabel(layer, head))).flat(),
      ...each((layer) => `L${layer} MLP`),
      'embedding',
      ...(positional.kind === 'learned' ? ['positions'] : []),
      ...(biases ? each((layer) => `L${layer} attention bias`) : []),
      ...(biases && normalisation === 'layer' ? ['final norm bias'] : []),
    ];
    this.observe = [
      ...each((layer) => ({ site: headOutput(layer) })),
      ...each((layer) => ({ site: blockSite(layer, 'hook_mlp_out') })),
      { site: 'hook_embed' },
      { site: blockSite(layers - 1, 'hook_resid_post') },
    ];
    this.#directions = new Float64Array(pairs.pairs * width);
    this.#constants = new Float64Array(pairs.pairs);
    const gain = parameters['ln_final.w'] as Float32Array | undefined;
    const bias = parameters['ln_final.b'] as Float32Array | undefined;
    for (let pair = 0; pair < pairs.pairs; pair++) {
      const own = this.#directions.subarray(pair * width, (pair + 1) * width);
      this.#add(own, pairs.metric.positive, pair, 1);
      this.#add(own, pairs.metric.negative, pair, -1);
      if (bias) for (let i = 0; i < width; i++) this.#constants[pair] += bias[i] * own[i];
      if (gain) for (let i = 0; i < width; i++) own[i] *= gain[i];
      if (normalisation === 'layer') {
        const mean = own.reduce((sum, value) => sum + value, 0) / width;
        for (let i = 0; i < width; i++) own[i] -= mean;
      }
    }
  }

  /** Direct effect of every component in every pair, [components, pairs], in logits. @param observed what {@link observe} found in a run */
  of(observed: readonly Float32Array[]): Float64Array {
    const { layers, heads, headWidth, width, normalisation, epsilon, positional } = this.#config;
    const { pairs, read } = this.#pairs;
    const values = new Float64Array(this.labels.length * pairs);
    const z = observed.slice(0, layers);
    const mlp = observed.slice(layers, 2 * layers);
    const [embedding, residual] = observed.slice(2 * layers);
    const weight = new Float64Array(width);
    for (let pair = 0; pair < pairs; pair++) {
      const scale = scaleOf(residual.subarray(pair * width, (pair + 1) * width), normalisation, epsilon);
      for (let i = 0; i < width; i++) weight[i] = this.#directions[pair * width + i] / scale;
      const dot = (data: Float32Array, at: number) => {
        let sum = 0;
        for (let i = 0; i < width; i++) sum += data[at + i] * weight[i];
        return sum;
      };
      let component = 0;
      const next = (value: number) => (values[component++ * pairs + pair] = value);
      for (let layer = 0; layer < layers; layer++) {
        const out = this.#parameters[blockSite(layer, 'attn.W_O')];
        const writes = this.#writes(layer, pair);
        for (let head = 0; head < heads; head++) {
          let sum = 0;
          for (let i = head * headWidth; i < (head + 1) * headWidth; i++) {
            const own = z[layer][pair * heads * headWidth + i];
            if (own !== 0) sum += own * dot(out, i * width);
          }
          next(writes ? sum : 0);
        }
      }
      for (let layer = 0; layer < layers; layer++) next(dot(mlp[layer], pair * width));
      next(dot(embedding, pair * width));
      if (positional.kind === 'learned') next(dot(this.#parameters['pos_embed.W_pos'], read[pair] * width));
      if (this.#config.biases)
        for (let layer = 0; layer < layers; layer++)
          next(this.#writes(layer, pair) ? dot(this.#parameters[blockSite(layer, 'attn.b_O')], 0) : 0);
      if (component < this.labels.length) next(this.#constants[pair]);
    }
    return values;
  }

  /** Whether attention writes at the position that is read: what may not be written counts nothing. */
  #writes(layer: number, pair: number): boolean {
    const { writes, roles } = this.#config;
    const { roles: ofPositions, roleNames = [], read } = this.#pairs;
    if (!writes || !roles || !ofPositions) return true;
    return writes[layer].attention[roles.indexOf(roleNames[ofPositions[read[pair]]])];
  }

  /** Adds the mean unembedding of a side of the metric. */
  #add(into: Float64Array, { count, tokens }: TokenSets, pair: number, sign: 1 | -1): void {
    const { width, vocabulary, tied } = this.#config;
    const matrix = this.#parameters[tied ? 'embed.W_E' : 'unembed.W_U'];
    for (let k = 0; k < count; k++) {
      const token = tokens[pair * count + k];
      for (let i = 0; i < width; i++) into[i] += (sign * matrix[tied ? token * width + i : i * vocabulary + token]) / count;
    }
  }
}

/** What the final norm divides by. */
function scaleOf(residual: Float32Array, normalisation: SettledConfig['normalisation'], epsilon: number): number {
  if (normalisation === 'none') return 1;
  const mean = normalisation === 'layer' ? residual.reduce((sum, value) => sum + value, 0) / residual.length : 0;
  let squares = 0;
  for (const value of residual) squares += (value - mean) ** 2;
  return Math.sqrt(squares / residual.length + epsilon);
}

/** The largest |Σ components − M| over the pairs. @param values [components, pairs] */
export function incompleteness(values: Float64Array, metric: ArrayLike<number>): number {
  let worst = 0;
  const pairs = metric.length;
  for (let pair = 0; pair < pairs; pair++) {
    let sum = 0;
    for (let at = pair; at < values.length; at += pairs) sum += values[at];
    const error = Math.abs(sum - metric[pair]);
    if (!(error <= worst)) worst = error;
  }
  return worst;
}

/** Throws unless the components add up to M. @param error of {@link incompleteness} @param size the gap, in logits */
export function requireComplete(place: string, error: number, size: number): void {
  if (error <= COMPLETE * Math.abs(size)) return;
  throw new UserError(
    `${place}: components`,
    `must add up to the metric within ${COMPLETE} of the gap (a model with an early exit or another norm is not a sum of its components)`,
    `a difference of ${error.toPrecision(3)} logits at a gap of ${size.toPrecision(3)}`,
  );
}

/** Σ over pairs and components: |mean| of each as a share of the sum over all, and that times their number. @param values [components, pairs] */
export function sharesOf(values: Float64Array, components: number): { means: Float64Array; shares: Float64Array; lifts: Float64Array } {
  const pairs = values.length / components;
  const means = Float64Array.from({ length: components }, (_entry, c) => {
    let sum = 0;
    for (let pair = 0; pair < pairs; pair++) sum += values[c * pairs + pair];
    return sum / pairs;
  });
  const total = means.reduce((sum, value) => sum + Math.abs(value), 0);
  const shares = means.map((value) => Math.abs(value) / total);
  return { means, shares, lifts: shares.map((share) => share * components) };
}
