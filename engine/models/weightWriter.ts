/** Writes single weights of a transformer by the names of its residual directions: how a circuit is compiled by hand. What it computes is the circuit's. */
import type { Tensors } from './parameters.ts';
import type { TransformerConfig } from './transformer.ts';

/** The few weights of a head that are not 0. A dimension is one of the head's own, in [0, headWidth). */
export interface HeadWiring {
  readonly query: readonly (readonly [feature: string, dimension: number, weight: number])[];
  readonly key: readonly (readonly [feature: string, dimension: number, weight: number])[];
  readonly value: readonly (readonly [feature: string, dimension: number, weight: number])[];
  readonly output: readonly (readonly [dimension: number, feature: string, weight: number])[];
}

/** The weights of one hidden unit that are not 0. */
export interface UnitWiring {
  readonly in: readonly (readonly [feature: string, weight: number])[];
  readonly out: readonly (readonly [feature: string, weight: number])[];
}

export class WeightWriter {
  readonly #config: TransformerConfig;
  readonly #parameters: Tensors;
  readonly #features: ReadonlyMap<string, number>;

  /** @param parameters written to where they lie @param features the name of each direction of the residual */
  constructor(config: TransformerConfig, parameters: Tensors, features: readonly string[]) {
    this.#config = config;
    this.#parameters = parameters;
    this.#features = new Map(features.map((name, i) => [name, i]));
  }

  embedding(token: number, feature: string): void {
    this.#add('embed.W_E', token, this.#at(feature), this.#config.width, 1);
  }

  unembedding(feature: string, token: number): void {
    this.#add('unembed.W_U', this.#at(feature), token, this.#config.vocabulary, 1);
  }

  head(layer: number, head: number, wiring: HeadWiring): void {
    const { width, heads, headWidth = width / heads } = this.#config;
    const columns = heads * headWidth;
    for (const [letter, part] of [
      ['Q', wiring.query],
      ['K', wiring.key],
      ['V', wiring.value],
    ] as const)
      for (const [feature, dimension, weight] of part)
        this.#add(`blocks.${layer}.attn.W_${letter}`, this.#at(feature), head * headWidth + dimension, columns, weight);
    for (const [dimension, feature, weight] of wiring.output)
      this.#add(`blocks.${layer}.attn.W_O`, head * headWidth + dimension, this.#at(feature), width, weight);
  }

  unit(layer: number, unit: number, wiring: UnitWiring): void {
    const { width, mlp } = this.#config;
    for (const [feature, weight] of wiring.in) this.#add(`blocks.${layer}.mlp.W_in`, this.#at(feature), unit, mlp, weight);
    for (const [feature, weight] of wiring.out) this.#add(`blocks.${layer}.mlp.W_out`, unit, this.#at(feature), width, weight);
  }

  #at(feature: string): number {
    const at = this.#features.get(feature);
    if (at === undefined) throw new Error(`weightWriter: no feature ${feature}`);
    return at;
  }

  #add(name: string, row: number, column: number, columns: number, weight: number): void {
    this.#parameters[name][row * columns + column] += weight;
  }
}
