/**
 * A user's own pairs as texts, from a file in any of these forms; what the texts are in tokens is ownPairs.ts's to say.
 *
 * JSON: a list of pairs, or `{ pairs: […], positive, negative, roles, template }`, each pair `{ sensitive, control, positive, negative, roles, topic }`;
 *   AutoCircuit: `{ prompts: [{ clean, corrupt, answers, wrong_answers }] }` (clean is the sensitive one).
 * CSV: columns `sensitive, control, positive, negative, topic`; EAP-IG: `clean, corrupted, answer, wrong_answer`. Several answers in one value are
 *   parted by `|`.
 */
import { z } from 'zod';
import { UserError } from '../base/errors.ts';
import { parseWith, wholeBetween } from '../base/schema.ts';
import { readCsv } from '../formats/csv.ts';
import { fileBytes } from '../formats/fileBytes.ts';
import { parseJson } from '../formats/jsonFile.ts';

/** A text, or the number of a token of the model. */
export type Answer = string | number;

export interface TextPair {
  /** Which of the file it is, from 1. */
  readonly number: number;
  readonly sensitive: string;
  readonly control: string;
  /** What a model that treats the prompt as sensitive goes on with, and what one that does not. */
  readonly positive: readonly Answer[];
  readonly negative: readonly Answer[];
  /** The name of the role of each token. */
  readonly roles?: readonly string[] | undefined;
  readonly topic?: string | undefined;
}

export interface PairTexts {
  readonly pairs: readonly TextPair[];
  /** Around every prompt, which stands where it says {prompt}. */
  readonly template?: string | undefined;
}

const FILE_LIMIT = 64 * 2 ** 20;
export const PAIR_LIMIT = 100_000;
const TEXT_LIMIT = 100_000;
const ANSWER_LIMIT = 1000;

const text = z.string('must be a text').max(TEXT_LIMIT, `must have at most ${TEXT_LIMIT} characters`);
const prompt = text.min(1, 'must not be empty');
const answer = z.union([prompt, wholeBetween(0, 2 ** 31 - 1)], 'must be a text or the number of a token');
const answers = z.union(
  [answer, z.array(answer).max(ANSWER_LIMIT)],
  `must be a text, the number of a token, or at most ${ANSWER_LIMIT} of them`,
);
const roles = z.array(prompt, 'must be a list of names').max(TEXT_LIMIT);
const own = z.strictObject(
  {
    sensitive: prompt,
    control: prompt,
    positive: answers.optional(),
    negative: answers.optional(),
    roles: roles.optional(),
    topic: text.optional(),
  },
  'must be an object of sensitive and control',
);
const ownList = z.array(own, 'must be a list of pairs').max(PAIR_LIMIT, `must have at most ${PAIR_LIMIT} pairs`);
const ownFile = z.strictObject({
  pairs: ownList,
  positive: answers.optional(),
  negative: answers.optional(),
  roles: roles.optional(),
  template: text.optional(),
});
/** Its files have further keys, such as how they were made. */
const autoCircuit = z.object({
  prompts: z
    .array(z.object({ clean: prompt, corrupt: prompt, answers, wrong_answers: answers }), 'must be a list of prompts')
    .max(PAIR_LIMIT, `must have at most ${PAIR_LIMIT} pairs`),
});

/** @throws UserError naming the pair and the field that is wrong */
export function readPairTexts(path: string, place = 'pairs'): PairTexts {
  return parsePairTexts(fileBytes(path, place, FILE_LIMIT), place);
}

/** @param bytes a file in one of the forms; which, its first character says */
export function parsePairTexts(bytes: Uint8Array, place = 'pairs'): PairTexts {
  const first = /^(?:\xef\xbb\xbf)?\s*(\S?)/.exec(Buffer.from(bytes.subarray(0, 1000)).toString('latin1'))?.[1];
  const found = first === '{' || first === '[' ? fromJson(parseJson(bytes, place), place) : fromCsv(bytes, place);
  if (found.pairs.length === 0) throw new UserError(place, 'must hold at least one pair', 0);
  return found;
}

function fromJson(value: unknown, place: string): PairTexts {
  if (Array.isArray(value)) return { pairs: ownPairs(parseWith(ownList, place, value), {}) };
  if (typeof value === 'object' && value !== null && 'prompts' in value) {
    const { prompts } = parseWith(autoCircuit, place, value);
    const pairs = prompts.map((one, i) => ({
      number: i + 1,
      sensitive: one.clean,
      control: one.corrupt,
      positive: listOf(one.answers),
      negative: listOf(one.wrong_answers),
    }));
    return { pairs };
  }
  const file = parseWith(ownFile, place, value);
  return { pairs: ownPairs(file.pairs, file), template: file.template };
}

type Shared = Pick<z.output<typeof own>, 'positive' | 'negative' | 'roles'>;

/** What the file says of all pairs holds where a pair says nothing of its own. */
function ownPairs(pairs: z.output<typeof ownList>, shared: Shared): TextPair[] {
  return pairs.map((pair, i) => ({
    number: i + 1,
    sensitive: pair.sensitive,
    control: pair.control,
    positive: listOf(pair.positive ?? shared.positive),
    negative: listOf(pair.negative ?? shared.negative),
    roles: pair.roles ?? shared.roles,
    topic: pair.topic,
  }));
}

const listOf = (given: Answer | readonly Answer[] | undefined): readonly Answer[] =>
  given === undefined ? [] : typeof given === 'object' ? given : [given];

/** Column → the field it stands for. */
const columns: Readonly<Record<string, 'sensitive' | 'control' | 'positive' | 'negative' | 'topic'>> = {
  sensitive: 'sensitive',
  clean: 'sensitive',
  control: 'control',
  corrupted: 'control',
  corrupt: 'control',
  positive: 'positive',
  answer: 'positive',
  negative: 'negative',
  wrong_answer: 'negative',
  topic: 'topic',
};

function fromCsv(bytes: Uint8Array, place: string): PairTexts {
  let content: string;
  try {
    content = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new UserError(place, 'must be text in UTF-8', 'other bytes', { cause: error });
  }
  const [names = [], ...rows] = readCsv(content, place);
  const fields = names.map((name) => (Object.hasOwn(columns, name.trim()) ? columns[name.trim()] : undefined));
  for (const field of ['sensitive', 'control'] as const)
    if (fields.filter((one) => one === field).length !== 1)
      throw new UserError(`${place}: columns`, 'must be sensitive and control, or clean and corrupted, once each', names.slice(0, 20));
  if (rows.length > PAIR_LIMIT) throw new UserError(place, `must have at most ${PAIR_LIMIT} pairs`, rows.length);
  const pairs = rows.map((row, i): TextPair => {
    if (row.length !== names.length) throw new UserError(`${place}: pair ${i + 1}`, `must have ${names.length} values`, row.length);
    const value = (field: (typeof fields)[number]) => row[fields.indexOf(field)] as string | undefined;
    const parted = (field: 'positive' | 'negative') => (value(field) ?? '').split('|').filter((one) => one !== '');
    const topic = value('topic');
    const pair = { sensitive: value('sensitive'), control: value('control'), positive: parted('positive'), negative: parted('negative') };
    const { sensitive, control, ...rest } = parseWith(own, `${place}: pair ${i + 1}`, pair);
    return { number: i + 1, sensitive, control, positive: listOf(rest.positive), negative: listOf(rest.negative), topic };
  });
  return { pairs };
}
