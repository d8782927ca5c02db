/**
 * Edge attribution patching (Syed et al. 2023, arXiv:2310.10348): what the direct path from one head to one reader would do to first order,
 *
 *   score(u → v) = Σ_t (o_u⁺[t] − o_u⁻[t]) · G_v[t],   o_u = z_u W_O,   G_v = ∂M/∂(residual that v reads), through v alone
 *
 * G of a query, key or value is its gradient taken back through its projection and its own copy of the norm before attention; of an MLP through its
 * first layer; of the logits through the final norm. Which runs the gradients come from is the caller's.
 */
import type { TensorData } from '../../graph/program.ts';
import type { LanguageModel } from '../../models/languageModel.ts';
import { blockSite, headLabel, headOutput } from '../../models/sites.ts';
import { settled, type SettledConfig } from '../../models/transformer.ts';
import { rolesOf, type PairSet } from '../../tasks/pairs.ts';
import type { Chunk } from '../../interventions/places.ts';
import type { Receiver } from '../../interventions/intervention.ts';
import { allHeads, labelOf, type Head } from './heads.ts';

/** What reads a residual: a head by its query, key and value, an MLP, or the unembedding. */
export interface Reader {
  readonly label: string;
  /** The layer whose residual it reads; that of the logits is the number of layers. */
  readonly layer: number;
  /** Where path patching writes what it reads. */
  readonly receivers: readonly Receiver[];
  readonly head?: number;
}

/** Gradients and values by the names of their sites, of one chunk. */
type Tensors = ReadonlyMap<string, TensorData>;

export class EdgeScores {
  readonly senders: readonly Head[];
  readonly readers: readonly Reader[];
  /** Sites whose gradients are needed, and whose values. */
  readonly gradients: readonly string[];
  readonly values: readonly string[];
  readonly #config: SettledConfig;
  readonly #parameters: LanguageModel['parameters'];
  readonly #pairs: PairSet;

  constructor({ config: given, parameters }: LanguageModel, pairs: PairSet) {
    const config = settled(given);
    const { layers, heads, keyValueHeads, activation, experts } = config;
    this.#config = config;
    this.#parameters = parameters;
    this.#pairs = pairs;
    this.senders = allHeads(config);
    const each = <T>(act: (layer: number) => readonly T[]): T[] => Array.from({ length: layers }, (_entry, layer) => act(layer)).flat();
    const hidden = activation === 'silu-gated' ? ['mlp.hook_pre', 'mlp.hook_pre_linear'] : ['mlp.hook_pre'];
    const group = heads / keyValueHeads;
    // A key or value that several heads share has an edge with the first of them only, or it would be counted for each.
    this.readers = [
      ...each((layer) =>
        Array.from({ length: heads }, (_entry, head): Reader => ({
          label: headLabel(layer, head),
          layer,
          head,
          receivers: [
            { site: blockSite(layer, 'attn.hook_q'), index: head },
            ...(head % group === 0
              ? ['attn.hook_k', 'attn.hook_v'].map((name) => ({ site: blockSite(layer, name), index: head / group }))
              : []),
          ],
        })),
      ),
      ...(experts
        ? []
        : each((layer): Reader[] => [
            { label: `L${layer} MLP`, layer, receivers: hidden.map((name) => ({ site: blockSite(layer, name) })) },
          ])),
      { label: 'logits', layer: layers, receivers: [{ site: blockSite(layers - 1, 'hook_resid_post') }] },
    ];
    this.gradients = [
      ...each((layer) => ['attn.hook_q', 'attn.hook_k', 'attn.hook_v', ...(experts ? [] : hidden)].map((name) => blockSite(layer, name))),
      blockSite(layers - 1, 'hook_resid_post'),
    ];
    this.values = each((layer) => [headOutput(layer), blockSite(layer, 'hook_resid_pre'), blockSite(layer, 'hook_resid_mid')]);
  }

  /** Whether a reader comes after a head. An MLP of the same layer does. */
  follows({ layer, head }: Reader, sender: Head): boolean {
    return head === undefined ? layer >= sender.layer : layer > sender.layer;
  }

