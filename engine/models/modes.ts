/**
 * Paths between modes. A mode is a pair of vectors, thresholds τ and gains γ, and so is every point of a path: what lies between two modes
 * is a model like any other, trained by nobody. Other adapters have paths too, for comparison.
 *
 * Only parameters are made here; how well they do is for analyses.
 */
import { UserError } from '../base/errors.ts';
import { adapterOf } from './adapters/index.ts';
import { hiddenLayers } from './adapters/adapter.ts';
import { gateParameter } from './adapters/gated.ts';
import type { AdaptedPart, ClassifierModel } from './classifier.ts';
import type { Tensors } from './parameters.ts';

/** What the paths are, in the words of a result. */
export const PATH_FROM_BASE =
  'from the base (thresholds of −∞, gains of 1) to the mode: τ + T·ln t, which multiplies the odds of every gate to be shut by t, and 1 + t·(γ − 1); ' +
  'offsets and what LoRA or full fine-tuning adds to weights are multiplied by t';
export const PATH_BETWEEN_MODES =
  'linear in thresholds, gains, offsets and temperatures; of LoRA and full fine-tuning linear in the weights they end in';

/**
 * The model at t on the path from the base of `model` (other: undefined) or from `model` to `other`. The ends are the base and the modes
 * bit for bit.
 *
 * From the base: the odds of a soft gate to be open at t are those of the mode divided by t, since σ((a − τ − T·ln t)/T) has the odds
 * e^((a − τ)/T)/t; at t = 0 it is open for any input. Between modes everything is linear, of LoRA the product A·B: the path of ranks r and s
 * has rank r + s.
 * @param t in [0, 1]
 * @throws UserError for a model without an adapter, two models not of one base and adapter, or a gate that has no base end
 */
export function interpolate(model: ClassifierModel, other: ClassifierModel | undefined, t: number): ClassifierModel {
  if (!(t >= 0 && t <= 1)) throw new UserError('interpolate: t', 'must be a number in [0, 1]', t);
  const from = requireAdapter(model);
  if (!other) {
    requireBaseEnd(from);
    return t === 1 ? model : { ...model, adapter: { ...from, parameters: towardsBase(model, from, t) } };
  }
  const to = requireAdapter(other);
  requirePath(model, from, other, to);
  if (t === 0 || t === 1) return t === 0 ? model : other;
  const between = {
    seed: from.seed,
    rows: from.rows === to.rows ? from.rows : ('all' as const),
    sparsity: (1 - t) * from.sparsity + t * to.sparsity,
    angles: adapterOf(from.id).contextual ? from.angles : [...new Set([...from.angles, ...to.angles])],
    temperature: from.temperature.map((temperature, layer) => (1 - t) * temperature + t * to.temperature[layer]),
  };
  const ranks = [from, to].map(rankOf);
  const adapter: AdaptedPart =
    ranks[0] === undefined || ranks[1] === undefined
      ? { id: from.id, ...between, parameters: mixed(from.parameters, to.parameters, t) }
      : { id: `lora-r${ranks[0] + ranks[1]}`, ...between, parameters: sideBySide(model, [from, to], [ranks[0], ranks[1]], t) };
  return { ...model, adapter };
}

/** Whether there is a path from the base: not where gates are in the ReLU's place, since no threshold makes them the ReLU. */
export const hasBaseEnd = ({ id }: AdaptedPart): boolean => adapterOf(id).family?.input !== 'pre-activation';

function requireBaseEnd(adapter: AdaptedPart): void {
  const { id } = adapter;
  if (!hasBaseEnd(adapter))
    throw new UserError(
      'interpolate: adapter',
      'must gate activations to have the base at its end: in the place of the ReLU, a gate with a threshold of −∞ lets negative values pass',
      id,
    );
}

