/**
 * A user's own pairs of prompts in the tokens of a model: pair sets as every analysis takes them.
 *
 * The two prompts of a pair must have as many tokens; nothing is padded and nothing cut. Pairs of one length (and of one number of answers) make one
 * set, so a file gives as many sets as it has lengths, the shortest first. The last position is read; the content is where the prompts first differ.
 * How files are written is ownPairsFile.ts's to say.
 */
import { UserError } from '../base/errors.ts';
import type { TextTokenizer } from '../formats/huggingface/tokenizer.ts';
import type { Answer, PairTexts, TextPair } from './ownPairsFile.ts';
import type { PairSet } from './pairs.ts';

export interface OwnPairs {
  readonly set: PairSet;
  /** Which pairs of the file they are, from 1. */
  readonly numbers: readonly number[];
}

export interface EncodeOptions {
  readonly tokenizer: TextTokenizer;
  /** The most tokens the model takes. */
  readonly positions: number;
  /** How many tokens the model has; all the tokenizer's by default. */
  readonly vocabulary?: number;
  /** What stands around a prompt: a template for conversations, for one. Its texts then bring their own marks of the beginning. */
  readonly render?: (prompt: string) => string;
  readonly place?: string;
}

interface EncodedPair {
  readonly pair: TextPair;
  readonly sensitive: Int32Array;
  readonly control: Int32Array;
  readonly content: number;
  readonly positive: readonly number[];
  readonly negative: readonly number[];
}

/** @throws UserError naming the pair and what is wrong with it: unequal prompts with both tokenisations, answers that are not one token, … */
export function encodePairs({ pairs, template }: PairTexts, options: EncodeOptions): OwnPairs[] {
  const { render, place = 'pairs' } = options;
  if (template !== undefined && !template.includes('{prompt}')) throw new UserError(`${place}: template`, 'must say {prompt}', template);
  if (template !== undefined && render) throw new UserError(`${place}: template`, 'must be one: the file has its own', template);
  // By parts: a prompt that says {prompt} or $& is not to be filled in itself.
  const framed = template === undefined ? render : (prompt: string) => template.split('{prompt}').join(prompt);
  const groups = new Map<string, EncodedPair[]>();
  for (const pair of pairs) {
    const encoded = encodePair(pair, framed, options);
    const key = [encoded.sensitive.length, encoded.positive.length, encoded.negative.length].join();
    const group = groups.get(key);
    if (group) group.push(encoded);
    else groups.set(key, [encoded]);
  }
  return [...groups.values()]
    .sort(
      ([a], [b]) =>
        a.sensitive.length - b.sensitive.length || a.positive.length - b.positive.length || a.negative.length - b.negative.length,
    )
    .map((group) => ({ set: setOf(group), numbers: group.map(({ pair }) => pair.number) }));
}

function encodePair(pair: TextPair, render: ((prompt: string) => string) | undefined, options: EncodeOptions): EncodedPair {
  const { tokenizer, positions, vocabulary = tokenizer.vocabulary, place = 'pairs' } = options;
  const at = `${place}: pair ${pair.number}`;
  const texts = [pair.sensitive, pair.control].map((prompt) => (render ? render(prompt) : prompt));
  // A template's text has its own mark of the beginning, if it has one.
  const encode = (text: string) => tokenizer.encode(text, !render);
  const [sensitive, control] = texts.map(encode);
  if (sensitive.length !== control.length)
    throw new UserError(at, 'must have as many tokens in sensitive as in control', [
      `sensitive ${spelled(sensitive, control, tokenizer)}`,
      `control ${spelled(control, sensitive, tokenizer)}`,
    ]);
  if (sensitive.length === 0) throw new UserError(at, 'must have tokens', 'none');
  if (sensitive.length > positions) throw new UserError(at, `must have at most ${positions} tokens`, sensitive.length);
  for (const token of [...sensitive, ...control]) requireToken(at, token, vocabulary);
  const content = sensitive.findIndex((token, i) => token !== control[i]);
  if (content < 0) throw new UserError(at, 'must have prompts that differ in tokens', spelled(sensitive, control, tokenizer));
  if (pair.roles && pair.roles.length !== sensitive.length)
    throw new UserError(
      `${at}: roles`,
      `must be one for each of the ${sensitive.length} tokens ${spelled(sensitive, control, tokenizer)}`,
      pair.roles.length,
    );
  const answersOf = (side: 'positive' | 'negative') => {
    if (pair[side].length === 0) throw new UserError(`${at}: ${side}`, 'must have answers, as the metric is between them', 'none');
    const tokens = pair[side].map((answer) => {
      const token = answerToken(`${at}: ${side}`, answer, texts, [sensitive, control], encode, tokenizer);
      requireToken(`${at}: ${side}`, token, vocabulary);
      return token;
    });
    const twice = tokens.findIndex((token, i) => tokens.indexOf(token) !== i);
    if (twice >= 0) throw new UserError(`${at}: ${side}`, 'must be different tokens', pair[side][twice]);
    return tokens;
  };
  const [positive, negative] = [answersOf('positive'), answersOf('negative')];
  const shared = negative.findIndex((token) => positive.includes(token));
  if (shared >= 0) throw new UserError(`${at}: negative`, 'must be no token of positive', pair.negative[shared]);
  return { pair, sensitive, control, content, positive, negative };
}

