/** The training step of a transformer that answers prompts: cross-entropy at the last position, as a graph over tables of prompts and labels. */
import { symbol } from '../graph/dimension.ts';
import { Graph } from '../graph/graph.ts';
import type { Program } from '../graph/program.ts';
import type { Value } from '../graph/value.ts';
import { parameterInputs, type ParameterSpec } from '../models/parameters.ts';
import { causalMask, checkRoles, transformer, transformerParameters, type TransformerConfig } from '../models/transformer.ts';
import { gather, reshape, slice, sum } from '../ops/index.ts';
import { crossEntropy } from './objectives/crossEntropy.ts';
import { stepProgram } from './stepProgram.ts';

export interface PromptShape {
  /** Prompts in the tables `tokens` int32 [count, length] and `labels` int32 [count]. */
  readonly count: number;
  readonly length: number;
  /** The role of every position, where the config has roles. */
  readonly roles?: Int32Array;
}

export interface PromptStep {
  readonly program: Program;
  /** The loss itself, a sum over rows, for diagnosis. */
  readonly loss: Value;
  readonly trained: readonly ParameterSpec[];
  readonly frozen: readonly ParameterSpec[];
}

/** @param trains which parameters, by name */
export function promptStep(
  config: TransformerConfig,
  { count, length, roles }: PromptShape,
  trains: (name: string) => boolean,
): PromptStep {
  if (roles) checkRoles(config, roles);
  const graph = new Graph();
  const specs = transformerParameters(config);
  const trained = specs.filter(({ name }) => trains(name));
  const frozen = specs.filter(({ name }) => !trains(name));
  const parameters = parameterInputs(graph, specs);
  const index = graph.input('index', [symbol('rows')], 'int32');
  const logits = transformer(config, parameters, {
    tokens: gather(graph.input('tokens', [count, length], 'int32'), index),
    positions: graph.constant(
      Int32Array.from({ length }, (_, i) => i),
      [length],
    ),
    mask: graph.constant(causalMask(length), [length, length]),
    ...(roles && { roles: graph.constant(roles, [length]) }),
  });
  const last = reshape(slice(logits, 1, length - 1, length), [index.shape[0], config.vocabulary]);
  const loss = sum(crossEntropy(last, gather(graph.input('labels', [count], 'int32'), index)));
  return { program: stepProgram(loss, trained, parameters), loss, trained, frozen };
}
