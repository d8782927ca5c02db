/** A model of a session as the bytes of files that others read: safetensors, ONNX, a Python module. */
import { basename, extname } from 'node:path';
import type { Form } from '../../engine/analyses/forward.ts';
import { formsOf, onnxModel } from '../../engine/export/onnxModel.ts';
import { pythonModel } from '../../engine/export/pythonModel.ts';
import { dense } from '../../engine/formats/denseArray.ts';
import { writeNpz } from '../../engine/formats/npz.ts';
import { writeSafetensors } from '../../engine/formats/safetensors.ts';
import { UserError } from '../../engine/base/errors.ts';
import type { ClassifierModel } from '../../engine/models/classifier.ts';
import { modelTensors } from './modelTensors.ts';
import type { OutputFile } from './writeFiles.ts';

export interface ExportedModel {
  readonly digest: string;
  readonly title: string;
  readonly model: ClassifierModel;
}

/** All tensors, the base's and the adapter's, with what the model is as metadata. */
export function safetensorsFile({ digest, title, model }: ExportedModel): Uint8Array {
  const { widths, angles, seed, architecture, adapter } = model;
  const tensors = Object.fromEntries(modelTensors(model).map(({ name, shape, data }) => [name, dense(data, shape)]));
  return writeSafetensors(tensors, {
    title,
    digest,
    architecture,
    widths: widths.join(','),
    angles: angles.join(','),
    seed: String(seed),
    ...(adapter && {
      adapter: adapter.id,
      modes: adapter.angles.join(','),
      ...(adapter.temperature.length > 0 && { temperature: adapter.temperature.join(',') }),
    }),
  });
}

/** @param form the one it was trained in unless given */
export function onnxFile({ digest, title, model }: ExportedModel, form: Form = formsOf(model)[0]): Uint8Array {
  return onnxModel(model, form, { title, digest });
}

/** The module and, beside it under the same name, its weights. @param path of the module, `….py` */
export function pythonFiles({ digest, title, model }: ExportedModel, path: string): OutputFile[] {
  if (extname(path) !== '.py') throw new UserError('export: --output', 'must end in .py', path);
  const { text, arrays } = pythonModel(model, { name: basename(path, '.py'), title: `${title} (${digest.slice(0, 12)})` });
  return [
    { path, content: text },
    { path: path.replace(/\.py$/, '.npz'), content: writeNpz(arrays) },
  ];
}
