/** Norms as trained ones are: fresh ones have a gain of 1 and a bias of 0, under which a forgotten gain goes unseen. For tests. */
import { Random } from '../../../base/random.ts';
import type { LanguageModel } from '../../../models/languageModel.ts';

export function unevenNorms(model: LanguageModel, seed = 9): LanguageModel {
  const random = new Random(seed);
  const parameters = Object.fromEntries(
    Object.entries(model.parameters).map(([name, data]) => [
      name,
      /(^|\.)ln\w*\.[wb]$/.test(name) ? data.map((value) => value + 0.5 * random.normal()) : data,
    ]),
  );
  return { ...model, parameters };
}