/** Refuses models between which there is no path: other bases, other adapters, or other modes of context-conditioned ones. */
function requirePath(model: ClassifierModel, from: AdaptedPart, other: ClassifierModel, to: AdaptedPart): void {
  if (!sameTensors(model.base, other.base)) throw new UserError('interpolate: base', 'must be the same for both modes', 'two bases');
  const both = [from, to].map(({ id }) => id);
  if (from.id !== to.id && !both.every((id) => /^lora-r\d+$/.test(id)))
    throw new UserError('interpolate: adapter', 'must be the same for both modes, but for the rank of LoRA', both);
  if (adapterOf(from.id).contextual && from.angles.join() !== to.angles.join())
    throw new UserError(
      'interpolate: angles',
      `must be [${from.angles.join(', ')}] for both, since each angle has thresholds of its own`,
      to.angles,
    );
}

function requireAdapter({ adapter }: ClassifierModel): AdaptedPart {
  if (!adapter) throw new UserError('interpolate: model', 'must have an adapter', 'a foundation');
  return adapter;
}

/** Whether two models have the same tensors to the last bit. */
export function sameTensors(a: Tensors, b: Tensors): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && sameBits(a[name], b[name]));
}

/** Equal to the bit: NaNs by their bits, and 0 is not −0. */
export function sameBits(a: Float32Array, b: Float32Array): boolean {
  if (a === b) return true;
  const [x, y] = [a, b].map(({ buffer, byteOffset, length }) => new Int32Array(buffer, byteOffset, length));
  return x.length === y.length && x.every((word, i) => word === y[i]);
}

function towardsBase(model: ClassifierModel, { id, temperature, parameters }: AdaptedPart, t: number): Tensors {
  if (adapterOf(id).trains === 'base') return mixed(model.base, parameters, t);
  const layers = new Map(hiddenLayers(model).flatMap(({ layer }) => [[gateParameter(layer, 'threshold'), layer] as const]));
  return Object.fromEntries(
    Object.entries(parameters).map(([name, values]): [string, Float32Array] => {
      const layer = layers.get(name);
      if (layer !== undefined)
        return [name, values.map((threshold) => (t === 0 ? -Infinity : threshold + temperature[layer] * Math.log(t)))];
      if (name.endsWith('.gain')) return [name, values.map((gain) => 1 + t * (gain - 1))];
      // Differences between modes and one factor of a product keep their size: thresholds of −∞ and the other factor see to the base.
      if (name.endsWith('.context') || name.endsWith('.lora.A')) return [name, values];
      return [name, values.map((value) => t * value)];
    }),
  );
}

function mixed(from: Tensors, to: Tensors, t: number): Tensors {
  return Object.fromEntries(
    Object.entries(from).map(([name, values]) => [name, values.map((value, i) => (t === 0 ? value : (1 - t) * value + t * to[name][i]))]),
  );
}

const rankOf = ({ id }: AdaptedPart): number | undefined => (id.startsWith('lora-r') ? Number(id.slice('lora-r'.length)) : undefined);

/** [A₁ A₂] and (1 − t)·B₁ above t·B₂: their product is (1 − t)·A₁·B₁ + t·A₂·B₂. */
function sideBySide(model: ClassifierModel, [from, to]: readonly AdaptedPart[], ranks: readonly [number, number], t: number): Tensors {
  const rank = ranks[0] + ranks[1];
  return Object.fromEntries(
    hiddenLayers(model).flatMap(({ layer, width }) => {
      const [nameOfA, nameOfB] = [`layers.${layer}.lora.A`, `layers.${layer}.lora.B`];
      const a = new Float32Array(model.widths[layer] * rank);
      for (let row = 0; row < model.widths[layer]; row++) {
        a.set(from.parameters[nameOfA].subarray(row * ranks[0], (row + 1) * ranks[0]), row * rank);
        a.set(to.parameters[nameOfA].subarray(row * ranks[1], (row + 1) * ranks[1]), row * rank + ranks[0]);
      }
      const b = new Float32Array(rank * width);
      b.set(from.parameters[nameOfB].map((value) => (1 - t) * value));
      b.set(
        to.parameters[nameOfB].map((value) => t * value),
        ranks[0] * width,
      );
      return [
        [nameOfA, a],
        [nameOfB, b],
      ] as const;
    }),
  );
}
