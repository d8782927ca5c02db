/** On which images models are adapted and analysed: those they were trained on, unless others are named. */
import type { OptionValues } from 'commander';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { UserError } from '../../engine/base/errors.ts';
import type { DataReference } from '../../engine/tasks/dataReference.ts';
import type { ModelRow } from '../store/models.ts';
import { dataSource, NAMED_DATA } from './common.ts';
import { short } from './table.ts';
import type { Work } from './work.ts';

/**
 * @param asked as the flags say, which count where `given` has them @param place the command, for errors
 * @throws UserError if the models were trained on different images and none are named
 */
export async function dataOf(
  { session, identify }: Work,
  models: readonly ModelRow[],
  asked: DataReference,
  place: string,
  { data, dataDigest }: OptionValues,
): Promise<DataReference> {
  if (data !== undefined) return identify({ ...asked, source: dataSource(asked.source) });
  const digests = new Set(models.map(({ digest }) => digest));
  const used = new Set(
    session.runs().flatMap(({ model, corpus }) => (model !== undefined && corpus !== undefined && digests.has(model) ? [corpus] : [])),
  );
  if (used.size > 1)
    throw new UserError(`${place}: --data`, 'must be given where models were trained on different images', [...used].map(short));
  const corpus = session.corpora().find(({ digest }) => used.has(digest));
  // With the digest, other images that lie there by now are refused.
  return identify(corpus ? { source: corpus.source, digest: (dataDigest as string | undefined) ?? corpus.digest } : asked);
}

/** An error about images that were not named, but are those of the models: says where they were looked for. Others as they are. */
export function aboutData(error: unknown, { source }: DataReference, place: string, { data, dataDigest }: OptionValues): unknown {
  if (data !== undefined || dataDigest !== undefined || !(error instanceof UserError)) return error;
  if (!error.field.startsWith('loadImages: ') && error.field !== `images: ${source}`) return error;
  const path = NAMED_DATA.includes(source) ? source : resolve(source);
  const finding = NAMED_DATA.includes(source) || existsSync(path) ? `which ${error.rule}` : 'where nothing is';
  return new UserError(`${place}: --data`, `must name where the images are now (looked at ${path}, ${finding})`, data, { cause: error });
}
