/** A language model as the bytes of files that others read: its weights by TransformerLens's names, with its config beside them. */
import { UserError } from '../../engine/base/errors.ts';
import { languageOnnx } from '../../engine/export/languageOnnx.ts';
import { dense } from '../../engine/formats/denseArray.ts';
import { writeSafetensors } from '../../engine/formats/safetensors.ts';
import type { LanguageModel } from '../../engine/models/languageModel.ts';
import { transformerParameters } from '../../engine/models/transformer.ts';
import type { OutputFile } from './writeFiles.ts';

export interface ExportedLanguageModel {
  readonly digest: string;
  readonly title: string;
  readonly model: LanguageModel;
}

/** Matrices are [in, out]; the metadata hold the config as JSON, and the names of the tokens if they have any. */
export function languageSafetensors({
  digest,
  title,
  model: { architecture, config, parameters, origin, tokens },
}: ExportedLanguageModel): Uint8Array {
  const tensors = Object.fromEntries(transformerParameters(config).map(({ name, shape }) => [name, dense(parameters[name], shape)]));
  return writeSafetensors(tensors, {
    title,
    digest,
    architecture,
    config: JSON.stringify(config),
    origin: JSON.stringify(origin),
    ...(tokens && { tokens: JSON.stringify(tokens) }),
  });
}

/** One line: config, origin, tokens, and every parameter with its shape and numbers. */
export function languageJson({ digest, title, model: { parameters, ...plain } }: ExportedLanguageModel): string {
  const shapes = new Map(transformerParameters(plain.config).map(({ name, shape }) => [name, shape]));
  const tensors = Object.fromEntries(
    Object.entries(parameters).map(([name, data]) => [name, { shape: shapes.get(name), data: Array.from(data) }]),
  );
  return `${JSON.stringify({ title, digest, ...plain, parameters: tensors })}\n`;
}

/** @param place who asks, for the error @throws UserError for a format that language models have not */
export function languageModelFile(exported: ExportedLanguageModel, format: string, path: string, place: string): OutputFile {
  if (format === 'safetensors') return { path, content: languageSafetensors(exported) };
  if (format === 'json') return { path, content: languageJson(exported) };
  if (format === 'onnx') return { path, content: languageOnnx(exported.model, { title: exported.title, digest: exported.digest }) };
  throw new UserError(place, 'must be safetensors, onnx or json for a language model', format);
}
