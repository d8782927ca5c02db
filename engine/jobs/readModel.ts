/** Loads a checkpoint and says what it is: the digest that requests then name, its config, what it takes. */
import { z } from 'zod';
import { parseWith } from '../base/schema.ts';
import type { JobKind } from '../contract.ts';
import { languageModelDigest } from '../formats/languageModelDigest.ts';
import type { LanguageModel } from '../models/languageModel.ts';
import { modelReference, resolveModel } from './modelReference.ts';

const schema = z.strictObject({ model: modelReference });

/** A language model without its weights. */
export interface ModelSummary extends Pick<LanguageModel, 'architecture' | 'config' | 'origin'> {
  readonly folder: string;
  readonly digest: string;
  /** Numbers it is made of. */
  readonly parameters: number;
}

export const readModel: JobKind<z.output<typeof schema>, ModelSummary> = {
  id: 'readModel',
  version: 1,
  keeps: 'nothing',
  parse: (given) => parseWith(schema, 'readModel', given),
  async run({ model: reference }, context) {
    const model = await resolveModel('model', reference, context);
    const { architecture, config, origin, parameters } = model;
    const count = Object.values(parameters).reduce((sum, { length }) => sum + length, 0);
    return { folder: reference.folder, digest: languageModelDigest(model), architecture, config, origin, parameters: count };
  },
};
