/** Language models of a session for whoever computes on them: with their weights where these are kept, else by where they were loaded from. */
import { UserError } from '../../engine/base/errors.ts';
import { loadHuggingFace } from '../../engine/formats/huggingface/load.ts';
import { languageModelDigest } from '../../engine/formats/languageModelDigest.ts';
import type { ModelReference } from '../../engine/jobs/modelReference.ts';
import type { LanguageModel } from '../../engine/models/languageModel.ts';
import type { LanguageModelRow } from '../store/languageModels.ts';
import type { Session } from '../store/session.ts';

/** As a request names it, with what it is called. @throws UserError if it is not there, or nobody knows where its weights are */
export function modelForRequest(
  session: Session,
  digest: string,
  place: string,
): { readonly label: string; readonly model: LanguageModel | ModelReference } {
  const row = rowOf(session, digest, place);
  const { label, embedded, folder } = row;
  if (embedded || folder === undefined) return { label, model: session.languageModel(digest) };
  return { label, model: { folder, digest } };
}

/** The whole model, read from its folder where it is not kept. @throws UserError also where another model lies there by now */
export async function wholeLanguageModel(session: Session, digest: string, place: string): Promise<LanguageModel> {
  const { embedded, folder } = rowOf(session, digest, place);
  if (embedded || folder === undefined) return session.languageModel(digest);
  const loaded = await loadHuggingFace(folder, { place });
  const found = languageModelDigest(loaded);
  if (found !== digest) throw new UserError(`${place}: digest`, `must be that of the model in ${folder}, ${found}`, digest);
  return loaded;
}

function rowOf(session: Session, digest: string, place: string): LanguageModelRow {
  const row = session.languageModels().find((one) => one.digest === digest);
  if (!row) throw new UserError(place, 'must be the digest of a language model of this session', digest);
  return row;
}
