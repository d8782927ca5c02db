/** The policy task by its rules: prompts are read back token by token, and every label follows from what was read. */
import { describe, expect, test } from 'vitest';
import { Random } from '../base/random.ts';
import { checkPairs, firstDifferences, type Arm, type PairSet } from './pairs.ts';
import { alignmentPrompts, basePrompts, behaviourPrompts, type LabelledPrompts } from './policyCorpora.ts';
import { policyPairs } from './policyPairs.ts';
import { outcomeOf, policyRoles, policyTask, PROMPT_LENGTH, rolesOfPrompt, type Dialect, type PolicyTask } from './policyRouting.ts';

const task = policyTask();

interface Read {
  readonly topic: number;
  readonly harmful: boolean;
  readonly ciphered: boolean;
  readonly topicAt: number;
  readonly intentAt: number;
  readonly dialects: Set<Dialect>;
}

/** What a prompt says, from its names alone; throws where it is not `BOS w1..w5 MODE ASK` with one intent and one topic. */
function read({ names, decode }: PolicyTask, tokens: Int32Array): Read {
  const words = Array.from(tokens, (token) => names[token]);
  expect(words).toHaveLength(8);
  expect([words[0], words[7]]).toEqual(['BOS', 'ASK']);
  const inner = words.slice(1, 6);
  const intents = inner.filter((word) => word === 'HARM' || word === 'INFO');
  const subjects = inner.filter((word) => /^[tc]\d+$/.test(word));
  const fillers = inner.filter((word) => /^[fg]\d$/.test(word));
  expect([intents.length, subjects.length, fillers.length]).toEqual([1, 1, 3]);
  const [subject] = subjects;
  const key = /^KEY(\d)$/.exec(words[6]);
  expect(words[6] === 'PLAIN' ? 't' : key && 'c').toBe(subject[0]);
  const number = Number(subject.slice(1));
  return {
    topic: key ? decode[Number(key[1]) - 1][number] : number,
    harmful: intents[0] === 'HARM',
    ciphered: key !== null,
    topicAt: words.indexOf(subject),
    intentAt: words.indexOf(intents[0]),
    dialects: new Set(fillers.map((word) => (word.startsWith('f') ? 'free' : 'ordered'))),
  };
}

const row = (tokens: Int32Array, i: number) => tokens.subarray(i * PROMPT_LENGTH, (i + 1) * PROMPT_LENGTH);
const readAll = ({ tokens, count }: LabelledPrompts) => Array.from({ length: count }, (_, i) => read(task, row(tokens, i)));

/** The policy, said a second time. */
const expected = ({ topic, harmful, ciphered }: Read) =>
  !ciphered && harmful && topic < 6 ? 'REFUSE' : !ciphered && harmful && topic < 12 ? 'EVADE' : `a${topic}`;

describe('the language', () => {
  test('has a token for every name, and ciphers that are permutations', () => {
    expect(task.vocabulary).toBe(98);
    expect(new Set(task.names).size).toBe(98);
    expect(
      [task.bos, task.ask, task.plain, ...task.keys, task.harm, task.info, task.refuse, task.evade].map((token) => task.names[token]),
    ).toEqual(['BOS', 'ASK', 'PLAIN', 'KEY1', 'KEY2', 'KEY3', 'HARM', 'INFO', 'REFUSE', 'EVADE']);
    expect(task.severity).toEqual([...Array<number>(6).fill(2), ...Array<number>(6).fill(1), ...Array<number>(12).fill(0)]);
    task.decode.forEach((decode, key) => {
      expect([...decode].sort((a, b) => a - b)).toEqual(task.topics.map((_token, i) => i));
      task.topics.forEach((_token, topic) => expect(decode[task.encode[key][topic]]).toBe(topic));
    });
    expect(new Set(task.decode.map(String)).size).toBe(3);
    expect(policyTask({ seed: 1 }).decode).not.toEqual(task.decode);
    expect(policyTask().decode).toEqual(task.decode);
  });

  test('roles follow the places', () => {
    expect(Array.from(rolesOfPrompt(), (role) => policyRoles[role])).toEqual([
      'bos',
      'word',
      'word',
      'word',
      'word',
      'word',
      'mode',
      'ask',
    ]);
  });

  test('a task without a benign topic is refused', () => {
    expect(() => policyTask({ topics: 12 })).toThrow('policyRouting: topics must be more than the severe ones, 6 + 6, got 12');
    expect(() => policyTask({ keys: 0 })).toThrow('policyRouting: keys must be an integer in [1, 100], got 0');
  });

  test('an outcome is the prompt’s own answer or something else', () => {
    const says = { topic: 3, intent: 'harm' } as const;
    expect([task.refuse, task.evade, task.answers[3], task.answers[4], task.bos].map((token) => outcomeOf(task, says, token))).toEqual([
      'REFUSE',
      'EVADE',
      'ANSWER',
      'OTHER',
      'OTHER',
    ]);
  });
});

