/** Greedy generation: against the argmax of plain loops token by token; where it ends; what may give the logits instead; what is refused. */
import { afterAll, describe, expect, test } from 'vitest';
import { Cancelled, UserError } from '../base/errors.ts';
import { Random } from '../base/random.ts';
import { OnnxRuntimeExecutor } from '../execute/onnxruntime.ts';
import { TensorFlowExecutor } from '../execute/tensorflow.ts';
import type { LanguageModel } from '../models/languageModel.ts';
import { plainTransformer } from '../models/testing/plainTransformer.ts';
import { initialise, type ParameterSpec } from '../models/parameters.ts';
import { transformerParameters, type TransformerConfig } from '../models/transformer.ts';
import { greedy, type NextLogits } from './generate.ts';

const onnx = new OnnxRuntimeExecutor({ cacheBytes: 0 });
afterAll(() => onnx.dispose());

const config: TransformerConfig = {
  vocabulary: 13,
  positions: 12,
  width: 16,
  heads: 2,
  layers: 2,
  mlp: 12,
  positional: { kind: 'rotary', base: 50 },
};
const wide = (spec: ParameterSpec): ParameterSpec => ({ ...spec, initialiser: { kind: 'normal', deviation: 0.6 } });
const model: LanguageModel = {
  architecture: 'transformer',
  config: config as LanguageModel['config'],
  parameters: initialise(transformerParameters(config).map(wide), new Random(17)),
  origin: { kind: 'compiled' },
};

/** The likeliest token each time, by plain loops. */
function expected(tokens: readonly number[], count: number): number[] {
  const all = [...tokens];
  while (all.length < tokens.length + count) {
    const logits = plainTransformer(config, model.parameters, all).logits.at(-1)!;
    all.push(logits.indexOf(Math.max(...logits)));
  }
  return all.slice(tokens.length);
}

describe('greedy', () => {
  test('takes the likeliest token, as plain loops do, on both executors', () => {
    const found = expected([3, 1], 11);
    expect(new Set(found).size).toBeGreaterThan(3);
    for (const executor of [onnx, new TensorFlowExecutor()]) expect([...greedy(executor, model, [3, 1], 11)]).toEqual(found);
  });

  test('ends with the token that ends', () => {
    const found = expected([3, 1], 11);
    const end = found[4];
    expect([...greedy(onnx, model, [3, 1], 11, { end })]).toEqual(found.slice(0, found.indexOf(end) + 1));
    // One in the prompt ends nothing.
    expect([...greedy(onnx, model, [end, 1], 1, { end: 1 })]).toHaveLength(1);
    expect([...greedy(onnx, model, [1], 0)]).toEqual([]);
  });

  test('the first of equals, from whatever gives logits, which is let go of in the end', () => {
    let [asked, disposed] = [[] as number[][], 0];
    const source = (): NextLogits => ({
      next: (tokens) => {
        asked.push([...tokens]);
        if (tokens.length === 4) throw new Cancelled();
        return Float32Array.of(0, 2, 1, 2);
      },
      dispose: () => disposed++,
    });
    expect([...greedy(onnx, model, [7], 3, { source })]).toEqual([1, 1, 1]);
    expect([asked, disposed]).toEqual([[[7], [7, 1], [7, 1, 1]], 1]);
    asked = [];
    expect(() => greedy(onnx, model, [7], 9, { source })).toThrow(Cancelled);
    expect(disposed).toBe(2);
  });

  test.each<[string, number[], number, string]>([
    ['an empty prompt', [], 1, 'greedy: tokens must be at least one'],
    ['more than there are positions for', [1, 2], 12, 'greedy: tokens must be at least one, and 13 at most with those that follow, got 14'],
    ['an unknown token', [13], 1, 'greedy: tokens must be integers in [0, 12], got 13'],
    ['half a token', [0.5], 1, 'greedy: tokens must be integers'],
    ['a negative count', [1], -1, 'greedy: count must be an integer ≥ 0, got -1'],
  ])('refuses %s', (_name, tokens, count, message) => {
    expect(() => greedy(onnx, model, tokens, count)).toThrow(UserError);
    expect(() => greedy(onnx, model, tokens, count)).toThrow(message);
  });

  test('stops when called off', () => {
    expect(() => greedy(onnx, model, [1], 1, { signal: AbortSignal.abort() })).toThrow(Cancelled);
  });
});
