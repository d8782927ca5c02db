/** A language model as a request names it: itself, or where its checkpoint lies and which one it is, so that gigabytes are read by the engine alone. */
import { z } from 'zod';
import { UserError } from '../base/errors.ts';
import type { JobContext } from '../contract.ts';
import { loadHuggingFace } from '../formats/huggingface/load.ts';
import { languageModelDigest } from '../formats/languageModelDigest.ts';
import { checkLanguageModel, languageModel, type LanguageModel } from '../models/languageModel.ts';

export const modelReference = z.strictObject({
  /** Of a Hugging Face checkpoint. */
  folder: z.string('must be a folder').min(1, 'must name a folder'),
  /** As {@link languageModelDigest} gives it: another model that lies there is refused. */
  digest: z
    .string('must be a digest')
    .regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits')
    .exactOptional(),
});
export type ModelReference = z.output<typeof modelReference>;

export const modelOrReference = z.union([modelReference, languageModel], 'must be a language model, or a folder with one and its digest');
export type ModelOrReference = z.output<typeof modelOrReference>;

export const isReference = (model: ModelOrReference): model is ModelReference => 'folder' in model;

let latest: { readonly folder: string; readonly digest: string; readonly model: LanguageModel } | undefined;

/** The model, read once while the same one is asked about. @throws UserError for what cannot be loaded, or is another model than the digest says */
export async function resolveModel(
  place: string,
  model: ModelOrReference,
  { signal, progress }: Pick<JobContext, 'signal' | 'progress'>,
): Promise<LanguageModel> {
  if (!isReference(model)) {
    checkLanguageModel(place, model);
    return model;
  }
  const { folder, digest } = model;
  if (digest !== undefined && latest?.folder === folder && latest.digest === digest) return latest.model;
  latest = undefined;
  const loaded = await loadHuggingFace(folder, {
    signal,
    place,
    progress: (done, total) => progress({ stage: 'reading the model', done, total }),
  });
  const found = languageModelDigest(loaded);
  if (digest !== undefined && found !== digest)
    throw new UserError(`${place}: digest`, `must be that of the model in ${folder}, ${found}`, digest);
  latest = { folder, digest: found, model: loaded };
  return loaded;
}

/** What numbers depend on of a model: its digest. */
export const digestOf = (model: ModelOrReference): string | undefined => (isReference(model) ? model.digest : languageModelDigest(model));