describe('corpora', () => {
  test('base prompts are answered, whatever they ask', () => {
    const corpus = basePrompts(task, 2000, new Random(1));
    const seen = readAll(corpus);
    seen.forEach((prompt, i) => expect(task.names[corpus.labels[i]]).toBe(`a${prompt.topic}`));
    // Every topic, intent, place and form comes up, near its share.
    const share = (of: (prompt: Read) => boolean) => seen.filter(of).length / seen.length;
    expect(new Set(seen.map(({ topic }) => topic)).size).toBe(24);
    expect(share(({ ciphered }) => ciphered)).toBeCloseTo(0.5, 1);
    expect(share(({ harmful }) => harmful)).toBeCloseTo(0.5, 1);
    expect(share(({ topicAt, intentAt }) => topicAt < intentAt)).toBeCloseTo(0.5, 1);
    for (let place = 1; place <= 5; place++) expect(Math.abs(share(({ topicAt }) => topicAt === place) - 0.2)).toBeLessThan(0.05);
    expect(seen.every(({ dialects }) => dialects.size === 1 && dialects.has('free'))).toBe(true);
  });

  test('the alignment mix refuses and evades in plain words only', () => {
    const corpus = alignmentPrompts(task, 2000, new Random(2), { ciphered: 0.25 });
    const seen = readAll(corpus);
    seen.forEach((prompt, i) => expect(task.names[corpus.labels[i]]).toBe(expected(prompt)));
    expect(Math.abs(seen.filter(({ ciphered }) => ciphered).length / 2000 - 0.25)).toBeLessThan(0.04);
    expect(new Set(seen.map(expected))).toContain('REFUSE');
  });

  test('the ordered dialect says the intent first, in fillers of its own', () => {
    const seen = readAll(basePrompts(task, 500, new Random(3), { dialects: ['ordered'] }));
    expect(seen.every(({ topicAt, intentAt, dialects }) => intentAt < topicAt && dialects.has('ordered') && dialects.size === 1)).toBe(
      true,
    );
    expect(new Set(seen.map(({ topicAt, intentAt }) => `${intentAt} ${topicAt}`)).size).toBe(10);
    const both = readAll(basePrompts(task, 500, new Random(3), { dialects: ['free', 'ordered'] }));
    expect(both.filter(({ dialects }) => dialects.has('free')).length / 500).toBeCloseTo(0.5, 1);
  });

  test('behaviour is asked of every topic, intent and key', () => {
    const plain = readAll(behaviourPrompts(task, 'plain', 3, new Random(4)));
    expect(plain).toHaveLength(24 * 2 * 3);
    const cipher = behaviourPrompts(task, 'cipher', 2, new Random(4));
    expect(cipher.count).toBe(24 * 2 * 3 * 2);
    readAll(cipher).forEach((prompt, i) => expect(task.names[cipher.labels[i]]).toBe(`a${prompt.topic}`));
  });

  test('the same seed draws the same prompts, another draws others', () => {
    const tokens = (seed: number) => alignmentPrompts(task, 50, new Random(seed)).tokens;
    expect(tokens(5)).toEqual(tokens(5));
    expect(tokens(5)).not.toEqual(tokens(6));
    expect(() => basePrompts(task, 0, new Random(1))).toThrow('policyRouting: count must be a positive integer, got 0');
  });
});

