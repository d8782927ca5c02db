/** Directions of the residual, and what they are in the output of one head: which vector of z writes nearest to them. */
import { observedOf, type Runner } from '../../interventions/effects.ts';
import type { LanguageModel } from '../../models/languageModel.ts';
import { blockSite } from '../../models/sites.ts';
import { settled } from '../../models/transformer.ts';
import type { PairSet } from '../../tasks/pairs.ts';
import type { RunSteps } from './heads.ts';

/** Below this part of the largest, a direction of W_O counts as none. */
const RANK = 1e-6;

/** For every layer the mean over pairs of the residual after it, on x⁺ − on x⁻, where it is read. @param steps two runs */
export async function meanResidualDifference(runner: Runner, pairs: PairSet, layers: number, steps: RunSteps): Promise<Float64Array[]> {
  const observe = Array.from({ length: layers }, (_entry, layer) => ({ site: blockSite(layer, 'hook_resid_post') }));
  const sensitive = await runner.run(pairs, 'sensitive', [], { observe, context: steps.next() });
  const control = await runner.run(pairs, 'control', [], { observe, context: steps.next() });
  return observe.map((_site, layer) => {
    const [one, other] = [observedOf(sensitive, layer), observedOf(control, layer)];
    const mean = new Float64Array(one.length / pairs.pairs);
    one.forEach((value, i) => (mean[i % mean.length] += (value - other[i]) / pairs.pairs));
    return mean;
  });
}

/** Mean unembedding of the positive tokens of all pairs − of the negative ones, with the gain of the final norm. */
export function metricDirection({ config, parameters }: LanguageModel, { metric }: PairSet): Float64Array {
  const { width, vocabulary, tied } = settled(config);
  const matrix = parameters[tied ? 'embed.W_E' : 'unembed.W_U'];
  const gain = parameters['ln_final.w'] as Float32Array | undefined;
  const direction = new Float64Array(width);
  for (const [side, sign] of [
    [metric.positive, 1],
    [metric.negative, -1],
  ] as const)
    side.tokens.forEach((token) => {
      for (let i = 0; i < width; i++)
        direction[i] += (sign * matrix[tied ? token * width + i : i * vocabulary + token] * (gain?.[i] ?? 1)) / side.tokens.length;
    });
  return direction;
}

/**
 * The k that minimises ‖k·W_O − u‖, the shortest of them, for one head (methods.md P2: `lstsq(W_O, u)`), by conjugate gradients on the normal equations,
 * which stay in the row space and so give the shortest. Undefined where the head writes nothing in the direction.
 * @param direction u, [width]
 */
export function headDirection(
  { config, parameters }: LanguageModel,
  layer: number,
  head: number,
  direction: Float64Array,
): Float32Array | undefined {
  const { headWidth, width } = settled(config);
  const out = parameters[blockSite(layer, 'attn.W_O')].subarray(head * headWidth * width, (head + 1) * headWidth * width);
  const written = (k: Float64Array) => {
    const sum = new Float64Array(width);
    k.forEach((value, i) => {
      if (value !== 0) for (let j = 0; j < width; j++) sum[j] += value * out[i * width + j];
    });
    return sum;
  };
  const read = (u: Float64Array) =>
    Float64Array.from({ length: headWidth }, (_entry, i) => {
      let sum = 0;
      for (let j = 0; j < width; j++) sum += out[i * width + j] * u[j];
      return sum;
    });
  const square = (vector: Float64Array) => vector.reduce((sum, value) => sum + value * value, 0);
  const size = Math.sqrt(square(direction) * out.reduce((sum, value) => sum + value * value, 0));
  const k = new Float64Array(headWidth);
  let residual = read(direction);
  const first = square(residual);
  if (!(Math.sqrt(first) > RANK * size)) return undefined;
  let step = residual;
  for (let round = 0, before = first; round < 4 * headWidth; round++) {
    const image = written(step);
    const length = before / square(image);
    for (let i = 0; i < headWidth; i++) k[i] += length * step[i];
    const answer = read(image);
    residual = residual.map((value, i) => value - length * answer[i]);
    const now = square(residual);
    if (!(now > 1e-24 * first)) break;
    const [beta, last] = [now / before, step];
    step = residual.map((value, i) => value + beta * last[i]);
    before = now;
  }
  return Float32Array.from(k);
}
