/** A tokenizer of eleven tokens, of the kind Llama has: spaces become ▁, pairs are merged, what is unknown falls back to its bytes. */

const mark = (id: number, content: string) => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
});

export const tokenizerJson = {
  version: '1.0',
  added_tokens: [mark(0, '<unk>'), mark(1, '<s>'), mark(2, '</s>')],
  normalizer: {
    type: 'Sequence',
    normalizers: [
      { type: 'Prepend', prepend: '▁' },
      { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
    ],
  },
  pre_tokenizer: null,
  post_processor: {
    type: 'TemplateProcessing',
    single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
    pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }],
    special_tokens: { '<s>': { id: '<s>', ids: [1], tokens: ['<s>'] } },
  },
  decoder: {
    type: 'Sequence',
    decoders: [
      { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
      { type: 'ByteFallback' },
      { type: 'Fuse' },
      { type: 'Strip', content: ' ', start: 1, stop: 0 },
    ],
  },
  model: {
    type: 'BPE',
    unk_token: '<unk>',
    fuse_unk: true,
    byte_fallback: true,
    vocab: { '<unk>': 0, '<s>': 1, '</s>': 2, '?': 3, '▁': 4, a: 5, b: 6, ab: 7, '▁ab': 8, '<0xC3>': 9, '<0xA9>': 10 },
    merges: ['a b', '▁ ab'],
  },
};

export const settings = { tokenizer_class: 'LlamaTokenizer', bos_token: '<s>', eos_token: { content: '</s>' }, unk_token: '<unk>' };

/** One of the kind GPT-2 and Llama 3 have: pieces by a pattern, bytes as letters (Ġ is the space). */
export const byteLevelJson = {
  added_tokens: [mark(9, '<|end|>')],
  normalizer: { type: 'NFC' },
  pre_tokenizer: {
    type: 'Sequence',
    pretokenizers: [
      {
        type: 'Split',
        pattern: { Regex: "'s|'t| ?\\p{L}+| ?\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+" },
        behavior: 'Isolated',
        invert: false,
      },
      { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
    ],
  },
  post_processor: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: false, use_regex: true },
  decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
  model: {
    type: 'BPE',
    ignore_merges: true,
    vocab: { a: 0, b: 1, Ġ: 2, Ġa: 3, Ġab: 4, Ã: 5, '©': 6, '1': 7, '2': 8 },
    merges: [
      ['Ġ', 'a'],
      ['Ġa', 'b'],
    ],
  },
};
