/** A language model as an ONNX file that stands alone: its weights inside, tokens in, logits out. Where it is written to is not its business. */
import { UserError } from '../base/errors.ts';
import { symbol } from '../graph/dimension.ts';
import { Graph } from '../graph/graph.ts';
import { writeOnnx } from '../graph/onnx.ts';
import { program } from '../graph/program.ts';
import type { LanguageModel } from '../models/languageModel.ts';
import { parameterInputs } from '../models/parameters.ts';
import { transformer, transformerInputs, transformerParameters } from '../models/transformer.ts';

/** Protocol buffers end at 2 GiB; what is not weights takes far less than the difference. */
const MOST_WEIGHT_BYTES = 2 ** 31 - 2 ** 24;

/**
 * Inputs `tokens` int32 [rows, positions]; `mask` float32 [positions, positions], added to the scores of [query, key]: 0 where it may look, −1e9 or
 * less where not; where the model uses them `positions` int32 [positions] (0, 1, 2, …) and `roles` int32 [positions], numbered as the metadata say.
 * Output `logits` float32 [rows, positions, vocabulary]. By standard operations alone.
 * @param metadata more of what there is to know of the model
 * @throws UserError for more weights than the format takes
 */
export function languageOnnx(
  { config, parameters, origin, tokens }: LanguageModel,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const graph = new Graph();
  const specs = transformerParameters(config);
  const inputs = transformerInputs(config, graph, symbol('rows'), symbol('positions'));
  const compiled = program({ logits: transformer(config, parameterInputs(graph, specs), inputs) });
  const shapes = new Map(specs.map(({ name, shape }) => [name, shape]));
  const initializers = Object.fromEntries(
    [...compiled.inputs.keys()].flatMap((name) => {
      const shape = shapes.get(name);
      return shape ? [[name, { data: parameters[name], shape }]] : [];
    }),
  );
  const bytes = Object.values(initializers).reduce((total, { data }) => total + data.byteLength, 0);
  if (bytes > MOST_WEIGHT_BYTES) throw new UserError('onnx: weights', `must take at most ${MOST_WEIGHT_BYTES} bytes`, bytes);
  return writeOnnx(compiled, {
    target: 'portable',
    initializers,
    metadata: {
      ...metadata,
      config: JSON.stringify(config),
      origin: JSON.stringify(origin),
      ...(config.roles && { roles: config.roles.join(',') }),
      ...(tokens && { tokens: JSON.stringify(tokens) }),
    },
  });
}