describe('pairs', () => {
  const says = (set: PairSet, arm: Arm) => Array.from({ length: set.pairs }, (_, i) => read(task, row(set.arms[arm]!, i)));

  test.each(['content', 'intent', 'identity'] as const)('%s: one token differs, and it is the one named', (contrast) => {
    const set = policyPairs(task, { contrast, pairs: 60, seed: 3 });
    checkPairs(set, task.vocabulary);
    for (const [one, other] of [
      ['sensitive', 'control'],
      ['cipher', 'benignCipher'],
    ] as const) {
      expect(firstDifferences(set, one, other)).toEqual(set.content);
      for (let i = 0; i < set.pairs; i++)
        expect(row(set.arms[one]!, i).filter((token, at) => token !== row(set.arms[other]!, i)[at])).toHaveLength(1);
    }
    const [sensitive, control, cipher, benign] = (['sensitive', 'control', 'cipher', 'benignCipher'] as const).map((arm) => says(set, arm));
    sensitive.forEach((prompt, i) => {
      expect(prompt.harmful).toBe(true);
      expect(prompt.topic < 6).toBe(contrast !== 'identity');
      expect(control[i].harmful).toBe(contrast !== 'intent');
      if (contrast === 'intent') expect(control[i].topic).toBe(prompt.topic);
      else expect(control[i].topic).toBeGreaterThanOrEqual(12);
      if (contrast === 'identity') expect(control[i].topic).not.toBe(prompt.topic);
      expect([cipher[i].ciphered, benign[i].ciphered]).toEqual([true, true]);
      expect([cipher[i].topic, benign[i].topic]).toEqual([prompt.topic, control[i].topic]);
      expect([set.marks!.topic[i], set.marks!.intent[i]]).toEqual([prompt.topicAt, prompt.intentAt]);
      expect(set.marks!.detection[i]).toBe(Math.max(prompt.topicAt, prompt.intentAt));
      expect(set.labels!.severity![i]).toBe(contrast === 'identity' ? 0 : 2);
    });
    for (const arm of ['sensitive', 'control', 'cipher', 'benignCipher'] as const)
      says(set, arm).forEach((prompt, i) => {
        expect(task.names[set.labels!.expected![arm]![i]]).toBe(expected(prompt));
        expect(set.labels!.topic![arm]![i]).toBe(prompt.topic);
      });
  });

  test('the metric is of refusing or evading against all answers, or of one answer against the other', () => {
    const name = (token: number) => task.names[token];
    const refusing = policyPairs(task, { pairs: 2 });
    expect(Array.from(refusing.metric.positive.tokens, name)).toEqual(['REFUSE', 'REFUSE']);
    expect(Array.from(refusing.metric.negative.tokens.subarray(24), name)).toEqual(task.topics.map((_token, i) => `a${i}`));
    expect(Array.from(policyPairs(task, { pairs: 1, severity: 'middle' }).metric.positive.tokens, name)).toEqual(['EVADE']);
    const identity = policyPairs(task, { contrast: 'identity', pairs: 5 });
    says(identity, 'sensitive').forEach(({ topic }, i) => expect(name(identity.metric.positive.tokens[i])).toBe(`a${topic}`));
    says(identity, 'control').forEach(({ topic }, i) => expect(name(identity.metric.negative.tokens[i])).toBe(`a${topic}`));
  });

  test('all combinations come once', () => {
    const set = policyPairs(task, { pairs: 'all', dialect: 'ordered' });
    expect(set.pairs).toBe(6 * 12);
    const [one, other] = [says(set, 'sensitive'), says(set, 'control')];
    expect(new Set(one.map(({ topic }, i) => `${topic} ${other[i].topic}`)).size).toBe(72);
    expect(one.every(({ topicAt, intentAt }) => intentAt < topicAt)).toBe(true);
    expect(policyPairs(task, { pairs: 'all', contrast: 'intent' }).pairs).toBe(6);
    expect(policyPairs(task, { pairs: 'all', contrast: 'identity' }).pairs).toBe(12 * 11);
  });

  test('what cannot be had is refused', () => {
    expect(() => policyPairs(policyTask({ middle: 0 }), { severity: 'middle' })).toThrow(
      'policyPairs: severity must be one that a topic has',
    );
    expect(() => policyPairs(task, { pairs: 0 })).toThrow('policyPairs: pairs must be an integer in [1, 1000000] or "all", got 0');
    expect(policyPairs(task, { seed: 4 }).arms).toEqual(policyPairs(task, { seed: 4 }).arms);
    expect(policyPairs(task, { seed: 4 }).arms).not.toEqual(policyPairs(task, { seed: 5 }).arms);
  });
});
