/** How well a model does at one point of the path from its base, at once: what a slider between base and mode shows while it is moved. */
import { z } from 'zod';
import { requireFit } from '../../analyses/forward.ts';
import { angles, form, formOf } from '../../analyses/options.ts';
import { percent, readLogits, Tally } from '../../analyses/scoring.ts';
import { SplitForward, type Prepared } from '../../analyses/splitForward.ts';
import { between, parseWith, wholeBetween } from '../../base/schema.ts';
import type { JobContext, JobKind } from '../../contract.ts';
import { OnnxRuntimeExecutor } from '../../execute/onnxruntime.ts';
import type { ClassifierModel } from '../../models/classifier.ts';
import { dataReference } from '../../tasks/dataReference.ts';
import { loadImages, requireDigest, type ImageData } from '../../tasks/imageData.ts';
import { firstImages } from '../../tasks/someImages.ts';
import { atShare, heldModel, modelsFor, type Missing } from './heldModels.ts';
import { Recent } from './recent.ts';

const schema = z.strictObject({
  data: dataReference,
  ...heldModel,
  share: between(0, 1).default(1),
  form: form('soft'),
  angles: angles([0, 45], 'degrees the images are turned by'),
  images: wholeBetween(1, 1_000_000).default(2000),
});

export interface PathAccuracy {
  readonly angles: readonly number[];
  /** In %, by angle. */
  readonly accuracy: Float64Array;
  /** How many test images it rests on. */
  readonly images: number;
}

/** What changes along the path is computed for every share, the rest once. */
interface Path {
  readonly forward: SplitForward;
  /** By data, angle and number of images. */
  readonly prepared: Map<string, Prepared>;
}

/** Angles of one path that are kept. */
const MOST_PREPARED = 4;

const executor = new OnnxRuntimeExecutor();
/** By model and form: what a person goes back and forth between. */
const paths = new Recent<Path>(4, { letGo: ({ forward }) => forward[Symbol.dispose]() });

export const pathAccuracy: JobKind<z.output<typeof schema>, PathAccuracy | Missing> = {
  id: 'pathAccuracy',
  version: 1,
  keeps: 'nothing',
  parse: (parameters) => parseWith(schema, 'pathAccuracy', parameters),
  async run({ data: reference, digest, model: given, share, form: asked, angles, images }, context) {
    const models = modelsFor('pathAccuracy', [{ digest, model: given }]);
    if ('missing' in models) return models;
    const [model] = models;
    const data = requireDigest(await loadImages(reference.source), reference);
    const form = formOf(model, asked);
    const path = paths.for(`${digest} ${form}`, () => ({
      forward: new SplitForward(executor, model, form, readLogits),
      prepared: new Map(),
    }));
    const now = atShare(digest, model, share);
    const tallies: Tally[] = [];
    for (const angle of angles) {
      const prepared = await preparedFor(path, model, data, images, angle, context);
      const tally = new Tally();
      for (const { begin, end, results } of path.forward.run(now, prepared)) {
        tally.add(results.logits.data, prepared.set, begin, end);
        await context.breathe();
      }
      tallies.push(tally);
    }
    return { angles, accuracy: Float64Array.from(tallies, percent), images: tallies[0].count };
  },
};

async function preparedFor(
  { forward, prepared }: Path,
  model: ClassifierModel,
  data: ImageData,
  images: number,
  angle: number,
  { breathe }: JobContext,
): Promise<Prepared> {
  const key = JSON.stringify([data.digest, images, angle]);
  const known = prepared.get(key);
  if (known) return known;
  const set = firstImages(data, images, angle);
  requireFit('pathAccuracy', 'the model', model, set);
  const made = await forward.prepare(model, set, angle, breathe);
  prepared.set(key, made);
  for (const oldest of prepared.keys()) if (prepared.size > MOST_PREPARED) prepared.delete(oldest);
  return made;
}
