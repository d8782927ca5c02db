/** The trained models of the policy task that ship as fixtures, with the pairs of their own language. For tests. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { LanguageModel } from '../../../models/languageModel.ts';
import { readStoredModel } from '../../../models/testing/storedModel.ts';
import type { PairSet } from '../../../tasks/pairs.ts';
import { policyPairs } from '../../../tasks/policyPairs.ts';
import { policyTask, type PolicyTaskOptions } from '../../../tasks/policyRouting.ts';

export interface PolicyFixture {
  readonly name: string;
  readonly model: LanguageModel;
  readonly pairs: PairSet;
}

const FOLDER = new URL('../../../../fixtures/policy', import.meta.url).pathname;

/** Every model that ships: makePolicyModels.ts has written them. */
export function policyFixtures(pairs: number): PolicyFixture[] {
  const names = readdirSync(FOLDER).flatMap((file) => /^(seed-\d+)\.json$/.exec(file)?.[1] ?? []);
  return names.sort().map((name) => {
    const { model, told } = readStoredModel(join(FOLDER, name), ['recipe', 'behaviour', 'digest']);
    const { task } = told.recipe as { task?: PolicyTaskOptions };
    return { name, model, pairs: policyPairs(policyTask(task), { pairs, seed: 1 }) };
  });
}
