/** The file that stands alone, run by ONNX Runtime on its own: the numbers of our executor, for the options that change how a model is computed. */
import { afterAll, expect, test } from 'vitest';
import { expectClose } from '../base/testing/closeTo.ts';
import { Random } from '../base/random.ts';
import { bindSession, OnnxRuntimeExecutor, openSession } from '../execute/onnxruntime.ts';
import { symbol } from '../graph/dimension.ts';
import { Graph } from '../graph/graph.ts';
import { program } from '../graph/program.ts';
import type { LanguageModel } from '../models/languageModel.ts';
import { initialise, parameterInputs } from '../models/parameters.ts';
import { plantedCircuit } from '../models/plantedCircuit.ts';
import { causalMask, transformer, transformerInputs, transformerParameters, type TransformerConfig } from '../models/transformer.ts';
import { policyTask, rolesOfPrompt } from '../tasks/policyRouting.ts';
import { languageOnnx } from './languageOnnx.ts';

const executor = new OnnxRuntimeExecutor({ cacheBytes: 0 });
afterAll(() => executor.dispose());

/** Standard operations stand in for some of the runtime's own, and round elsewhere. */
const ROUNDING = { relative: 1e-6, absolute: 1e-6 };

const small = { vocabulary: 13, positions: 8, width: 12, heads: 3, layers: 2, mlp: 10 };
const drawn = (config: TransformerConfig): LanguageModel => ({
  architecture: 'transformer',
  config: config as LanguageModel['config'],
  parameters: initialise(transformerParameters(config), new Random(2)),
  origin: { kind: 'trained' },
});
const planted = (): LanguageModel => {
  const { config, parameters } = plantedCircuit(policyTask({ topics: 6, high: 2, middle: 1, keys: 1 }));
  return { ...drawn(small), config: config as LanguageModel['config'], parameters: { ...parameters } };
};

test.each<[string, LanguageModel]>([
  ['as GPT-2 is', drawn(small)],
  [
    'as Llama is',
    drawn({
      ...small,
      headWidth: 4,
      normalisation: 'rms',
      positional: { kind: 'rotary', base: 100 },
      activation: 'silu-gated',
      tied: true,
      biases: false,
    }),
  ],
  ['with a gate after attention and experts', drawn({ ...small, headGate: true, experts: { count: 3, chosen: 1 } })],
  ['with an early exit', drawn({ ...small, exit: { after: 0, threshold: 0.1 } })],
  ['with masks by role', planted()],
])('%s', (_name, model) => {
  const { config, parameters } = model;
  const [rows, length] = [3, 8];
  const tokens = Int32Array.from({ length: rows * length }, (_, i) => (i * 7 + 3) % config.vocabulary);
  const given = {
    tokens: { data: tokens, shape: [rows, length], dtype: 'int32' as const },
    mask: { data: causalMask(length), shape: [length, length], dtype: 'float32' as const },
    positions: { data: Int32Array.from({ length }, (_, i) => i), shape: [length], dtype: 'int32' as const },
    roles: { data: rolesOfPrompt(), shape: [length], dtype: 'int32' as const },
  };
  const graph = new Graph();
  const specs = transformerParameters(config);
  const inputs = transformerInputs(config, graph, symbol('rows'), symbol('positions'));
  const compiled = program({ logits: transformer(config, parameterInputs(graph, specs), inputs) });
  const own = executor
    .compile(compiled)
    .run({ ...Object.fromEntries(specs.map(({ name, shape }) => [name, { data: parameters[name], shape }])), ...given }).logits;
  const used = Object.fromEntries(Object.entries(given).filter(([name]) => compiled.inputs.has(name)));
  const bytes = languageOnnx(model, { title: 'mine' });
  const alone = bindSession(openSession(bytes), used, { logits: null })().logits;
  expect(alone.dims).toEqual([rows, length, config.vocabulary]);
  expectClose(alone.data as Float32Array, own.data, ROUNDING, 'logits');
  expect(Buffer.from(bytes).toString('latin1')).toContain('"vocabulary"');
});
