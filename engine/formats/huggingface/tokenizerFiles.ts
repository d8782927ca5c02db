/**
 * What `tokenizer.json` and `tokenizer_config.json` must hold before the library sees them: a model of a known kind whose ids are numbers of a
 * vocabulary, merges that are pairs, added tokens that are texts. Parts it knows by their type it builds itself.
 */
import { z } from 'zod';
import { UserError } from '../../base/errors.ts';
import { parseWith, wholeBetween } from '../../base/schema.ts';

/** Twice the largest vocabulary in use. */
const ID_LIMIT = 2 ** 21;
/** Of a token or a pattern, in characters. */
const LENGTH_LIMIT = 2 ** 16;
const DEPTH_LIMIT = 64;

const text = z.string('must be a text').max(LENGTH_LIMIT, `must have at most ${LENGTH_LIMIT} characters`);
const id = wholeBetween(0, ID_LIMIT - 1);
const part = z.looseObject({ type: text }, 'must be an object with a type').nullish();
const flag = z.boolean('must be true or false').nullish();

const bytePairs = z.looseObject({
  type: z.literal('BPE'),
  // Hundreds of thousands of entries: looked at one by one below, which a schema does ten times slower.
  vocab: z.custom<Record<string, number>>(
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
    'must be an object of ids',
  ),
  merges: z.custom<(string | [string, string])[]>(Array.isArray, 'must be a list'),
  unk_token: text.nullish(),
  end_of_word_suffix: text.nullish(),
  continuing_subword_prefix: text.nullish(),
  byte_fallback: flag,
  ignore_merges: flag,
  fuse_unk: flag,
});
const unigram = z.looseObject({
  type: z.literal('Unigram'),
  unk_id: id.nullish(),
  vocab: z
    .array(z.tuple([text, z.number('must be a number')], 'must be a token and its score'), 'must be a list')
    .min(1, 'must not be empty'),
});
const model = z.discriminatedUnion('type', [bytePairs, unigram], 'must be of type BPE or Unigram');

const addedToken = z.looseObject({
  id,
  content: text.min(1, 'must not be empty'),
  single_word: flag,
  lstrip: flag,
  rstrip: flag,
  normalized: flag,
  special: flag,
});
const tokenizerSchema = z.looseObject(
  {
    added_tokens: z.array(addedToken, 'must be a list').nullish(),
    normalizer: part,
    pre_tokenizer: part,
    post_processor: part,
    decoder: part,
    model,
  },
  'must be an object',
);

const named = z.union([text, z.looseObject({ content: text })], 'must be a text or a token').nullish();
const settingsSchema = z.looseObject(
  {
    bos_token: named,
    eos_token: named,
    unk_token: named,
    additional_special_tokens: z.array(z.unknown(), 'must be a list').nullish(),
    clean_up_tokenization_spaces: flag,
    remove_space: flag,
    do_lowercase_and_remove_accent: flag,
    chat_template: z
      .union([z.string(), z.array(z.object({ name: z.string(), template: z.string() }))], 'must be a text or a list')
      .nullish(),
  },
  'must be an object',
);

export type TokenizerSettings = z.output<typeof settingsSchema>;

export interface TokenizerFiles {
  readonly json: z.output<typeof tokenizerSchema>;
  readonly settings: TokenizerSettings;
  /** One more than the largest id. */
  readonly vocabulary: number;
  /** Ids of special tokens, ascending. */
  readonly special: readonly number[];
}

/** @throws UserError naming the part that is not as it must be */
export function checkTokenizerFiles(json: unknown, settings: unknown, place: string, settingsPlace: string): TokenizerFiles {
  requireShallow(json, place);
  requireShallow(settings, settingsPlace);
  const checked = parseWith(tokenizerSchema, place, json);
  const { model: kind } = checked;
  if (kind.type === 'BPE') checkBytePairs(kind, `${place}: model`);
  const added = checked.added_tokens ?? [];
  const ids = kind.type === 'BPE' ? Object.values(kind.vocab) : kind.vocab.map((_token, i) => i);
  if (ids.length > ID_LIMIT) throw new UserError(`${place}: model.vocab`, `must have at most ${ID_LIMIT} tokens`, ids.length);
  if (kind.type === 'Unigram' && kind.unk_id != null && kind.unk_id >= ids.length)
    throw new UserError(`${place}: model.unk_id`, `must be one of the ${ids.length} tokens`, kind.unk_id);
  if (kind.type === 'BPE' && new Set(ids).size !== ids.length)
    throw new UserError(`${place}: model.vocab`, 'must give each token an id of its own', `${ids.length - new Set(ids).size} shared`);
  const largest = [...ids, ...added.map((token) => token.id)].reduce((most, one) => Math.max(most, one), -1);
  if (largest < 0) throw new UserError(`${place}: model.vocab`, 'must not be empty', 'no token');
  // The library asks for these parts by name, and takes lists apart without looking.
  const parts = { normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null };
  const bare = settings === null ? {} : parseWith(settingsSchema, settingsPlace, settings);
  return {
    json: { ...parts, ...checked, added_tokens: added },
    settings: bare,
    vocabulary: largest + 1,
    special: [...new Set(added.filter((token) => token.special).map((token) => token.id))].sort((a, b) => a - b),
  };
}

function checkBytePairs({ vocab, merges }: z.output<typeof bytePairs>, place: string): void {
  for (const [token, value] of Object.entries(vocab))
    if (!Number.isInteger(value) || value < 0 || value >= ID_LIMIT)
      throw new UserError(`${place}.vocab.${token}`, `must be an integer in [0, ${ID_LIMIT - 1}]`, value);
  const isText = (value: unknown) => typeof value === 'string' && value.length <= LENGTH_LIMIT;
  merges.forEach((merge: unknown, i) => {
    if (!isText(merge) && !(Array.isArray(merge) && merge.length === 2 && merge.every(isText)))
      throw new UserError(`${place}.merges.${i}`, 'must be a text or a pair', merge);
  });
  // The library takes all of them to be as the first is.
  const other = merges.findIndex((merge) => typeof merge !== typeof merges[0]);
  if (other >= 0) throw new UserError(`${place}.merges.${other}`, 'must be as the first is, a text or a pair', merges[other]);
}

/** Parts hold parts, and are built one inside the other: a file of a million brackets must not use up the stack. */
function requireShallow(value: unknown, place: string): void {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > DEPTH_LIMIT) throw new UserError(place, `must not be nested more than ${DEPTH_LIMIT} deep`, 'deeper');
    level = level.flatMap((one): unknown[] =>
      (typeof one === 'object' && one !== null ? (Object.values(one) as unknown[]) : []).filter((inner) => typeof inner === 'object'),
    );
  }
}
