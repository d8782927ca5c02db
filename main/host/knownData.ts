/**
 * Data by what they are: requests that name a digest find the results of these very images again, wherever they lie, and never those of other
 * images that have come to lie there.
 */
import type { Request } from '../../engine/contract.ts';
import type { ImageSummary } from '../../engine/jobs/readImages.ts';
import type { DataReference } from '../../engine/tasks/dataReference.ts';
import { fingerprint } from '../../engine/tasks/imageData.ts';
import type { Session } from '../store/session.ts';

/**
 * The reference with the digest of what is there: as the session knows it from files that have not changed since, or read by an engine.
 * @param submit gives a job to an engine
 */
export async function identifyData(
  session: Session,
  reference: DataReference,
  submit: (request: Request) => Promise<unknown>,
): Promise<DataReference> {
  if (reference.digest !== undefined) return reference;
  const { source } = reference;
  const files = fingerprint(source);
  const known = session.corpusByFingerprint(files);
  if (known) {
    if (known.source !== source) session.putCorpus({ digest: known.digest, source, details: {} });
    return { source, digest: known.digest };
  }
  const summary = (await submit({ kind: 'readImages', parameters: { data: reference } })) as ImageSummary;
  const { digest, height, width, classes, train, test } = summary;
  session.putCorpus({ digest, source, details: { counts: { train, test }, height, width, classes } }, files);
  return { source, digest };
}
