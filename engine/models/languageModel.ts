/**
 * A language model as plain data: config, parameters, where they come from. What analyses are asked about and what a session keeps; how it
 * is computed is transformer.ts's business.
 */
import { z } from 'zod';
import { UserError } from '../base/errors.ts';
import { between, parseWith, tensors, wholeBetween } from '../base/schema.ts';
import { checkTensors } from './parameters.ts';
import { checkTransformer, transformerParameters } from './transformer.ts';

const size = wholeBetween(1, 1 << 24);
const flags = z.array(z.boolean('must be true or false'), 'must be a list of true and false');

const factor = between(Number.MIN_VALUE, 1e12);
const rotaryScaling = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('linear'), factor }),
  z.strictObject({ kind: z.literal('llama3'), factor, low: factor, high: factor, original: factor }),
]);

/** The fields of a TransformerConfig; how they go together is checkTransformer's to say. */
export const transformerConfig = z.strictObject({
  vocabulary: size,
  positions: size,
  width: size,
  heads: size,
  layers: wholeBetween(1, 1 << 10),
  mlp: size,
  headWidth: size.exactOptional(),
  keyValueHeads: size.exactOptional(),
  normalisation: z.enum(['layer', 'rms', 'none'], 'must be "layer", "rms" or "none"').exactOptional(),
  epsilon: between(Number.MIN_VALUE, 1).exactOptional(),
  positional: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('learned') }),
      z.strictObject({ kind: z.literal('rotary'), base: between(1e-6, 1e12), scaling: rotaryScaling.exactOptional() }),
      z.strictObject({ kind: z.literal('none') }),
    ])
    .exactOptional(),
  activation: z.enum(['gelu', 'silu-gated', 'relu'], 'must be "gelu", "silu-gated" or "relu"').exactOptional(),
  tied: z.boolean('must be true or false').exactOptional(),
  biases: z.boolean('must be true or false').exactOptional(),
  scale: between(Number.MIN_VALUE, 1e12).exactOptional(),
  roles: z.array(z.string('must be a name'), 'must be a list of names').exactOptional(),
  reads: z.array(z.array(z.array(flags))).exactOptional(),
  writes: z.array(z.strictObject({ attention: flags, mlp: flags })).exactOptional(),
  headGate: z.boolean('must be true or false').exactOptional(),
  experts: z.strictObject({ count: size, chosen: size }).exactOptional(),
  exit: z.strictObject({ after: wholeBetween(0, 1 << 10), threshold: between(0, 1) }).exactOptional(),
});

export const languageModel = z.strictObject({
  architecture: z.literal('transformer', 'must be "transformer"'),
  config: transformerConfig,
  /** Float32 tensors by the names of transformerParameters. */
  parameters: tensors,
  origin: z.strictObject({
    /** Written by hand, trained here, or read from files. */
    kind: z.enum(['compiled', 'trained', 'loaded'], 'must be "compiled", "trained" or "loaded"'),
    /** What it is called there: a recipe, a folder. */
    name: z.string('must be a text').optional(),
    seed: wholeBetween(0, Number.MAX_SAFE_INTEGER).optional(),
    /** Whatever else is worth keeping of how it was made. */
    details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
  }),
  /** Names of the vocabulary, where the tokens of a task have names. */
  tokens: z.array(z.string('must be a name'), 'must be a list of names').optional(),
});

export type LanguageModel = z.output<typeof languageModel>;

/** @throws UserError naming the field, the rule and the value, also where tensors do not fit the config */
export function parseLanguageModel(place: string, value: unknown): LanguageModel {
  const model = parseWith(languageModel, place, value);
  checkLanguageModel(place, model);
  return model;
}

/** What a schema cannot say: that options go together, that tensors are those of the config, and that they are numbers. */
export function checkLanguageModel(place: string, { config, parameters, tokens }: LanguageModel): void {
  checkTransformer(config);
  checkTensors(`${place}: parameters`, transformerParameters(config), parameters);
  for (const [name, data] of Object.entries(parameters)) {
    const wrong = data.findIndex((entry) => !Number.isFinite(entry));
    if (wrong >= 0) throw new UserError(`${place}: parameters.${name}[${wrong}]`, 'must be a finite number', data[wrong]);
  }
  if (tokens && tokens.length !== config.vocabulary)
    throw new UserError(`${place}: tokens`, `must name each of the ${config.vocabulary} tokens`, tokens.length);
}
