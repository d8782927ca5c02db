/** What findings call the models of a session: by the titles they had when they were measured, which the result keeps with their digests. */
import type { Model, ResultEntry } from '../../../../main/host/hostApi.ts';
import type { Wanted } from '../../../state/results.svelte.ts';

/** Of a model in findings. */
export type Naming = (wanted: Wanted | undefined, model: Pick<Model, 'digest' | 'title'>) => string;

/** A model that the result does not name goes by its title. */
export const namingBy =
  (results: readonly Pick<ResultEntry, 'key' | 'models'>[]): Naming =>
  (wanted, { digest, title }) => {
    const key = wanted && 'key' in wanted ? wanted.key : undefined;
    return results.find((result) => result.key === key)?.models.find((model) => model.digest === digest)?.label ?? title;
  };
