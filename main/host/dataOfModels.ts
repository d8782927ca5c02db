/** On which images models of a session were trained: on these they are adapted and analysed, unless others are named. */
import { UserError } from '../../engine/base/errors.ts';
import type { DataReference } from '../../engine/tasks/dataReference.ts';
import type { Session } from '../store/session.ts';

/**
 * With the digest, so that other images that lie there by now are refused; undefined for models that were trained elsewhere.
 * @param place who would have to name others, for the error
 * @throws UserError if the models were trained on different images
 */
export function dataOfModels(session: Session, models: readonly { readonly digest: string }[], place: string): DataReference | undefined {
  const digests = new Set(models.map(({ digest }) => digest));
  const used = new Set(
    session.runs().flatMap(({ model, corpus }) => (model !== undefined && corpus !== undefined && digests.has(model) ? [corpus] : [])),
  );
  if (used.size > 1)
    throw new UserError(
      place,
      'must be given where models were trained on different images',
      [...used].map((digest) => digest.slice(0, 12)),
    );
  const corpus = session.corpora().find(({ digest }) => used.has(digest));
  return corpus && { source: corpus.source, digest: corpus.digest };
}
