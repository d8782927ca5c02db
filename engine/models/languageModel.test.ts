/** Language models as plain data: what is taken, and what is refused with its field, rule and value. */
import { describe, expect, test } from 'vitest';
import { UserError } from '../base/errors.ts';
import { Random } from '../base/random.ts';
import { parseLanguageModel, type LanguageModel } from './languageModel.ts';
import { initialise } from './parameters.ts';
import { BASE, options } from './testing/options.ts';
import { transformerParameters, type TransformerConfig } from './transformer.ts';

const modelOf = (config: TransformerConfig): LanguageModel => ({
  architecture: 'transformer',
  config: config as LanguageModel['config'],
  parameters: initialise(transformerParameters(config), new Random(1)),
  origin: { kind: 'trained', name: 'recipe', seed: 1, details: { steps: 900 } },
});

describe('every option is plain data', () => {
  test.each(Object.entries(options))('%s', (_name, option) => {
    const model = modelOf({ ...BASE, ...option });
    const config: unknown = JSON.parse(JSON.stringify(model.config));
    expect(parseLanguageModel('model', { ...model, config })).toEqual(model);
  });
});

describe('wrong models are refused', () => {
  const model = modelOf(BASE);
  const { 'blocks.1.attn.W_Q': matrix, ...others } = model.parameters;
  const withNaN = matrix.slice().fill(NaN, 7, 8);
  test.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /^model must be|^model: |Invalid/],
    ['another architecture', { ...model, architecture: 'mamba' }, /^model: architecture must be "transformer", got "mamba"$/],
    ['an unknown option', { ...model, config: { ...BASE, window: 4 } }, /^model: config: fields must be known, got \[window\]$/],
    ['a size that is no number', { ...model, config: { ...BASE, heads: '4' } }, /^model: config\.heads must be an integer.* got "4"$/],
    [
      'options that do not go together',
      { ...model, config: { ...BASE, keyValueHeads: 3 } },
      /^transformer: keyValueHeads must divide the heads 4/,
    ],
    [
      'a parameter that is missing',
      { ...model, parameters: others },
      /^model: parameters\.blocks\.1\.attn\.W_Q must hold 64 numbers, got undefined$/,
    ],
    ['a parameter of another model', { ...model, config: { ...BASE, tied: true } }, /^model: parameters must be of .* got "unembed\.W_U"$/],
    [
      'weights that are no numbers',
      { ...model, parameters: { ...others, 'blocks.1.attn.W_Q': withNaN } },
      /blocks\.1\.attn\.W_Q\[7\] must be a finite number, got NaN/,
    ],
    [
      'weights in double precision',
      { ...model, parameters: { ...others, 'blocks.1.attn.W_Q': new Float64Array(64) } },
      /must be a Float32Array/,
    ],
    [
      'an unknown origin',
      { ...model, origin: { kind: 'found' } },
      /^model: origin\.kind must be "compiled", "trained" or "loaded", got "found"$/,
    ],
    ['names for some tokens', { ...model, tokens: ['a'] }, /^model: tokens must name each of the 11 tokens, got 1$/],
  ])('%s', (_name, wrong, message) => {
    expect(() => parseLanguageModel('model', wrong)).toThrow(UserError);
    expect(() => parseLanguageModel('model', wrong)).toThrow(message);
  });
});
