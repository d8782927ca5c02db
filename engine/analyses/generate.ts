/**
 * Text a language model goes on with, token by token. Greedy: the likeliest token each time, the first of equals.
 *
 * Where the next logits come from is exchangeable: here from a forward of everything so far, which needs nothing but the model; something that keeps
 * keys and values can stand in its place.
 */
import { throwIfCancelled, UserError } from '../base/errors.ts';
import type { Executor, Feeds } from '../execute/executor.ts';
import { minus, symbol } from '../graph/dimension.ts';
import { Graph } from '../graph/graph.ts';
import { program } from '../graph/program.ts';
import type { LanguageModel } from '../models/languageModel.ts';
import { parameterInputs } from '../models/parameters.ts';
import { causalMask, transformer, transformerInputs, transformerParameters } from '../models/transformer.ts';
import { slice } from '../ops/index.ts';

/** Logits of the token that follows, for prompts that grow. */
export interface NextLogits {
  /** @param tokens all so far, at least one @returns [vocabulary] */
  next(tokens: Int32Array): Float32Array;
  dispose(): void;
}

/** A forward of the whole prompt each time. */
export function wholeForwards(executor: Executor, { config, parameters }: LanguageModel): NextLogits {
  if (config.roles) throw new UserError('generate: model', 'must have no roles: what is generated has none', config.roles);
  const graph = new Graph();
  const specs = transformerParameters(config);
  const positions = symbol('positions');
  const logits = transformer(config, parameterInputs(graph, specs), transformerInputs(config, graph, symbol('rows'), positions));
  const executable = executor.compile(program({ next: slice(logits, 1, minus(positions, 1), positions) }));
  const weights: Feeds = Object.fromEntries(specs.map(({ name, shape }) => [name, { data: parameters[name], shape }]));
  return {
    next(tokens) {
      const { length } = tokens;
      const { next } = executable.run({
        ...weights,
        tokens: { data: tokens, shape: [1, length] },
        positions: { data: Int32Array.from({ length }, (_entry, i) => i), shape: [length] },
        mask: { data: causalMask(length), shape: [length, length] },
      });
      return next.data as Float32Array;
    },
    dispose: () => executable.dispose(),
  };
}

export interface GreedyOptions {
  /** Nothing follows this token. */
  readonly end?: number;
  readonly source?: (executor: Executor, model: LanguageModel) => NextLogits;
  readonly signal?: AbortSignal;
}

/**
 * The tokens that follow `tokens`, `count` of them or up to and with `end`.
 * @throws UserError for an empty prompt, a token the model does not know, or more tokens than it has positions for
 */
export function greedy(
  executor: Executor,
  model: LanguageModel,
  tokens: ArrayLike<number>,
  count: number,
  { end, source = wholeForwards, signal }: GreedyOptions = {},
): Int32Array {
  const { vocabulary, positions } = model.config;
  const begun = tokens.length;
  if (!Number.isInteger(count) || count < 0) throw new UserError('greedy: count', 'must be an integer ≥ 0', count);
  // The last token is not read any more.
  if (begun < 1 || begun + count - 1 > positions)
    throw new UserError('greedy: tokens', `must be at least one, and ${positions + 1} at most with those that follow`, begun + count);
  const wrong = Array.from(tokens).find((token) => !Number.isInteger(token) || token < 0 || token >= vocabulary);
  if (wrong !== undefined) throw new UserError('greedy: tokens', `must be integers in [0, ${vocabulary - 1}]`, wrong);
  const all = new Int32Array(begun + count);
  all.set(tokens);
  let length = begun;
  const logits = source(executor, model);
  try {
    while (length < all.length && (length === begun || all[length - 1] !== end)) {
      throwIfCancelled(signal);
      all[length] = likeliest(logits.next(all.slice(0, length)));
      length++;
    }
  } finally {
    logits.dispose();
  }
  return all.slice(begun, length);
}

function likeliest(logits: Float32Array): number {
  let best = 0;
  for (let token = 1; token < logits.length; token++) if (logits[token] > logits[best]) best = token;
  return best;
}
