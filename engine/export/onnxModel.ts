/** A classifier as an ONNX file that stands alone: its weights inside, `images` in, `logits` out. Where it is written to is not its business. */
import { UserError } from '../base/errors.ts';
import { feedsOf, tapped, type Form } from '../analyses/forward.ts';
import { writeOnnx } from '../graph/onnx.ts';
import { program } from '../graph/program.ts';
import { adapterOf } from '../models/adapters/index.ts';
import type { ClassifierModel } from '../models/classifier.ts';

/** Protocol buffers end at 2 GiB; what is not weights takes far less than the difference. */
const MOST_WEIGHT_BYTES = 2 ** 31 - 2 ** 24;

/** Forms that a model has, the one it was trained in first. */
export function formsOf({ adapter }: ClassifierModel): readonly Form[] {
  if (!adapter) return ['base'];
  return adapterOf(adapter.id).gated ? ['soft', 'hard', 'base'] : ['soft', 'base'];
}

/**
 * Input `images` float32 [rows, pixels] in [0, 1], output `logits` float32 [rows, classes], by standard operations alone. A context-conditioned
 * adapter has a second input, `modes` float32 [rows, modes] with a single 1 in each row; the modes' angles are in the metadata.
 * @param metadata more of what there is to know of the model
 * @throws UserError for a form that the model has not, or more weights than the format takes
 */
export function onnxModel(model: ClassifierModel, form: Form, metadata: Readonly<Record<string, string>> = {}): Uint8Array {
  const forms = formsOf(model);
  if (!forms.includes(form)) throw new UserError('onnx: form', `must be one of ${forms.join(', ')}, which this model has`, form);
  const compiled = program({ logits: tapped(model, form).logits });
  const feeds = feedsOf(model, form);
  const initializers = Object.fromEntries(
    [...compiled.inputs.keys()].flatMap((name) => (Object.hasOwn(feeds, name) ? [[name, feeds[name]]] : [])),
  );
  const bytes = Object.values(initializers).reduce((total, { data }) => total + data.byteLength, 0);
  if (bytes > MOST_WEIGHT_BYTES) throw new UserError('onnx: weights', `must take at most ${MOST_WEIGHT_BYTES} bytes`, bytes);
  const { adapter } = model;
  return writeOnnx(compiled, {
    target: 'portable',
    initializers,
    metadata: {
      ...metadata,
      form,
      widths: model.widths.join(','),
      angles: model.angles.join(','),
      ...(adapter && form !== 'base' && { adapter: adapter.id, modes: adapter.angles.join(',') }),
    },
  });
}
