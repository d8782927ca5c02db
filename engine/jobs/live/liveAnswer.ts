/** What networks make of one image, at once: for a window in which images are turned and units are held. Nothing of it is kept. */
import { z } from 'zod';
import { forcedUnits, forcible, heldFeeds, type ForcedUnit } from '../../analyses/forcing.ts';
import { Forward, requireFit, shapeOf, type Form, type Outputs, type Taps } from '../../analyses/forward.ts';
import { angle, formOf } from '../../analyses/options.ts';
import { answerOf } from '../../analyses/scoring.ts';
import { activity, unitLabels } from '../../analyses/units.ts';
import { UserError } from '../../base/errors.ts';
import { between, parseWith } from '../../base/schema.ts';
import type { JobKind } from '../../contract.ts';
import { OnnxRuntimeExecutor } from '../../execute/onnxruntime.ts';
import type { ClassifierModel } from '../../models/classifier.ts';
import { concat } from '../../ops/index.ts';
import { dataReference, type ImageSet } from '../../tasks/dataReference.ts';
import { loadImages, requireDigest, type ImageData } from '../../tasks/imageData.ts';
import { rotate } from '../../tasks/rotate.ts';
import { imagesAt } from '../../tasks/someImages.ts';
import { atShare, heldModel, modelsFor, type Missing } from './heldModels.ts';
import { Recent } from './recent.ts';

const pixels = z.union(
  [z.custom<Float32Array>((value) => value instanceof Float32Array), z.array(z.number()).transform((values) => Float32Array.from(values))],
  'must be numbers in [0, 1], row by row',
);

const schema = z.strictObject({
  data: dataReference,
  image: z.union(
    // Its range is that of the data, which are not there yet.
    [z.strictObject({ index: z.number() }), z.strictObject({ pixels })],
    'must be the index of a test image, or pixels',
  ),
  angle: angle(0, 'degrees the image is turned by'),
  contenders: z
    .array(z.strictObject({ ...heldModel, form: z.enum(['base', 'soft', 'hard'], 'must be "base", "soft" or "hard"') }), 'must be a list')
    .max(64, 'must be at most 64'),
  forced: forcedUnits.default([]),
  share: between(0, 1).default(1),
});

export type LiveAnswerParameters = z.output<typeof schema>;

export interface LiveAnswer {
  /** Turned: what the networks see. */
  readonly pixels: Float32Array;
  /** Of a test image: the place of the right answer among the classes. */
  readonly label?: number;
  readonly height: number;
  readonly width: number;
  readonly classes: readonly string[];
  /** In the order of the contenders. */
  readonly answers: readonly Answered[];
}

export interface Answered {
  readonly logits: Float32Array;
  readonly probabilities: Float32Array;
  /** The first with the largest logit; −1 where a logit is not a number. */
  readonly answer: number;
  /** What each hidden unit gives the next layer, in the order of unitLabels. */
  readonly outputs: Float32Array;
  /** 1 where it is active. */
  readonly active: Uint8Array;
  /** How many are. */
  readonly on: number;
}

const executor = new OnnxRuntimeExecutor();
/** Compiled, by the shape of a model and its form; which units are held is an input. */
const programs = new Recent<Forward>(32, { letGo: (forward) => forward[Symbol.dispose]() });

export const liveAnswer: JobKind<LiveAnswerParameters, LiveAnswer | Missing> = {
  id: 'liveAnswer',
  version: 1,
  keeps: 'nothing',
  parse: (parameters) => parseWith(schema, 'liveAnswer', parameters),
  async run({ data: reference, image, angle, contenders, forced, share }) {
    const models = modelsFor('liveAnswer', contenders);
    if ('missing' in models) return models;
    const data = requireDigest(await loadImages(reference.source), reference);
    const set =
      'index' in image ? imagesAt('liveAnswer: image.index', data, 'test', [image.index], angle) : drawn(data, image.pixels, angle);
    requireUnits(models, forced);
    const answers = contenders.map(({ digest, form }, i) => {
      const model = form === 'base' ? models[i] : atShare(digest, models[i], share);
      requireFit('liveAnswer', digest.slice(0, 12), model, set);
      return answered(model, form === 'base' ? 'base' : formOf(model, form), set, angle, forced);
    });
    return {
      pixels: set.images,
      ...('index' in image && { label: set.labels[0] }),
      height: data.height,
      width: data.width,
      classes: data.classes,
      answers,
    };
  },
};

/** An image that somebody drew, as a set of one; nobody says what it is. */
function drawn(data: ImageData, pixels: Float32Array, angle: number): ImageSet {
  const { height, width, classes } = data;
  if (pixels.length !== height * width)
    throw new UserError('liveAnswer: image.pixels', `must be ${height * width} pixels, as ${data.name} has`, pixels.length);
  const wrong = pixels.find((value) => !(value >= 0 && value <= 1));
  if (wrong !== undefined) throw new UserError('liveAnswer: image.pixels', 'must be numbers in [0, 1]', wrong);
  return { count: 1, height, width, classes, images: rotate(pixels, 1, data, angle), labels: new Int32Array(1) };
}

function requireUnits(models: readonly ClassifierModel[], forced: readonly ForcedUnit[]): void {
  if (forced.length === 0) return;
  const known = new Set(models.flatMap(unitLabels));
  const unknown = forced.find(({ unit }) => !known.has(unit));
  if (unknown) throw new UserError('liveAnswer: forced', 'must be units of a contender', unknown.unit);
}

function answered(model: ClassifierModel, form: Form, set: ImageSet, angle: number, forced: readonly ForcedUnit[]): Answered {
  const forward = programs.for(
    shapeOf(model, form),
    () => new Forward(executor, model, form, (taps) => read(forcible(taps, form), model, form)),
  );
  const results = forward.use(model).run(set, 0, 1, angle, heldFeeds(model, form, forced));
  const logits = results.logits.data as Float32Array;
  const active = Uint8Array.from((results.active?.data as Float32Array | undefined) ?? []);
  return {
    logits,
    probabilities: softmax(logits),
    answer: answerOf(logits, 0, logits.length),
    outputs: (results.out?.data as Float32Array | undefined) ?? new Float32Array(),
    active,
    on: active.reduce((on, one) => on + one, 0),
  };
}

function read(taps: Taps, model: ClassifierModel, form: Form): Outputs {
  const { logits, layers } = taps;
  if (layers.length === 0) return { outputs: { logits } };
  const out = concat(
    layers.map((layer) => layer.out),
    1,
  );
  return { outputs: { logits, out, active: activity(taps, model, form) } };
}

function softmax(logits: Float32Array): Float32Array {
  const largest = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const powers = Float64Array.from(logits, (logit) => Math.exp(logit - largest));
  const total = powers.reduce((a, b) => a + b, 0);
  return Float32Array.from(powers, (power) => power / total);
}
