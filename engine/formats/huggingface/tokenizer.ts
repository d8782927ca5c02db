/**
 * Text ↔ tokens by the `tokenizer.json` of a Hugging Face folder. The work is done by @huggingface/tokenizers; what it would stumble over, or take
 * without asking (ids of any size, patterns of any length), is checked before. Which model the tokens are for is left to the caller.
 */
import { Tokenizer } from '@huggingface/tokenizers';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../base/errors.ts';
import { jsonFile } from '../jsonFile.ts';
import { checkTokenizerFiles, type TokenizerSettings } from './tokenizerFiles.ts';

const TOKENIZER = 'tokenizer.json';
const SETTINGS = 'tokenizer_config.json';
const FILE_LIMIT = 64 * 2 ** 20;
/** Characters of one text: far more than a prompt, and little enough for patterns that go over it more than once. */
const TEXT_LIMIT = 2 ** 20;

export interface TextTokenizer {
  /** Ids are below this. */
  readonly vocabulary: number;
  /** The token a text begins with and the one that ends it, where the files name them. */
  readonly beginning: number | undefined;
  readonly end: number | undefined;
  /** Ids of tokens that are marks rather than text, ascending. */
  readonly special: readonly number[];
  /** The model's own template for conversations, in Jinja. */
  readonly chatTemplate: string | undefined;
  /** @param special with the tokens the model's texts begin and end with; true if not said @throws UserError for a text it cannot encode */
  encode(text: string, special?: boolean): Int32Array;
  /** @param special whether special tokens are written out; false if not said */
  decode(tokens: Iterable<number>, special?: boolean): string;
  /** The token as its vocabulary spells it, `▁Once` or `<0x0A>`. @throws UserError for an id it has not */
  token(id: number): string;
}

/** What is used of the library, whose own types do not resolve under Node's rules. */
interface Library {
  encode(text: string, options: { add_special_tokens: boolean }): { ids: (number | undefined)[] };
  decode(ids: number[], options: { skip_special_tokens: boolean; clean_up_tokenization_spaces: boolean }): string;
  token_to_id(token: string): number | undefined;
  id_to_token(id: number): string | undefined;
}
const LibraryTokenizer = Tokenizer as unknown as new (tokenizer: object, config: object) => Library;

/** The tokenizer of a folder. @throws UserError if there is none, or it is not one that is read here */
export function readTokenizer(folder: string, place = 'tokenizer'): TextTokenizer {
  const files = listed(folder);
  if (!files.includes(TOKENIZER)) {
    const other = files.find((name) => /^(tokenizer\.model|vocab\.(json|txt)|merges\.txt|spiece\.model)$/.test(name));
    throw new UserError(`${place}: ${TOKENIZER}`, 'must exist', other ? `${other} only` : 'no such file');
  }
  const settings = files.includes(SETTINGS) ? jsonFile(join(folder, SETTINGS), `${place}: ${SETTINGS}`, FILE_LIMIT) : {};
  return makeTokenizer(jsonFile(join(folder, TOKENIZER), `${place}: ${TOKENIZER}`, FILE_LIMIT), settings, place);
}

/** @param json what `tokenizer.json` holds @param settings what `tokenizer_config.json` holds, {} without one */
export function makeTokenizer(json: unknown, settings: unknown, place = 'tokenizer'): TextTokenizer {
  const checked = checkTokenizerFiles(json, settings, `${place}: ${TOKENIZER}`, `${place}: ${SETTINGS}`);
  const library = guarded(`${place}: ${TOKENIZER}`, 'must be understood', () => new LibraryTokenizer(checked.json, checked.settings));
  const { vocabulary, special, settings: named } = checked;
  const idOf = (token: string | undefined) => (token === undefined ? undefined : library.token_to_id(token));
  const decode = (tokens: Iterable<number>, written = false): string => {
    const ids = [...tokens];
    for (const id of ids) token(id);
    if (ids.length === 0) return '';
    return guarded(`${place}: tokens`, 'must be decoded', () =>
      library.decode(ids, { skip_special_tokens: !written, clean_up_tokenization_spaces: named.clean_up_tokenization_spaces ?? false }),
    );
  };
  const token = (id: number): string => {
    const text = Number.isInteger(id) ? library.id_to_token(id) : undefined;
    if (typeof text !== 'string') throw new UserError(`${place}: token`, `must be in the vocabulary of ${vocabulary}`, id);
    return text;
  };
  return {
    vocabulary,
    special,
    beginning: idOf(contentOf(named.bos_token)),
    end: idOf(contentOf(named.eos_token)),
    chatTemplate: templateOf(named.chat_template),
    decode,
    token,
    encode(text, marked = true) {
      if (text.length > TEXT_LIMIT) throw new UserError(`${place}: text`, `must have at most ${TEXT_LIMIT} characters`, text.length);
      const { ids } = guarded(`${place}: text`, 'must be encoded', () => library.encode(text, { add_special_tokens: marked }));
      const missing = ids.findIndex((id) => id === undefined || !(id < vocabulary));
      if (missing >= 0) throw new UserError(`${place}: text`, 'must be of tokens in the vocabulary', text);
      return Int32Array.from(ids as number[]);
    },
  };
}

type Named = TokenizerSettings['bos_token'];
const contentOf = (token: Named): string | undefined => (typeof token === 'string' ? token : token?.content);

function templateOf(template: TokenizerSettings['chat_template']): string | undefined {
  return Array.isArray(template) ? (template.find(({ name }) => name === 'default') ?? template[0])?.template : (template ?? undefined);
}

function listed(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Whatever the library throws over a file is a mistake in the file: it says so in errors of any class. */
function guarded<T>(field: string, rule: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new UserError(field, rule, error instanceof Error ? error.message : String(error), { cause: error });
  }
}