  /** Adds weight × score of every edge to [senders, readers, pairs]. @param base values of the run whose gradients these are */
  add(
    into: Float64Array,
    chunk: Chunk,
    { plus, minus, base, slopes }: { plus: Tensors; minus: Tensors; base: Tensors; slopes: Tensors },
    weight: number,
  ): void {
    const { width } = this.#config;
    const { length, pairs } = this.#pairs;
    chunk.forEach((pair, row) => {
      const readers = this.readers.map((reader) => this.#slope(reader, row, base, slopes));
      this.senders.forEach((sender, s) => {
        const written = this.#written(sender, pair, row, plus, minus);
        this.readers.forEach((reader, r) => {
          if (!this.follows(reader, sender)) return;
          let sum = 0;
          for (let i = 0; i < length * width; i++) sum += written[i] * readers[r][i];
          into[(s * this.readers.length + r) * pairs + pair] += weight * sum;
        });
      });
    });
  }

  /** (z⁺ − z⁻) W_O of one head at every position, [length, width]; 0 where it may not write. */
  #written({ layer, head }: Head, pair: number, row: number, plus: Tensors, minus: Tensors): Float64Array {
    const { heads, headWidth, width, writes, roles } = this.#config;
    const { length, roleNames = [] } = this.#pairs;
    const own = rolesOf(this.#pairs, pair);
    const out = this.#parameters[blockSite(layer, 'attn.W_O')];
    const [one, other] = [plus.get(headOutput(layer))!.data, minus.get(headOutput(layer))!.data];
    const written = new Float64Array(length * width);
    for (let position = 0; position < length; position++) {
      if (writes && roles && own && !writes[layer].attention[roles.indexOf(roleNames[own[position]])]) continue;
      for (let i = 0; i < headWidth; i++) {
        const at = ((row * length + position) * heads + head) * headWidth + i;
        const change = one[at] - other[at];
        if (change === 0) continue;
        for (let j = 0; j < width; j++) written[position * width + j] += change * out[(head * headWidth + i) * width + j];
      }
    }
    return written;
  }

  /** G of one reader at every position, [length, width]. */
  #slope({ layer, receivers, head }: Reader, row: number, base: Tensors, slopes: Tensors): Float64Array {
    const { width, layers } = this.#config;
    const { length } = this.#pairs;
    const result = new Float64Array(length * width);
    if (layer === layers) {
      const { data } = slopes.get(receivers[0].site)!;
      return result.map((_zero, i) => data[row * length * width + i]);
    }
    const [norm, residual] = head === undefined ? ['ln2', 'hook_resid_mid'] : ['ln1', 'hook_resid_pre'];
    const { data: entering } = base.get(blockSite(layer, residual))!;
    for (let position = 0; position < length; position++) {
      const given = new Float64Array(width);
      for (const { site, index } of receivers)
        this.#throughProjection(layer, site, index, slopes.get(site)!, row * length + position, given);
      const at = (row * length + position) * width;
      this.#throughNorm(blockSite(layer, norm), entering.subarray(at, at + width) as Float32Array, given);
      result.set(given, position * width);
    }
    return result;
  }

  /** Adds the gradient of one projection, taken back to what it reads. */
  #throughProjection(
    layer: number,
    site: string,
    index: number | undefined,
    { data, shape }: TensorData,
    at: number,
    into: Float64Array,
  ): void {
    const name = { hook_q: 'attn.W_Q', hook_k: 'attn.W_K', hook_v: 'attn.W_V', hook_pre_linear: 'mlp.W_in' }[site.split('.').at(-1)!];
    const gated = this.#config.activation === 'silu-gated';
    const matrix = this.#parameters[blockSite(layer, name ?? (gated ? 'mlp.W_gate' : 'mlp.W_in'))];
    const columns = shape.slice(2).reduce((a, b) => a * b, 1);
    const block = shape.at(-1)!;
    const [begin, end] = index === undefined ? [0, columns] : [index * block, (index + 1) * block];
    for (let column = begin; column < end; column++) {
      const slope = data[at * columns + column];
      if (slope === 0) continue;
      for (let j = 0; j < into.length; j++) into[j] += slope * matrix[j * columns + column];
    }
  }

  /** Takes a gradient back through a norm, in place. @param x what the norm reads */
  #throughNorm(name: string, x: Float32Array, gradient: Float64Array): void {
    const { normalisation, epsilon, width } = this.#config;
    if (normalisation === 'none') return;
    const gain = this.#parameters[`${name}.w`];
    const mean = normalisation === 'layer' ? x.reduce((sum, value) => sum + value, 0) / width : 0;
    const scale = Math.sqrt(x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / width + epsilon);
    let [sum, product] = [0, 0];
    for (let i = 0; i < width; i++) {
      gradient[i] *= gain[i];
      sum += gradient[i];
      product += (gradient[i] * (x[i] - mean)) / scale;
    }
    if (normalisation === 'rms') sum = 0;
    for (let i = 0; i < width; i++) gradient[i] = (gradient[i] - sum / width - (((x[i] - mean) / scale) * product) / width) / scale;
  }
}

export const edgeLabel = (sender: Head, reader: Reader): string => `${labelOf(sender)}→${reader.label}`;
