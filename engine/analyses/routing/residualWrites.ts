/**
 * What heads, MLPs and the embedding write to the residual where a prompt is read, along a direction of it, with no norm between: how loud a component
 * is at a layer, whatever later layers make of it. The direction of a layer is the mean difference of the arms there,
 *
 *   u_m = mean(resid⁺ − resid⁻) after m layers      share[c] = (what c writes) · u_m / ‖u_m‖²
 *
 * so the shares of the differences of all components before m add up to 1: a residual is the sum of what is written to it.
 */
import type { Runner, Observation } from '../../interventions/effects.ts';
import type { LanguageModel } from '../../models/languageModel.ts';
import { blockSite, headLabel, headOutput } from '../../models/sites.ts';
import { settled, type SettledConfig } from '../../models/transformer.ts';
import { rolesOf, type Arm, type PairSet } from '../../tasks/pairs.ts';
import { residualAfter, type RunSteps } from './heads.ts';

/** At the read position of one arm: [pairs, …] each. */
export interface ReadValues {
  readonly z: readonly Float32Array[];
  readonly mlp: readonly Float32Array[];
  readonly embedding: Float32Array;
  /** After 0 … L layers. */
  readonly residual: readonly Float32Array[];
}

/** A difference of arms that is rounding is no direction: relative to the residual itself. */
const DIRECTION = 1e-5;

export class ResidualWrites {
  /** Heads layer by layer, MLPs, the embedding. */
  readonly labels: readonly string[];
  readonly heads: number;
  /** Layers that are complete before a component has written: a component of layer l is there after l + 1. */
  readonly writtenAfter: readonly number[];
  readonly #config: SettledConfig;
  readonly #parameters: LanguageModel['parameters'];
  readonly #pairs: PairSet;

  constructor({ config, parameters }: LanguageModel, pairs: PairSet) {
    this.#config = settled(config);
    this.#parameters = parameters;
    this.#pairs = pairs;
    const { layers, heads } = this.#config;
    const each = <T>(act: (layer: number) => T): T[] => Array.from({ length: layers }, (_entry, layer) => act(layer));
    this.heads = layers * heads;
    this.labels = [
      ...each((layer) => Array.from({ length: heads }, (_entry, head) => headLabel(layer, head))).flat(),
      ...each((layer) => `L${layer} MLP`),
      'embedding',
    ];
    this.writtenAfter = [...each((layer) => new Array<number>(heads).fill(layer + 1)).flat(), ...each((layer) => layer + 1), 0];
  }

  /** Runs an arm and reads what is needed of it. @param more further observations, handed back after its own */
  async read(
    runner: Runner,
    arm: Arm,
    steps: RunSteps,
    more: readonly Observation[] = [],
  ): Promise<{ values: ReadValues; more: readonly Float32Array[]; metric: Float32Array }> {
    const { layers } = this.#config;
    const each = <T>(act: (layer: number) => T): T[] => Array.from({ length: layers }, (_entry, layer) => act(layer));
    const own: Observation[] = [
      ...each((layer) => ({ site: headOutput(layer) })),
      ...each((layer) => ({ site: blockSite(layer, 'hook_mlp_out') })),
      { site: 'hook_embed' },
      { site: residualAfter(0) },
      ...each((layer) => ({ site: residualAfter(layer + 1) })),
    ];
    const { baseObserved, base } = await runner.run(this.#pairs, arm, [], { observe: [...own, ...more], context: steps.next() });
    return {
      values: {
        z: baseObserved.slice(0, layers),
        mlp: baseObserved.slice(layers, 2 * layers),
        embedding: baseObserved[2 * layers],
        residual: baseObserved.slice(2 * layers + 1, own.length),
      },
      more: baseObserved.slice(own.length),
      metric: base,
    };
  }

  /** u of the residual after so many layers over its own square, [width]; undefined where the arms do not differ there. */
  direction(plus: ReadValues, minus: ReadValues, layersDone: number): Float64Array | undefined {
    const { width } = this.#config;
    const [one, other] = [plus.residual[layersDone], minus.residual[layersDone]];
    const pairs = one.length / width;
    const difference = new Float64Array(width);
    let size = 0;
    for (let i = 0; i < one.length; i++) {
      difference[i % width] += (one[i] - other[i]) / pairs;
      size += (one[i] * one[i]) / pairs;
    }
    const square = difference.reduce((sum, value) => sum + value * value, 0);
    return square > DIRECTION ** 2 * size ? difference.map((value) => value / square) : undefined;
  }

  /** What every component writes along a direction, [components, pairs]; NaN for those that write later than it is looked at. */
  along({ z, mlp, embedding }: ReadValues, direction: Float64Array, layersDone: number): Float64Array {
    const { layers, heads, headWidth, width } = this.#config;
    const { pairs } = this.#pairs;
    const values = new Float64Array(this.labels.length * pairs).fill(NaN);
    const size = heads * headWidth;
    for (let layer = 0; layer < layersDone; layer++) {
      const keys = products(this.#parameters[blockSite(layer, 'attn.W_O')], direction, size);
      for (let pair = 0; pair < pairs; pair++) {
        const writes = this.#attentionWrites(layer, pair);
        for (let head = 0; head < heads; head++) {
          let sum = 0;
          for (let i = head * headWidth; i < (head + 1) * headWidth; i++) sum += z[layer][pair * size + i] * keys[i];
          values[(layer * heads + head) * pairs + pair] = writes ? sum : 0;
        }
      }
      values.set(products(mlp[layer], direction, pairs), (this.heads + layer) * pairs);
    }
    values.set(products(embedding, direction, pairs), (this.heads + layers) * pairs);
    return values;
    function products(rows: Float32Array, vector: Float64Array, count: number): Float64Array {
      return Float64Array.from({ length: count }, (_entry, row) => {
        let sum = 0;
        for (let i = 0; i < width; i++) sum += rows[row * width + i] * vector[i];
        return sum;
      });
    }
  }

  /** Whether attention may write where the pair is read. */
  #attentionWrites(layer: number, pair: number): boolean {
    const { writes, roles } = this.#config;
    const own = rolesOf(this.#pairs, pair);
    if (!writes || !roles || !own) return true;
    return writes[layer].attention[roles.indexOf(this.#pairs.roleNames![own[this.#pairs.read[pair]]])];
  }
}

/** Ranks by magnitude, 1 for the loudest, among those that are numbers; equals share the worse rank, so that a row of zeros is not first. */
export function ranksOf(values: ArrayLike<number>): Int32Array {
  const sizes = Array.from(values, Math.abs);
  return Int32Array.from(sizes, (size) => (Number.isNaN(size) ? 0 : sizes.filter((other) => other >= size).length));
}

/** Differences of two lists. */
export const minus = (one: Float64Array, other: Float64Array): Float64Array => one.map((value, i) => value - other[i]);
