/** Tokenizers: a byte-pair vocabulary worked by hand; what is missing or hostile is refused; the real one against the text of its greedy run. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../base/errors.ts';
import { shared } from '../../base/testing/shared.ts';
import { folderOf } from './testing/checkpoints.ts';
import { settings, tokenizerJson } from './testing/tokenizers.ts';
import { makeTokenizer, readTokenizer } from './tokenizer.ts';

const tokenizer = makeTokenizer(tokenizerJson, settings);

describe('a tokenizer', () => {
  test('merges as its ranks say, falls back to bytes, and marks the beginning where asked', () => {
    // ▁ a b: "ab" merges first (rank 0), then ▁ with it (rank 1); é has no token and is two bytes.
    expect([...tokenizer.encode('ab')]).toEqual([1, 8]);
    expect([...tokenizer.encode('ab', false)]).toEqual([8]);
    expect([...tokenizer.encode('ba', false)]).toEqual([4, 6, 5]);
    expect([...tokenizer.encode('é', false)]).toEqual([4, 9, 10]);
    expect([...tokenizer.encode('')]).toEqual([1]);
    expect([...tokenizer.encode('ab</s>', false)]).toEqual([8, 2]);
    // Neither byte of ☃ is here.
    expect([...tokenizer.encode('☃', false)]).toEqual([4, 0]);
  });

  test('decodes, names tokens and knows which are special', () => {
    expect(tokenizer.decode([1, 8, 4, 6])).toBe('ab b');
    expect(tokenizer.decode([1, 8], true)).toBe('<s> ab');
    expect(tokenizer.decode([4, 9, 10])).toBe('é');
    expect(tokenizer.decode([])).toBe('');
    expect([tokenizer.token(8), tokenizer.token(9), tokenizer.token(1)]).toEqual(['▁ab', '<0xC3>', '<s>']);
    expect(tokenizer).toMatchObject({ vocabulary: 11, beginning: 1, end: 2, special: [0, 1, 2], chatTemplate: undefined });
    for (const id of [11, -1, 0.5, NaN]) {
      expect(() => tokenizer.token(id)).toThrow(`tokenizer: token must be in the vocabulary of 11, got ${id}`);
      expect(() => tokenizer.decode([id])).toThrow(UserError);
    }
  });

  test('spaces stay where they are unless the file asks for them to be cleaned up', () => {
    expect(tokenizer.decode(tokenizer.encode('ab  b'))).toBe('ab  b');
  });

  test('a text of a million characters is none', () => {
    expect(() => tokenizer.encode('a'.repeat(2 ** 20 + 1))).toThrow('tokenizer: text must have at most 1048576 characters, got 1048577');
  });

  test.each<[string, Record<string, object>, string]>([
    ['no tokenizer', {}, 'tokenizer: tokenizer.json must exist, got "no such file"'],
    ['one of another kind', { 'tokenizer.model': [] }, 'tokenizer: tokenizer.json must exist, got "tokenizer.model only"'],
    ['no model', { 'tokenizer.json': {} }, 'tokenizer: tokenizer.json: model must be of type BPE or Unigram'],
    ['another model', { 'tokenizer.json': { model: { type: 'WordPiece' } } }, 'model.type must be'],
    [
      'an id without end',
      { 'tokenizer.json': { model: { type: 'BPE', vocab: { a: 1e9 }, merges: [] } } },
      'model.vocab.a must be an integer in [0, 2097151]',
    ],
    [
      'two tokens of an id',
      { 'tokenizer.json': { model: { type: 'BPE', vocab: { a: 0, b: 0 }, merges: [] } } },
      'must give each token an id of its own',
    ],
    ['no token', { 'tokenizer.json': { model: { type: 'BPE', vocab: {}, merges: [] } } }, 'model.vocab must not be empty'],
    [
      'a merge of three',
      { 'tokenizer.json': { model: { type: 'BPE', vocab: { a: 0 }, merges: [['a', 'a', 'a']] } } },
      'model.merges.0 must be a text or a pair',
    ],
    [
      'a part of no kind',
      { 'tokenizer.json': { ...tokenizerJson, normalizer: { type: 'Magic' } } },
      'tokenizer.json must be understood, got "Unknown Normalizer type: Magic"',
    ],
    [
      'settings that are none',
      { 'tokenizer.json': tokenizerJson, 'tokenizer_config.json': [] },
      'tokenizer: tokenizer_config.json must be an object',
    ],
  ])('refuses %s', (_name, files, message) => {
    const folder = folderOf(files);
    expect(() => readTokenizer(folder)).toThrow(UserError);
    expect(() => readTokenizer(folder)).toThrow(message);
  });

  test('parts inside parts without end are refused, not followed', () => {
    const deep = JSON.parse(`${'{"type":"Sequence","normalizers":['.repeat(5000)}${']}'.repeat(5000)}`) as object;
    expect(() => makeTokenizer({ ...tokenizerJson, normalizer: deep }, {})).toThrow('must not be nested more than 64 deep');
  });

  test('the tokenizer of stories260K gives the ids of its own story, and the story back', (context) => {
    const folder = shared(context, 'models/stories260K');
    const { ids, text } = JSON.parse(readFileSync(join(folder, 'golden_greedy256.json'), 'utf8')) as { ids: number[]; text: string };
    const real = readTokenizer(join(folder, 'hf'));
    expect(real).toMatchObject({ vocabulary: 512, beginning: 1, end: 2, special: [0, 1, 2] });
    expect(real.decode(ids)).toBe(text);
    expect([...real.encode(text)]).toEqual([1, ...ids]);
    expect([...real.encode(text, false)]).toEqual(ids);
    expect(() => readTokenizer(join(folder, 'hf-bf16'))).toThrow('tokenizer: tokenizer.json must exist');
  });
});
