/** Reads a language model that lies beside its description, `NAME.json` and `NAME.safetensors`, as the shipped policy models do. For tests. */
import { readFileSync } from 'node:fs';
import { readSafetensors } from '../../formats/safetensors.ts';
import { parseLanguageModel, type LanguageModel } from '../languageModel.ts';

/** @param path without its ending @param told fields of the description that are not the model's, by name */
export function readStoredModel<Name extends string>(
  path: string,
  told: readonly Name[],
): { model: LanguageModel; told: Record<Name, unknown> } {
  const described = JSON.parse(readFileSync(`${path}.json`, 'utf8')) as Record<string, unknown>;
  const own = Object.fromEntries(Object.entries(described).filter(([name]) => !told.includes(name as Name)));
  const { tensors } = readSafetensors(readFileSync(`${path}.safetensors`), path);
  const parameters = Object.fromEntries([...tensors].map(([name, { data }]) => [name, data]));
  return {
    model: parseLanguageModel(path, { ...own, parameters }),
    told: Object.fromEntries(told.map((name) => [name, described[name]])) as Record<Name, unknown>,
  };
}
