/**
 * What single components write to the metric directly, with the scale of the final norm frozen where the prompt put it (direct logit attribution as in
 * TransformerLens; methods.md P1, traps T1 and T2): the scale is that of the residual before the norm, so that the parts add up to the metric.
 */
import type { Tensors } from '../../models/parameters.ts';
import { settled, type TransformerConfig } from '../../models/transformer.ts';
import type { PairSet } from '../../tasks/pairs.ts';

/** Reads the metric of a pair out of a vector of the residual's width. */
export interface FrozenScale {
  /** @param residual the final residual of a prompt before the norm, [width] */
  readOut(pair: number, residual: Float32Array): (vector: ArrayLike<number>) => number;
}

export function frozenScale(given: TransformerConfig, parameters: Tensors, pairs: PairSet): FrozenScale {
  const config = settled(given);
  const { width, vocabulary, normalisation, epsilon } = config;
  const gain = normalisation === 'none' ? undefined : parameters['ln_final.w'];
  const entry = (token: number, i: number) =>
    config.tied ? parameters['embed.W_E'][token * width + i] : parameters['unembed.W_U'][i * vocabulary + token];
  /** mean W_U[positive] − mean W_U[negative], through the gain of the norm. */
  const direction = (pair: number) =>
    Float64Array.from({ length: width }, (_entry, i) => {
      const mean = (side: 'positive' | 'negative') => {
        const { count, tokens } = pairs.metric[side];
        let sum = 0;
        for (let k = 0; k < count; k++) sum += entry(tokens[pair * count + k], i);
        return sum / count;
      };
      return (mean('positive') - mean('negative')) * (gain?.[i] ?? 1);
    });
  return {
    readOut(pair, residual) {
      const towards = direction(pair);
      const centre = normalisation === 'layer';
      const mean = centre ? residual.reduce((a, b) => a + b, 0) / width : 0;
      const square = residual.reduce((sum, value) => sum + (value - mean) ** 2, 0) / width;
      const scale = normalisation === 'none' ? 1 : Math.sqrt(square + epsilon);
      // Centring a component is a projection: done once on the direction instead of on every vector.
      if (centre) {
        const middle = towards.reduce((a, b) => a + b, 0) / width;
        towards.forEach((value, i) => (towards[i] = value - middle));
      }
      return (vector) => {
        let sum = 0;
        for (let i = 0; i < width; i++) sum += towards[i] * vector[i];
        return sum / scale;
      };
    },
  };
}

/** What a head writes: its part of W_O, applied to what it gives before. @param z [headWidth] @returns [width] */
export function headWrite(config: TransformerConfig, parameters: Tensors, layer: number, head: number, z: Float32Array): Float64Array {
  const { width, headWidth } = settled(config);
  const weights = parameters[`blocks.${layer}.attn.W_O`];
  const written = new Float64Array(width);
  for (let i = 0; i < headWidth; i++) {
    const row = (head * headWidth + i) * width;
    for (let j = 0; j < width; j++) written[j] += z[i] * weights[row + j];
  }
  return written;
}
