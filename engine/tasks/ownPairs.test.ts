/** A user's own pairs: each form of file to the same set; tokens against those of the tokenizer; what is unequal or no single token is refused and shown. */
import { describe, expect, test } from 'vitest';
import { UserError } from '../base/errors.ts';
import { settings, tokenizerJson } from '../formats/huggingface/testing/tokenizers.ts';
import { makeTokenizer } from '../formats/huggingface/tokenizer.ts';
import { encodePairs, type EncodeOptions } from './ownPairs.ts';
import { parsePairTexts } from './ownPairsFile.ts';
import { checkPairs } from './pairs.ts';

// ▁ 4, a 5, b 6, ab 7, ▁ab 8; <s> 1 stands before every text.
const tokenizer = makeTokenizer(tokenizerJson, settings);
const bytesOf = (file: unknown) => new Uint8Array(Buffer.from(typeof file === 'string' ? file : JSON.stringify(file)));
const read = (file: unknown, options: Partial<EncodeOptions> = {}) =>
  encodePairs(parsePairTexts(bytesOf(file)), { tokenizer, positions: 16, ...options });

// After 'ab a' a b would become one with the a.
const pair = { sensitive: 'ab b', control: 'ab a', positive: 'a', negative: '?' };

describe('files', () => {
  test.each<[string, unknown]>([
    ['a list', [pair]],
    ['an object of pairs', { pairs: [pair] }],
    ['answers of the file', { pairs: [{ sensitive: pair.sensitive, control: pair.control }], positive: 'a', negative: ['?'] }],
    ['answers of the pair before those of the file', { pairs: [pair], positive: 'ab', negative: 'ab' }],
    ['tokens for answers', [{ ...pair, positive: 5, negative: [3] }]],
    ['AutoCircuit', { prompts: [{ clean: 'ab b', corrupt: 'ab a', answers: ['a'], wrong_answers: ['?'] }], made: 'by hand' }],
    ['CSV', 'sensitive,control,positive,negative\nab b,ab a,a,?\n'],
    ['CSV in another order, with a mark and a column more', '\ufeffnegative,note,control,sensitive,positive\r\n?,"x,y",ab a,ab b,a\r\n'],
    ['EAP-IG', 'clean,corrupted,answer,wrong_answer\nab b,ab a,a,?'],
  ])('%s', (_name, file) => {
    const [{ set, numbers }, ...more] = read(file);
    expect(more).toEqual([]);
    expect(numbers).toEqual([1]);
    expect(set).toEqual({
      pairs: 1,
      length: 4,
      arms: { sensitive: Int32Array.of(1, 8, 4, 6), control: Int32Array.of(1, 8, 4, 5) },
      read: Int32Array.of(3),
      metric: { positive: { count: 1, tokens: Int32Array.of(5) }, negative: { count: 1, tokens: Int32Array.of(3) } },
      content: Int32Array.of(3),
    });
    expect(() => checkPairs(set, tokenizer.vocabulary)).not.toThrow();
  });

  test.each<[string, unknown, string]>([
    ['nothing', '', 'pairs: columns must be sensitive and control, or clean and corrupted, once each, got []'],
    ['no pair', [], 'pairs must hold at least one pair, got 0'],
    ['no pair in columns', 'sensitive,control\n', 'pairs must hold at least one pair'],
    ['a number', '7', 'pairs: columns must be'],
    ['half of an object', '{"pairs":', 'pairs must be JSON'],
    ['no prompt', [{ sensitive: 'a' }], 'pairs: 0.control must be a text, got undefined'],
    ['an empty prompt', { pairs: [{ ...pair, control: '' }] }, 'pairs: pairs.0.control must not be empty'],
    ['a field too many', [{ ...pair, contrl: 'a' }], 'pairs: 0: fields must be known, got [contrl]'],
    ['two columns of one meaning', 'sensitive,clean,control\n', 'once each'],
    ['a row of another length', 'sensitive,control\na,b\na\n', 'pairs: pair 2 must have 2 values, got 1'],
    ['an answer of no kind', [{ ...pair, positive: 0.5 }], 'pairs: 0.positive must be a text, the number of a token'],
    ['other bytes', '\ufffd', 'pairs: columns must be'],
  ])('%s is refused', (_name, file, message) => {
    expect(() => read(file)).toThrow(UserError);
    expect(() => read(file)).toThrow(message);
  });
});

