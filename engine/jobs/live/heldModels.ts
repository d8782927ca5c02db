/**
 * Models this process was sent, by their digests, so that what is asked many times a second carries no weights. A digest is the sender's word
 * for a model; one that is not held is asked for.
 */
import { z } from 'zod';
import { checkClassifier, classifierModel, type ClassifierModel } from '../../models/classifier.ts';
import { hasBaseEnd, interpolate } from '../../models/modes.ts';
import { Recent } from './recent.ts';

/** Bytes of weights that are held: some two hundred models of the size of MNIST's. */
const MOST_BYTES = 200 * 2 ** 20;

const held = new Recent<ClassifierModel>(MOST_BYTES, { sizeOf: bytesOf });
/** Points of paths, by model and share: sliders go back and forth. */
const between = new Recent<ClassifierModel>(32);

export const heldModel = {
  digest: z.string('must be a text').regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits'),
  /** Not needed where the process holds it. */
  model: classifierModel.optional(),
};

/** The answer where models are not held: send them along, and ask again. */
export interface Missing {
  readonly missing: readonly string[];
}

export interface AskedModel {
  readonly digest: string;
  readonly model?: ClassifierModel | undefined;
}

/** In the order asked. @throws UserError for one that is none */
export function modelsFor(place: string, asked: readonly AskedModel[]): ClassifierModel[] | Missing {
  for (const { digest, model } of asked) {
    if (!model || held.get(digest)) continue;
    checkClassifier(`${place}: model`, model);
    held.set(digest, model);
  }
  // All are looked up at once, so that none goes while another comes.
  const own = new Map(asked.flatMap(({ digest, model }) => (model ? [[digest, model] as const] : [])));
  const found = asked.map(({ digest }) => held.get(digest) ?? own.get(digest));
  const missing = asked.flatMap(({ digest }, i) => (found[i] ? [] : [digest]));
  return missing.length > 0 ? { missing: [...new Set(missing)] } : found.filter((model) => model !== undefined);
}

/** The model at `share` of the path from its base; the model itself where there is no such path. */
export function atShare(digest: string, model: ClassifierModel, share: number): ClassifierModel {
  if (share === 1 || !model.adapter || !hasBaseEnd(model.adapter)) return model;
  return between.for(`${digest} ${share}`, () => interpolate(model, undefined, share));
}

function bytesOf({ base, adapter }: ClassifierModel): number {
  return [base, adapter?.parameters ?? {}].flatMap((part) => Object.values(part)).reduce((bytes, values) => bytes + values.byteLength, 0);
}
