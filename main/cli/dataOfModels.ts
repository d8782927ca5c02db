/** On which images models are adapted and analysed: those they were trained on, unless others are named. */
import type { OptionValues } from 'commander';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { UserError } from '../../engine/base/errors.ts';
import type { DataReference } from '../../engine/tasks/dataReference.ts';
import { namedData } from '../host/describe/data.ts';
import { dataOfModels } from '../host/dataOfModels.ts';
import type { ModelRow } from '../store/models.ts';
import { dataSource } from './common.ts';
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
  const own = dataOfModels(session, models, `${place}: --data`);
  return identify(own ? { ...own, digest: (dataDigest as string | undefined) ?? own.digest } : asked);
}

/** An error about images that were not named, but are those of the models: says where they were looked for. Others as they are. */
export function aboutData(error: unknown, { source }: DataReference, place: string, { data, dataDigest }: OptionValues): unknown {
  if (data !== undefined || dataDigest !== undefined || !(error instanceof UserError)) return error;
  if (!error.field.startsWith('loadImages: ') && error.field !== `images: ${source}`) return error;
  const path = namedData.includes(source) ? source : resolve(source);
  const finding = namedData.includes(source) || existsSync(path) ? `which ${error.rule}` : 'where nothing is';
  return new UserError(`${place}: --data`, `must name where the images are now (looked at ${path}, ${finding})`, data, { cause: error });
}
