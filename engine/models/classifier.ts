/**
 * A trained classifier of images as plain data: a foundation, and on it, frozen, at most one adapter. What analyses are asked about, what
 * training gives, and what a session keeps; how it is computed is mlp.ts's and the adapters' business.
 */
import { z } from 'zod';
import { UserError } from '../base/errors.ts';
import { between, parseWith, tensors, wholeBetween } from '../base/schema.ts';
import { adapterOf } from './adapters/index.ts';
import { mlpParameters } from './mlp.ts';
import { checkTensors } from './parameters.ts';

/** Degrees that images are turned by. */
export const modeAngles = z
  .array(between(-360, 360), 'must be a list of angles')
  .min(1, 'must be at least one angle')
  .max(256, 'must be at most 256 angles')
  .refine((given) => new Set(given).size === given.length, 'must name each angle once');
/** Which training images a model was trained on: `remaining` leaves out those that the foundation's seed sets apart for choosing. */
export const trainingRows = z.enum(['all', 'remaining'], 'must be "all" or "remaining"');
const seed = wholeBetween(0, Number.MAX_SAFE_INTEGER);
const widths = z.array(wholeBetween(1, 1 << 16), 'must be a list of widths').min(2, 'must be at least two widths');
const temperature = between(1e-6, 1e6);

export const classifierModel = z.strictObject({
  architecture: z.literal('mlp', 'must be "mlp"'),
  /** Pixels, hidden widths, classes. */
  widths,
  /** Degrees the images of the foundation were turned by; with several, each image had one of them. */
  angles: modeAngles,
  seed,
  rows: trainingRows,
  /** Weights and biases of the foundation. */
  base: tensors,
  adapter: z
    .strictObject({
      /** `dopamine`, `lora-r4`, … (adapters/index.ts) */
      id: z.string('must be a text'),
      /** Degrees of the modes it was trained on; a context-conditioned one has a mode for each, in this order. */
      angles: modeAngles,
      seed,
      rows: trainingRows,
      /** λ: weight of the mean openness of the gates in the loss. */
      sparsity: between(0, 1e6),
      /** Of gates, at the end of training, one for each hidden layer; none where there are no gates. */
      temperature: z.array(temperature, 'must be a list of temperatures'),
      parameters: tensors,
    })
    .optional(),
});

export type ClassifierModel = z.output<typeof classifierModel>;
export type AdaptedPart = NonNullable<ClassifierModel['adapter']>;

/** @throws UserError naming the field, the rule and the value, also where tensors do not fit the widths or the adapter */
export function parseClassifier(place: string, value: unknown): ClassifierModel {
  const model = parseWith(classifierModel, place, value);
  checkClassifier(place, model);
  return model;
}

/** What a schema cannot say: that tensors are those of the widths and of the adapter. */
export function checkClassifier(place: string, { widths, base, adapter }: ClassifierModel): void {
  checkTensors(`${place}: base`, mlpParameters({ widths }), base);
  if (!adapter) return;
  const { id, angles, temperature, parameters } = adapter;
  const kind = adapterOf(id);
  const layers = kind.gated ? widths.length - 2 : 0;
  if (temperature.length !== layers)
    throw new UserError(`${place}: adapter.temperature`, `must be ${layers} temperatures, one for each gated layer`, temperature);
  checkTensors(`${place}: adapter.parameters`, kind.parameters({ widths }, angles.length), parameters);
}
