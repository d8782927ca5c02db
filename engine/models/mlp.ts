/**
 * A multilayer perceptron with ReLU, open to adapters: `layers.i.hook_pre`, `hook_post`, what an adapter adds, and `hook_out`,
 * which the next layer reads.
 *
 * An adapter may replace a layer's product (LoRA) or act on a hidden layer's activation (gates); the base knows neither.
 */
import { UserError } from '../base/errors.ts';
import type { Value } from '../graph/value.ts';
import { matmul, relu, site } from '../ops/index.ts';
import { uniformFanIn, type ParameterSpec, type Parameters } from './parameters.ts';

export interface MlpConfig {
  /** Input width, hidden widths, number of classes: `[784, 256, 128, 10]`. */
  readonly widths: readonly number[];
}

/** Where an adapter may act; each function gets the layer's index. */
export interface MlpHooks {
  /** Takes the place of x·W + b. */
  linear?(layer: number, x: Value, weight: Value, bias: Value): Value;
  /** Acts on the activation of a hidden layer, or on what went into its ReLU and in the ReLU's place; all [rows, width]. */
  hidden?(layer: number, activation: Value, pre: Value): Value;
}

export function checkMlp({ widths }: MlpConfig): void {
  if (widths.length < 2 || widths.some((width) => !Number.isInteger(width) || width < 1))
    throw new UserError('mlp: widths', 'must be at least two positive integers', widths);
}

/** Weights [in, out] and biases [out] of every layer. */
export function mlpParameters(config: MlpConfig): ParameterSpec[] {
  checkMlp(config);
  return config.widths.slice(1).flatMap((width, i) => {
    const fanIn = config.widths[i];
    return [
      { name: `layers.${i}.weight`, shape: [fanIn, width], initialiser: uniformFanIn(fanIn) },
      { name: `layers.${i}.bias`, shape: [width], initialiser: uniformFanIn(fanIn) },
    ];
  });
}

/** Logits [rows, classes] of x [rows, input width]. */
export function mlp({ widths }: MlpConfig, parameters: Parameters, x: Value, hooks: MlpHooks = {}): Value {
  const { graph } = x;
  const last = widths.length - 2;
  let h = x;
  for (let layer = 0; layer <= last; layer++) {
    h = graph.within(`layers.${layer}`, () => {
      const weight = parameters[`layers.${layer}.weight`];
      const bias = parameters[`layers.${layer}.bias`];
      const pre = site('hook_pre', hooks.linear?.(layer, h, weight, bias) ?? matmul(h, weight, { bias }));
      if (layer === last) return pre;
      const post = site('hook_post', relu(pre));
      return site('hook_out', hooks.hidden?.(layer, post, pre) ?? post);
    });
  }
  return h;
}