describe('sets', () => {
  test('pairs of one length and one number of answers are together, the shortest first', () => {
    const found = read([
      pair,
      { ...pair, sensitive: 'b', control: 'a' },
      { ...pair, sensitive: 'b b', control: 'b a' },
      { ...pair, negative: ['?', 6] },
      { ...pair, sensitive: 'a', control: 'b' },
    ]);
    expect(found.map(({ set, numbers }) => [set.length, set.metric.negative.count, numbers])).toEqual([
      [3, 1, [2, 5]],
      [4, 1, [1]],
      [4, 2, [4]],
      [5, 1, [3]],
    ]);
    expect([...found[0].set.arms.sensitive]).toEqual([1, 4, 6, 1, 4, 5]);
    expect([...found[0].set.content!]).toEqual([2, 2]);
    expect([...found[2].set.metric.negative.tokens]).toEqual([3, 6]);
  });

  test('the content is where the prompts first differ', () => {
    const { set } = read([{ ...pair, sensitive: 'a?b', control: 'b?a' }])[0];
    expect([set.length, [...set.content!], [...set.read]]).toEqual([5, [2], [4]]);
  });

  test('roles are named once where all pairs agree, topics where all have one', () => {
    const roles = ['start', 'topic', 'topic', 'end'];
    const alike = read({ pairs: [pair, pair].map((one, i) => ({ ...one, topic: `t${i}` })), roles })[0].set;
    expect(alike).toMatchObject({ roles: Int32Array.of(0, 1, 1, 2), roleNames: ['start', 'topic', 'end'] });
    expect(alike.labels).toEqual({ topic: { sensitive: Int32Array.of(0, 1) }, topicNames: ['t0', 't1'] });
    const apart = read({ pairs: [pair, { ...pair, roles: ['start', 'end', 'end', 'end'] }], roles })[0].set;
    expect([...apart.roles!]).toEqual([0, 1, 1, 2, 0, 2, 2, 2]);
    expect(read([pair, { ...pair, roles, topic: 'a' }])[0].set).not.toHaveProperty('roles');
  });

  test('a template stands around every prompt and brings its own marks', () => {
    const found = read({ pairs: [{ ...pair, sensitive: 'a', control: 'b' }], template: '<s>b{prompt}ab' });
    // ▁ b a ab and ▁ b b ab: nothing is put before it.
    expect([...found[0].set.arms.sensitive]).toEqual([...tokenizer.encode('<s>baab', false)]);
    const rendered = read([{ ...pair, sensitive: '??', control: 'b?' }], { render: (prompt) => `b${prompt}?` })[0].set;
    expect([...rendered.arms.control]).toEqual([...tokenizer.encode('bb??', false)]);
    // What would mean something in a pattern is text.
    const signs = read({ pairs: [{ ...pair, sensitive: '$&', control: '?' }], template: 'a{prompt}?' })[0].set;
    expect([...signs.arms.sensitive]).toEqual([4, 5, 0, 3]);
  });

  test('an answer is what it adds after the prompt, with its space or without', () => {
    const found = read([{ ...pair, positive: '?', negative: ' ' }])[0].set;
    expect([found.metric.positive.tokens[0], found.metric.negative.tokens[0]]).toEqual([3, 4]);
  });

  test.each<[string, object, string]>([
    [
      'prompts of unequal length',
      { ...pair, sensitive: 'ab bb' },
      'pairs: pair 1 must have as many tokens in sensitive as in control, got [sensitive 5: <s>|▁ab|▁|b|b, control 4: <s>|▁ab|▁|a]',
    ],
    ['prompts that are the same', { ...pair, sensitive: 'ab a' }, 'pair 1 must have prompts that differ in tokens, got "4: <s>|▁ab|▁|a"'],
    [
      'an answer of two tokens',
      { ...pair, negative: ['?', 'ba'] },
      'pairs: pair 1: negative: "ba" must be a single token after the prompt, got [prompt 4: <s>|▁ab|▁|b, with it 6: <s>|▁ab|▁|b|b|a]',
    ],
    [
      'an answer that becomes one with the prompt',
      { ...pair, positive: 'b' },
      'pairs: pair 1: positive: "b" must be a single token after the prompt, got [prompt 4: <s>|▁ab|▁|a, with it 3: <s>|▁ab|▁ab]',
    ],
    ['no answer', { ...pair, positive: [] }, 'pairs: pair 1: positive must have answers, as the metric is between them'],
    ['an answer twice', { ...pair, positive: ['a', 5] }, 'pairs: pair 1: positive must be different tokens, got 5'],
    ['an answer on both sides', { ...pair, negative: [6, 5] }, 'pairs: pair 1: negative must be no token of positive, got 5'],
    ['a token the model does not have', { ...pair, negative: 11 }, "pairs: pair 1: negative: token must be one of the model's 11, got 11"],
    [
      'roles that are too few',
      { ...pair, roles: ['a', 'b'] },
      'pairs: pair 1: roles must be one for each of the 4 tokens 4: <s>|▁ab|▁|b, got 2',
    ],
    [
      'more tokens than positions',
      { ...pair, sensitive: `a${'?'.repeat(20)}`, control: `b${'?'.repeat(20)}` },
      'pairs: pair 1 must have at most 16 tokens, got 23',
    ],
  ])('%s is refused', (_name, one, message) => {
    expect(() => read([one])).toThrow(UserError);
    expect(() => read([one])).toThrow(message);
  });

  test('a template must have a place for the prompt, and be one', () => {
    expect(() => read({ pairs: [pair], template: 'a' })).toThrow('pairs: template must say {prompt}, got "a"');
    expect(() => read({ pairs: [pair], template: '{prompt}' }, { render: (prompt) => prompt })).toThrow('pairs: template must be one');
  });

  test('of long prompts the tokens around the first difference are shown', () => {
    const sensitive = `${'?'.repeat(100)}a${'?'.repeat(100)}`;
    expect(() => read([{ ...pair, sensitive, control: `${sensitive}?` }], { positions: 999 })).toThrow(
      /sensitive 203: …\|\?.*\?, control 204: …\|\?/,
    );
  });
});