/**
 * The one token an answer adds to the prompt, as it stands there: spelling with a space or without is the file's to choose, and what a tokenizer puts
 * before a text on its own does not matter. It must be the same after both prompts.
 */
function answerToken(
  at: string,
  answer: Answer,
  texts: readonly string[],
  prompts: readonly Int32Array[],
  encode: (text: string) => Int32Array,
  tokenizer: TextTokenizer,
): number {
  if (typeof answer === 'number') return answer;
  const tokens = texts.map((text, i) => {
    const whole = encode(text + answer);
    const prompt = prompts[i];
    if (whole.length !== prompt.length + 1 || prompt.some((token, position) => token !== whole[position]))
      throw new UserError(`${at}: ${JSON.stringify(answer)}`, 'must be a single token after the prompt', [
        `prompt ${spelled(prompt, whole, tokenizer)}`,
        `with it ${spelled(whole, prompt, tokenizer)}`,
      ]);
    return whole[prompt.length];
  });
  if (tokens[0] !== tokens[1])
    throw new UserError(
      `${at}: ${JSON.stringify(answer)}`,
      'must be the same token after both prompts',
      tokens.map((token) => tokenizer.token(token)),
    );
  return tokens[0];
}

function requireToken(at: string, token: number, vocabulary: number): void {
  if (!(token >= 0 && token < vocabulary)) throw new UserError(`${at}: token`, `must be one of the model's ${vocabulary}`, token);
}

/** `5: <s>|▁how|…`: the tokens around the first in which they differ, all of them where they are few. */
function spelled(tokens: Int32Array, other: Int32Array, tokenizer: TextTokenizer): string {
  const SHOWN = 40;
  const differs = tokens.findIndex((token, i) => token !== other[i]);
  const from =
    tokens.length <= SHOWN ? 0 : Math.max(0, Math.min((differs < 0 ? tokens.length : differs) - SHOWN / 2, tokens.length - SHOWN));
  const shown = Array.from(tokens.subarray(from, from + SHOWN), (token) => tokenizer.token(token)).join('|');
  return `${tokens.length}: ${from > 0 ? '…|' : ''}${shown}${from + SHOWN < tokens.length ? '|…' : ''}`;
}

/** Pairs of one length and one number of answers. */
function setOf(group: readonly EncodedPair[]): PairSet {
  const [{ sensitive, positive, negative }] = group;
  const [pairs, length] = [group.length, sensitive.length];
  const joined = (rows: (one: EncodedPair) => ArrayLike<number>, width: number) => {
    const all = new Int32Array(pairs * width);
    group.forEach((one, i) => all.set(rows(one), i * width));
    return all;
  };
  const roleNames = [...new Set(group.flatMap(({ pair }) => pair.roles ?? []))];
  const topicNames = [...new Set(group.flatMap(({ pair }) => pair.topic || []))];
  // Named for some pairs and not for others, they would say nothing of the set.
  const [withRoles, withTopics] = [group.every(({ pair }) => pair.roles), group.every(({ pair }) => pair.topic)];
  const topic = withTopics ? joined(({ pair }) => [topicNames.indexOf(pair.topic!)], 1) : undefined;
  const roles = withRoles ? joined(({ pair }) => pair.roles!.map((role) => roleNames.indexOf(role)), length) : undefined;
  const alike = roles?.every((role, i) => role === roles[i % length]);
  return {
    pairs,
    length,
    arms: { sensitive: joined((one) => one.sensitive, length), control: joined((one) => one.control, length) },
    ...(roles && { roles: alike ? roles.slice(0, length) : roles, roleNames }),
    read: new Int32Array(pairs).fill(length - 1),
    metric: {
      positive: { count: positive.length, tokens: joined((one) => one.positive, positive.length) },
      negative: { count: negative.length, tokens: joined((one) => one.negative, negative.length) },
    },
    content: joined((one) => [one.content], 1),
    ...(topic && { labels: { topic: { sensitive: topic }, topicNames } }),
  };
}
