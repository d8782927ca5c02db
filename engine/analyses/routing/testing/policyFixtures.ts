/** The trained models of the policy task that ship as fixtures, with the pairs of their own language. For tests. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSafetensors } from '../../../formats/safetensors.ts';
import { parseLanguageModel, type LanguageModel } from '../../../models/languageModel.ts';
import type { PairSet } from '../../../tasks/pairs.ts';
import { policyPairs } from '../../../tasks/policyPairs.ts';
import { policyTask, type PolicyTaskOptions } from '../../../tasks/policyRouting.ts';

export interface PolicyFixture {
  readonly name: string;
  readonly model: LanguageModel;
  readonly pairs: PairSet;
}

const FOLDER = new URL('../../../../fixtures/policy', import.meta.url).pathname;

/** Every model of a folder that makePolicyModels.ts has written; none where there is no folder. */
export function policyFixtures(pairs: number, folder = FOLDER): PolicyFixture[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).flatMap((file) => /^(seed-\d+)\.json$/.exec(file)?.[1] ?? []);
  return names.sort().map((name) => {
    const path = join(folder, name);
    const {
      recipe,
      behaviour: _behaviour,
      digest: _digest,
      ...described
    } = JSON.parse(readFileSync(`${path}.json`, 'utf8')) as Record<string, unknown> & {
      recipe: { task?: PolicyTaskOptions };
    };
    const { tensors } = readSafetensors(readFileSync(`${path}.safetensors`), path);
    const parameters = Object.fromEntries([...tensors].map(([tensor, { data }]) => [tensor, data]));
    const model = parseLanguageModel(path, { ...described, parameters });
    return { name, model, pairs: policyPairs(policyTask(recipe.task), { pairs, seed: 1 }) };
  });
}
