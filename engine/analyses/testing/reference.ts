/**
 * The second road to what analyses compute: a classifier with its adapter in plain double precision, one image at a time, written from the
 * formulas and without the graph.
 */
import type { ClassifierModel } from '../../models/classifier.ts';
import type { ImageSet } from '../../tasks/dataReference.ts';
import type { Form } from '../forward.ts';

export interface Reference {
  readonly logits: number[];
  /** What goes into each hidden unit's nonlinearity, over all layers. */
  readonly pre: number[];
  /** What each hidden unit gives the next layer, over all layers. */
  readonly out: number[];
  /** The factor its gate multiplies with; NaN where it has none. */
  readonly decisions: number[];
  /** Whether it is active. */
  readonly active: boolean[];
}

/** Another number in the place of one hidden unit's output or decision; units are numbered through all layers. */
export interface Replacement {
  readonly site: 'output' | 'decision';
  readonly unit: number;
  readonly value: number;
}

/** The model's answer to image `index` of a set turned by `angle`. */
export function reference(
  { widths, base, adapter }: ClassifierModel,
  form: Form,
  set: ImageSet,
  index: number,
  angle: number,
  replacements: Replacement | readonly Replacement[] = [],
): Reference {
  const pixels = set.height * set.width;
  const own = form === 'base' ? {} : (adapter?.parameters ?? {});
  const id = form === 'base' ? 'none' : (adapter?.id ?? 'none');
  const weights = id === 'full' ? own : base;
  const gated = /^(dopamine|threshold)/.test(id);
  const replacesRelu = id.includes('pre-activation') || id.includes('two-sided');
  const out: number[] = [];
  const inputs: number[] = [];
  const decisions: number[] = [];
  const active: boolean[] = [];
  const replaced = (site: Replacement['site'], unit: number, value: number) =>
    [replacements].flat().find((one) => one.site === site && one.unit === unit)?.value ?? value;
  let x = Array.from(set.images.subarray(index * pixels, (index + 1) * pixels));
  for (let layer = 0; layer < widths.length - 1; layer++) {
    const hidden = layer < widths.length - 2;
    const name = (parameter: string) => `layers.${layer}.${parameter}`;
    const [a, b, offset] = [own[name('lora.A')], own[name('lora.B')], own[name('bias.offset')]] as (Float32Array | undefined)[];
    const [weight, bias, width] = [weights[name('weight')], weights[name('bias')], widths[layer + 1]];
    const rank = a ? a.length / x.length : 0;
    const z = Array.from({ length: width }, (_entry, j) => {
      let total = bias[j] + (offset?.[j] ?? 0);
      for (let i = 0; i < x.length; i++) {
        let entry = weight[i * width + j];
        for (let r = 0; r < rank; r++) entry += a![i * rank + r] * b![r * width + j];
        total += x[i] * entry;
      }
      return total;
    });
    if (!hidden) return { logits: z, pre: inputs, out, decisions, active };
    inputs.push(...z);
    const first = out.length;
    x = z.map((pre, j) => {
      const activation = Math.max(0, pre);
      const gain = own[name('gate.gain')]?.[j] ?? 1;
      if (!gated) {
        active.push(gain * activation !== 0);
        decisions.push(NaN);
        return replaced('output', first + j, gain * activation);
      }
      const mode = nearest(adapter!.angles, angle);
      const threshold = own[name('gate.threshold')][j] + (own[name('gate.context')]?.[mode * width + j] ?? 0);
      const input = replacesRelu ? pre : activation;
      const logit = (id.includes('two-sided') ? Math.abs(input) : input) - threshold;
      active.push(logit > 0 && (replacesRelu || activation > 0));
      const decided = form === 'hard' ? Number(logit > 0) : 1 / (1 + Math.exp(-logit / adapter!.temperature[layer]));
      const decision = replaced('decision', first + j, decided);
      decisions.push(decision);
      return replaced('output', first + j, gain * decision * input);
    });
    out.push(...x);
  }
  throw new Error('a model has an output layer');
}

/** The mode a context-conditioned adapter is in. */
function nearest(angles: readonly number[], angle: number): number {
  const apart = angles.map((other) => Math.min(...[-720, -360, 0, 360, 720].map((turn) => Math.abs(other - angle + turn))));
  return apart.indexOf(Math.min(...apart));
}

export const references = (model: ClassifierModel, form: Form, set: ImageSet, angle: number): Reference[] =>
  Array.from({ length: set.count }, (_entry, index) => reference(model, form, set, index, angle));

/** How many a form of a model gets right, counted one by one. */
export const rightOf = (model: ClassifierModel, form: Form, set: ImageSet, angle: number): number =>
  references(model, form, set, angle).filter(({ logits }, i) => logits.indexOf(Math.max(...logits)) === set.labels[i]).length;

/** −log p(label), mean over the images. */
export const lossOf = (model: ClassifierModel, form: Form, set: ImageSet, angle: number): number =>
  references(model, form, set, angle).reduce(
    (sum, { logits }, i) => sum + Math.log(logits.reduce((total, logit) => total + Math.exp(logit - logits[set.labels[i]]), 0)),
    0,
  ) / set.count;

/** The class with the largest logit. */
export const answerIn = ({ logits }: Reference): number => logits.indexOf(Math.max(...logits));

/** Logit of the label minus the mean of the others. */
export const marginIn = ({ logits }: Reference, label: number): number =>
  logits[label] - logits.reduce((sum, logit, k) => (k === label ? sum : sum + logit), 0) / (logits.length - 1);
